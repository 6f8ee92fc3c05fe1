//! The host's side of a connection, on a bare socket, so that the test decides the framing.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Far longer than any answer takes, so that a missing one fails the test.
const PATIENCE: Duration = Duration::from_secs(20);

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub reason: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("a JSON body")
    }

    /// Fails unless the host would take this answer as a success and look at its outputs.
    #[track_caller]
    pub fn assert_success(&self) {
        assert_eq!(self.status, 200, "{}", self.text());
        assert_eq!(self.header("content-type"), Some("application/json"));
        assert!(self.json().is_object());
    }

    pub fn text(&self) -> String {
        format!("{} {} {}", self.status, self.reason, String::from_utf8_lossy(&self.body))
    }
}

/// One keep-alive connection.
pub struct Connection(TcpStream);

impl Connection {
    pub async fn open(address: SocketAddr) -> Self {
        Self(TcpStream::connect(address).await.expect("the handler listens"))
    }

    pub async fn write(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).await.expect("the handler reads");
    }

    pub async fn exchange(&mut self, request: &[u8]) -> Answer {
        self.write(request).await;
        self.answer().await
    }

    pub async fn answer(&mut self) -> Answer {
        timeout(PATIENCE, self.read()).await.expect("an answer in time")
    }

    async fn read(&mut self) -> Answer {
        let mut received = Vec::new();
        let head = loop {
            if let Some(end) = received.windows(4).position(|window| window == b"\r\n\r\n") {
                break end;
            }
            assert_ne!(
                self.0.read_buf(&mut received).await.expect("an answer"),
                0,
                "closed before an answer"
            );
        };
        let text = String::from_utf8(received[..head].to_vec()).expect("a text head");
        let mut lines = text.split("\r\n");
        let mut status_line = lines.next().expect("a status line").splitn(3, ' ').skip(1);
        let status = status_line.next().expect("a status").parse().expect("a number");
        let reason = status_line.next().unwrap_or_default().to_owned();
        let headers: Vec<(String, String)> = lines
            .map(|line| line.split_once(": ").expect("a header"))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let mut answer = Answer { status, reason, headers, body: received[head + 4..].to_vec() };
        let length: usize =
            answer.header("content-length").expect("a content length").parse().expect("a number");
        while answer.body.len() < length {
            assert_ne!(
                self.0.read_buf(&mut answer.body).await.expect("a body"),
                0,
                "closed before the whole body"
            );
        }
        answer
    }
}

/// `GET /` as the host polls it: with a Host header and nothing else.
pub fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").into_bytes()
}

/// An invocation as the host sends it: chunks of 1 KiB, no length.
pub fn post(path: &str, id: &str, body: &[u8]) -> Vec<u8> {
    post_with(path, id, &[], body)
}

pub fn post_with(path: &str, id: &str, more: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut headers = vec![
        ("Host", "127.0.0.1"),
        ("X-Azure-Functions-HostVersion", "4.1037.0.0"),
        ("X-Azure-Functions-InvocationId", id),
        ("User-Agent", "Azure-Functions-Host/4.1037.0.0"),
        ("Transfer-Encoding", "chunked"),
    ];
    headers.extend_from_slice(more);
    headers.push(("Content-Type", "application/json; charset=utf-8"));
    request(&format!("POST {path} HTTP/1.1"), &headers, &chunked(body, &[1024]))
}

pub fn request(line: &str, headers: &[(&str, &str)], framed_body: &[u8]) -> Vec<u8> {
    let mut request = format!("{line}\r\n");
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str("\r\n");
    [request.as_bytes(), framed_body].concat()
}

/// Cuts a body into chunks of these sizes, the last of which goes on to the end; with the closing empty chunk.
pub fn chunked(mut body: &[u8], sizes: &[usize]) -> Vec<u8> {
    let mut framed = Vec::new();
    let mut sizes = sizes.iter().chain(std::iter::repeat(&sizes[sizes.len() - 1]));
    while !body.is_empty() {
        let (chunk, rest) = body.split_at((*sizes.next().expect("endless")).min(body.len()));
        framed.extend_from_slice(format!("{:X}\r\n", chunk.len()).as_bytes());
        framed.extend_from_slice(chunk);
        framed.extend_from_slice(b"\r\n");
        body = rest;
    }
    framed.extend_from_slice(b"0\r\n\r\n");
    framed
}
