//! The host's own HTTP side: functions, `/admin`, the Event Grid webhook. It asks for no keys, like the real host on a
//! laptop.

mod admin;
mod function;
mod grid;
mod guard;

use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::engine::Engine;
use super::trigger::http::HttpRequest;
use super::wire::{Incoming, RequestHead, WireError};

/// How long a client may be silent.
const SILENCE: Duration = Duration::from_secs(130);
/// Most clients at a time.
const MOST_CLIENTS: usize = 1024;

/// The app setting with the largest body that is taken, in bytes.
const BODY_LIMIT: &str = "FUNCTIONS_REQUEST_BODY_SIZE_LIMIT";
/// The real host's own limit, bytes.
const DEFAULT_BODY_LIMIT: usize = 104_857_600;

/// The response for a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Reply {
    fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
    }

    fn text(status: u16, text: impl Into<String>) -> Self {
        let headers = vec![("Content-Type".to_owned(), "text/plain; charset=utf-8".to_owned())];
        Self { status, headers, body: text.into().into_bytes() }
    }

    fn json(status: u16, value: &serde_json::Value) -> Self {
        let headers = vec![("Content-Type".to_owned(), "application/json; charset=utf-8".to_owned())];
        Self { status, headers, body: value.to_string().into_bytes() }
    }

    /// With these headers, where it has none of the name (`CustomHttpHeadersMiddleware` of the real host).
    fn with_headers(mut self, headers: &[(String, String)]) -> Self {
        for (name, value) in headers {
            if !self.headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name)) {
                self.headers.push((name.clone(), value.clone()));
            }
        }
        self
    }

    /// The bytes on the wire. The host decides the framing, and ignores a handler's headers about it.
    fn to_bytes(&self, head_only: bool, keep_alive: bool) -> Vec<u8> {
        let reason =
            http::StatusCode::from_u16(self.status).ok().and_then(|status| status.canonical_reason());
        let mut out = format!("HTTP/1.1 {} {}\r\n", self.status, reason.unwrap_or_default());
        let framing = ["connection", "content-length", "keep-alive", "transfer-encoding"];
        for (name, value) in &self.headers {
            if !framing.contains(&name.to_ascii_lowercase().as_str()) {
                let value = value.replace(['\r', '\n'], "");
                out.push_str(&format!("{name}: {value}\r\n"));
            }
        }
        let has_body = !matches!(self.status, 100..=199 | 204 | 304);
        if has_body {
            out.push_str(&format!("Content-Length: {}\r\n", self.body.len()));
        }
        out.push_str(if keep_alive { "\r\n" } else { "Connection: close\r\n\r\n" });
        let mut out = out.into_bytes();
        if has_body && !head_only {
            out.extend_from_slice(&self.body);
        }
        out
    }
}

/// Serves clients for as long as the host runs.
pub async fn run(engine: Arc<Engine>, listener: TcpListener) {
    let routes = Arc::new(function::Routes::new(&engine));
    let mut clients = JoinSet::new();
    loop {
        while clients.try_join_next().is_some() {}
        if clients.len() >= MOST_CLIENTS {
            clients.join_next().await;
            continue;
        }
        match listener.accept().await {
            Ok((stream, _)) => {
                let (engine, routes) = (engine.clone(), routes.clone());
                clients.spawn(async move {
                    // A client may break off at any time.
                    let _ = serve(&engine, &routes, stream).await;
                });
            }
            // Out of file descriptors, most likely: some will come back.
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

async fn serve(
    engine: &Arc<Engine>,
    routes: &function::Routes,
    mut stream: TcpStream,
) -> Result<(), WireError> {
    stream.set_nodelay(true)?;
    let mut buffer = BytesMut::with_capacity(4096);
    let (read, mut write) = stream.split();
    let mut incoming = Incoming::new(read, &mut buffer);
    loop {
        let head = match timeout(SILENCE, incoming.request_head()).await {
            Ok(Ok(Some(head))) => head,
            Ok(Err(error @ (WireError::Malformed(_) | WireError::TooLong(..)))) => {
                let reply = Reply::text(400, format!("Bad Request: {error}"));
                write.write_all(&reply.to_bytes(false, false)).await?;
                return Ok(());
            }
            Ok(Ok(None) | Err(_)) | Err(_) => return Ok(()),
        };
        if head.headers.has_token("expect", "100-continue") {
            write.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
        }
        let body = match timeout(SILENCE, incoming.request_body(&head.headers)).await {
            Ok(body) => body?,
            Err(_) => return Ok(()),
        };
        let (keep_alive, head_only) = (head.keep_alive, head.method == "HEAD");
        let reply = answer(engine, routes, into_request(head, body)).await;
        let reply = reply.with_headers(&engine.app.host.custom_headers);
        write.write_all(&reply.to_bytes(head_only, keep_alive)).await?;
        if !keep_alive {
            return Ok(());
        }
    }
}

async fn answer(engine: &Arc<Engine>, routes: &function::Routes, request: HttpRequest) -> Reply {
    if let Some(problem) = guard::refusal(&request) {
        return Reply::text(403, problem);
    }
    if engine.settings.get(BODY_LIMIT).and_then(|limit| limit.parse().ok()).unwrap_or(DEFAULT_BODY_LIMIT)
        < request.body.len()
    {
        return Reply::text(413, format!("Request body too large: {BODY_LIMIT} is the most that is taken."));
    }
    let path = request.path().to_ascii_lowercase();
    if let Some(rest) = path.strip_prefix("/admin/") {
        // Names keep their case for messages.
        let original = &request.path()[request.path().len() - rest.len()..];
        return admin::answer(engine, original, &request).await;
    }
    if path == "/runtime/webhooks/eventgrid" {
        return grid::answer(engine, &request).await;
    }
    match routes.find(&request) {
        Some(found) => function::answer(engine, found, request).await,
        None if path == "/" => Reply::text(200, "The functions host stand-in is up and running."),
        None => Reply::empty(404),
    }
}

fn into_request(head: RequestHead, body: Vec<u8>) -> HttpRequest {
    let has_length = head.headers.get("content-length").is_some();
    let target = match head.target.split_once("://") {
        // The absolute form that proxies use.
        Some((_, rest)) => rest.find('/').map_or_else(|| "/".to_owned(), |start| rest[start..].to_owned()),
        None => head.target,
    };
    let headers = head.headers.0.into_iter().map(|(name, value)| (canonical(name), value)).collect();
    HttpRequest { method: head.method, target, headers, body, has_length }
}

/// ASP.NET spells the headers that it knows in its own way and leaves others as they came.
fn canonical(name: String) -> String {
    const KNOWN: [&str; 36] = [
        "Accept",
        "Accept-Charset",
        "Accept-Encoding",
        "Accept-Language",
        "Access-Control-Request-Headers",
        "Access-Control-Request-Method",
        "Authorization",
        "Cache-Control",
        "Connection",
        "Content-Encoding",
        "Content-Language",
        "Content-Length",
        "Content-Type",
        "Cookie",
        "Date",
        "Expect",
        "From",
        "Host",
        "If-Match",
        "If-Modified-Since",
        "If-None-Match",
        "If-Range",
        "If-Unmodified-Since",
        "Max-Forwards",
        "Origin",
        "Pragma",
        "Proxy-Authorization",
        "Range",
        "Referer",
        "TE",
        "Transfer-Encoding",
        "Upgrade",
        "Upgrade-Insecure-Requests",
        "User-Agent",
        "Via",
        "Warning",
    ];
    KNOWN.iter().find(|known| known.eq_ignore_ascii_case(&name)).map_or(name, |known| (*known).to_owned())
}
