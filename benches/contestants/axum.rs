//! The floor: axum alone. It reads the body to its end and answers an envelope that says nothing; it parses, logs and does
//! nothing.

use axum::body::Bytes;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::serve::ListenerExt;

const ANSWER: &str = r#"{"Outputs":{},"Logs":[],"ReturnValue":null}"#;

async fn answer(_body: Bytes) -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], ANSWER)
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let port = std::env::var("FUNCTIONS_CUSTOMHANDLER_PORT").unwrap_or_default();
    let port: u16 = port.parse().map_err(std::io::Error::other)?;
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    // An answer that is late by Nagle's algorithm would be no floor.
    let listener = listener.tap_io(|connection| drop(connection.set_nodelay(true)));
    axum::serve(listener, axum::Router::new().fallback(answer)).await
}
