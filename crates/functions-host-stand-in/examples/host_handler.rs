//! A custom handler with two functions. Cargo.toml needs axum, tokio (features "full") and `serde_json`.

use std::{env, net::Ipv4Addr};

use axum::{Json, Router, extract::DefaultBodyLimit, http::StatusCode, routing};
use serde_json::{Value, json};

/// GET or POST /api/hello?name=...
async fn hello(Json(invocation): Json<Value>) -> Json<Value> {
    let request = &invocation["Data"]["req"];
    let name = request["Query"]["name"].as_str().unwrap_or("world");
    Json(json!({
        "Outputs": {"res": {
            "statusCode": 200,
            "headers": {"Content-Type": "text/plain"},
            "body": format!("Hello, {name}!"),
        }},
        "Logs": [format!("greeted {name}")],
        "ReturnValue": null,
    }))
}

/// A message of the queue "orders".
async fn orders(Json(invocation): Json<Value>) -> Result<Json<Value>, StatusCode> {
    // A text is JSON in a JSON string: the value is decoded here, and the message itself below.
    let text = invocation["Data"]["order"].as_str().unwrap_or_default();
    let text: String = serde_json::from_str(text).map_err(failed)?;
    let order: Value = serde_json::from_str(&text).map_err(failed)?;
    Ok(Json(json!({
        "Outputs": {"receipts": [{"accepted": order["id"]}]},
        "Logs": [format!("order {} accepted", order["id"])],
        "ReturnValue": null,
    })))
}

/// Any status but 2xx fails the invocation. The host reads nothing else of such an answer.
fn failed(error: serde_json::Error) -> StatusCode {
    println!("{error}");
    StatusCode::INTERNAL_SERVER_ERROR
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port: u16 = env::var("FUNCTIONS_CUSTOMHANDLER_PORT")?.parse()?;
    let app = Router::new()
        // The host asks for this until it gets an answer with any status.
        .route("/", routing::get(|| async { "ready" }))
        .route("/hello", routing::post(hello))
        .route("/orders", routing::post(orders))
        .layer(DefaultBodyLimit::max(100 * 1024 * 1024));
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    axum::serve(listener, app).await?;
    Ok(())
}
