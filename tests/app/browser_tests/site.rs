//! One page on this machine, with the headers that it has in the app.

use axum::Router;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::routing::get;
use loopback::Server;

/// Serves until it is dropped.
pub struct Site {
    url: String,
    _server: Server,
}

impl Site {
    pub async fn of(html: String) -> Self {
        let headers = [
            (CONTENT_TYPE, "text/html; charset=utf-8"),
            (CONTENT_SECURITY_POLICY, policysync::page::CONTENT_SECURITY_POLICY),
        ];
        let page = Router::new().route("/", get(async move || (headers, html)));
        let server = Server::start(|_| page).await.unwrap();
        Self { url: format!("{}/", server.origin()), _server: server }
    }

    pub fn url(&self) -> &str {
        &self.url
    }
}
