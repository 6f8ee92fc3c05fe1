//! A call as the Functions host makes it: one connection that is kept, and a body in chunks of 1,024 bytes without a length
//! (`functions-host-protocol.md` §1.1). Blocking and bare, so that as little as possible is measured beside the handler.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

use serde_json::Value;

const CHUNK: usize = 1024;
/// A handler that is slower than this hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a handler answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body, where it is what the host takes for success.
    ///
    /// # Errors
    /// What it is instead.
    pub fn envelope(&self) -> Result<Value, String> {
        let envelope = serde_json::from_slice::<Value>(&self.body).ok().filter(Value::is_object);
        match (self.status, envelope) {
            (200, Some(envelope)) => Ok(envelope),
            (status, _) => Err(format!("it answered {status}: {}", String::from_utf8_lossy(&self.body))),
        }
    }
}

/// The bytes of an invocation.
pub fn invocation(port: u16, function: &str, envelope: &str) -> Vec<u8> {
    let mut bytes = format!(
        "POST /{function} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nX-Azure-Functions-HostVersion: 4.1037.0.0\r\n\
         X-Azure-Functions-InvocationId: 766b621c-5191-463a-891f-d57851980db5\r\n\
         User-Agent: Azure-Functions-Host/4.1037.0.0\r\nTransfer-Encoding: chunked\r\n\
         Content-Type: application/json; charset=utf-8\r\n\r\n"
    )
    .into_bytes();
    for chunk in envelope.as_bytes().chunks(CHUNK) {
        bytes.extend(format!("{:x}\r\n", chunk.len()).bytes());
        bytes.extend(chunk);
        bytes.extend(b"\r\n");
    }
    bytes.extend(b"0\r\n\r\n");
    bytes
}

/// The bytes by which the host asks whether a handler is there.
pub fn poll(port: u16) -> Vec<u8> {
    format!("GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n").into_bytes()
}

/// A connection to a handler.
pub struct Connection {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// When no process listens.
    pub fn open(port: u16) -> io::Result<Self> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self { stream, read: Vec::new() })
    }

    /// Sends a request and reads the whole answer.
    ///
    /// # Errors
    /// When the connection breaks, or the answer is no HTTP with a length.
    pub fn call(&mut self, request: &[u8]) -> io::Result<Answer> {
        self.stream.write_all(request)?;
        self.read.clear();
        loop {
            if let Some(answer) = answer(&self.read)? {
                return Ok(answer);
            }
            let mut buffer = [0; 16 * 1024];
            match self.stream.read(&mut buffer)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                count => self.read.extend(&buffer[..count]),
            }
        }
    }
}

/// The answer, once all of it is there.
fn answer(bytes: &[u8]) -> io::Result<Option<Answer>> {
    let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { return Ok(None) };
    let wrong = || io::Error::new(io::ErrorKind::InvalidData, "the answer is no HTTP with a length");
    let head = str::from_utf8(&bytes[..end]).map_err(|_| wrong())?;
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).ok_or_else(wrong)?;
    let length: usize = lines
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, value)| value.trim().parse().ok())
        .ok_or_else(wrong)?;
    let body = &bytes[end + 4..];
    Ok((body.len() >= length).then(|| Answer { status, body: body[..length].to_vec() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invocation_is_framed_as_the_host_frames_it() {
        let text = String::from_utf8(invocation(7, "sync-policies", &"x".repeat(1500))).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("POST /sync-policies HTTP/1.1\r\nHost: 127.0.0.1:7\r\n"), "{head}");
        let (first, second) = ("x".repeat(1024), "x".repeat(476));
        assert_eq!(body, format!("400\r\n{first}\r\n1dc\r\n{second}\r\n0\r\n\r\n"));
    }

    #[test]
    fn an_answer_is_read_to_its_end_and_no_further() {
        let text = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
        for end in 0..text.len() {
            assert_eq!(answer(&text[..end]).unwrap(), None, "{end}");
        }
        let whole = answer(text).unwrap().unwrap();
        assert_eq!((whole.status, whole.envelope()), (200, Ok(serde_json::json!({}))));
        assert!(answer(b"HTTP/1.1 200 OK\r\n\r\n").is_err(), "an answer without a length is not measured");
        assert!(Answer { status: 500, body: b"{}".to_vec() }.envelope().is_err());
        assert!(Answer { status: 200, body: b"[]".to_vec() }.envelope().is_err());
    }
}
