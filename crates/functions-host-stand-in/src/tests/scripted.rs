//! A handler within the test: a TCP server that answers as a recorded case says, byte for byte.

use std::time::Duration;

use bytes::BytesMut;
use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};

use crate::wire::{Incoming, RequestHead};

/// The scripted handler's answer at `/final`, where recorded redirects lead.
const FINAL: &str = r#"{"Outputs":{"out":"hello world!"},"Logs":["log line 1"],"ReturnValue":null}"#;

/// A request as the scripted handler saw it.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Method, target and version.
    pub line: String,
    /// Header fields.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// Serves one case and tells every request; gives its address.
pub async fn start(case: &Value, seen: tokio::sync::mpsc::UnboundedSender<Seen>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let case = case.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, case.clone(), seen.clone()));
        }
    });
    address
}

async fn serve(mut stream: TcpStream, case: Value, seen: tokio::sync::mpsc::UnboundedSender<Seen>) {
    let mut buffer = BytesMut::new();
    loop {
        let (read, mut write) = stream.split();
        let mut incoming = Incoming::new(read, &mut buffer);
        let Ok(Some(head)) = incoming.request_head().await else { return };
        let body = incoming.request_body(&head.headers).await.unwrap();
        let RequestHead { method, target, headers, .. } = head;
        let is_final = target == "/final";
        let _ = seen.send(Seen { line: format!("{method} {target} HTTP/1.1"), headers: headers.0, body });
        let answer = &case["answer"];
        if is_final {
            let status = if case["case"].as_str().unwrap().ends_with("to-500") { 500 } else { 200 };
            let text = answer_text(&serde_json::json!({"status": status, "body": FINAL}));
            write.write_all(&text).await.unwrap();
            continue;
        }
        if answer["hang"] == true {
            std::future::pending::<()>().await;
        }
        if answer["close"] == true {
            return;
        }
        if answer["reset"] == true {
            // Closing a socket with nothing to linger for resets the connection.
            #[expect(deprecated, reason = "a test needs the reset that the deprecation warns of not at all")]
            stream.set_linger(Some(Duration::ZERO)).unwrap();
            return;
        }
        if let Some(delay) = answer["delay"].as_u64() {
            // Recorded with a function timeout of six seconds, replayed with one of two.
            tokio::time::sleep(Duration::from_millis(delay / 3)).await;
        }
        let raw = answer["raw"].as_str().map(|raw| raw.as_bytes().to_vec());
        write.write_all(&raw.unwrap_or_else(|| answer_text(answer))).await.unwrap();
        if answer["end"] == true || answer["nolen"] == true {
            return;
        }
    }
}

/// The bytes of an answer, framed as the case says.
fn answer_text(answer: &Value) -> Vec<u8> {
    let status = answer["status"].as_u64().unwrap_or(200);
    let body = answer["body"].as_str().unwrap_or_default();
    let mut text = format!("HTTP/1.1 {status} X\r\n");
    match answer.get("ct") {
        None => text.push_str("Content-Type: application/json\r\n"),
        Some(Value::String(kind)) => text.push_str(&format!("Content-Type: {kind}\r\n")),
        Some(_) => {}
    }
    for header in answer["headers"].as_array().into_iter().flatten() {
        text.push_str(&format!("{}: {}\r\n", header[0].as_str().unwrap(), header[1].as_str().unwrap()));
    }
    if answer["chunked"] == true {
        text.push_str(&format!("Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n", body.len()));
    } else if answer["nolen"] == true {
        text.push_str(&format!("\r\n{body}"));
    } else {
        text.push_str(&format!("Content-Length: {}\r\n\r\n{body}", body.len()));
    }
    text.into_bytes()
}
