//! Reads requests and responses with any framing.

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt};

use super::headers::Headers;
use super::{MOST_BODY, WireError};

/// Longest head that is read, bytes.
const MOST_HEAD: usize = 64 * 1024;
/// Most interim (1xx) answers before the real one.
const MOST_INTERIM: usize = 32;

/// A whole response.
#[derive(Debug, Clone)]
pub struct Response {
    /// Status.
    pub status: u16,
    /// Reason phrase; empty when there is none.
    pub reason: String,
    /// Header fields.
    pub headers: Headers,
    /// The body without its framing.
    pub body: Vec<u8>,
    /// Whether another request may follow on the connection.
    pub reusable: bool,
}

/// The head of a request.
#[derive(Debug, Clone)]
pub struct RequestHead {
    /// Method, as sent.
    pub method: String,
    /// Path and query, as sent.
    pub target: String,
    /// Header fields.
    pub headers: Headers,
    /// Whether another request may follow on the connection.
    pub keep_alive: bool,
}

/// The reading side of a connection.
pub struct Incoming<'a, R> {
    source: R,
    buffer: &'a mut BytesMut,
}

impl<'a, R: AsyncRead + Unpin> Incoming<'a, R> {
    /// Reads from `source`, after what `buffer` still holds.
    pub fn new(source: R, buffer: &'a mut BytesMut) -> Self {
        Self { source, buffer }
    }

    /// Reads a response. `bodiless`: the request was such that no body can follow.
    ///
    /// # Errors
    /// See [`WireError`].
    pub async fn response(&mut self, bodiless: bool) -> Result<Response, WireError> {
        for _ in 0..=MOST_INTERIM {
            let (line, headers) = self.head().await?.ok_or(WireError::Closed)?;
            let (version, status, reason) = parse_status_line(&line)?;
            if (100..200).contains(&status) && status != 101 {
                continue;
            }
            let no_body = bodiless || matches!(status, 101 | 204 | 304);
            let length = headers.content_length().map_err(WireError::Malformed)?;
            let mut until_close = false;
            let body = if no_body {
                Vec::new()
            } else if headers.is_chunked() {
                self.chunks().await?
            } else if let Some(length) = length {
                self.exactly(length).await?
            } else {
                until_close = true;
                self.until_closed().await?
            };
            let persistent = if version == 0 {
                headers.has_token("connection", "keep-alive")
            } else {
                !headers.has_token("connection", "close")
            };
            let reusable = persistent && !until_close && status != 101;
            return Ok(Response { status, reason, headers, body, reusable });
        }
        Err(WireError::Malformed(format!("more than {MOST_INTERIM} interim answers")))
    }

    /// Reads the head of a request; `None` when the client closed the connection instead.
    ///
    /// # Errors
    /// See [`WireError`].
    pub async fn request_head(&mut self) -> Result<Option<RequestHead>, WireError> {
        let Some((line, headers)) = self.head().await? else { return Ok(None) };
        let mut words = line.split(' ');
        let (Some(method), Some(target), Some(version), None) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return Err(WireError::Malformed(format!("the request line {line:?}")));
        };
        let keep_alive = match version {
            "HTTP/1.1" => !headers.has_token("connection", "close"),
            "HTTP/1.0" => headers.has_token("connection", "keep-alive"),
            _ => return Err(WireError::Malformed(format!("the version {version:?}"))),
        };
        Ok(Some(RequestHead { method: method.to_owned(), target: target.to_owned(), headers, keep_alive }))
    }

    /// Reads the body that `headers` announce; a request without an announcement has none.
    ///
    /// # Errors
    /// See [`WireError`].
    pub async fn request_body(&mut self, headers: &Headers) -> Result<Vec<u8>, WireError> {
        if headers.is_chunked() {
            return self.chunks().await;
        }
        let length = headers.content_length().map_err(WireError::Malformed)?;
        self.exactly(length.unwrap_or(0)).await
    }

    /// The first line and the fields; `None` when the connection was closed before the first byte.
    async fn head(&mut self) -> Result<Option<(String, Headers)>, WireError> {
        let mut left = MOST_HEAD;
        let Some(first) = self.line(&mut left, "the head").await? else { return Ok(None) };
        let mut headers = Headers::default();
        loop {
            let line = self.line(&mut left, "the head").await?.ok_or(WireError::Ended("the head"))?;
            if line.is_empty() {
                return Ok(Some((first, headers)));
            }
            headers.add_line(&line).map_err(WireError::Malformed)?;
        }
    }

    /// A line without its end; `None` at the end of the stream. `left` bounds what may still be read.
    async fn line(&mut self, left: &mut usize, what: &'static str) -> Result<Option<String>, WireError> {
        let mut searched = 0;
        let end = loop {
            if let Some(found) = self.buffer[searched..].iter().position(|byte| *byte == b'\n') {
                break searched + found;
            }
            searched = self.buffer.len();
            if searched > *left {
                return Err(WireError::TooLong(what, MOST_HEAD as u64));
            }
            if self.source.read_buf(self.buffer).await? == 0 {
                return if searched == 0 { Ok(None) } else { Err(WireError::Ended(what)) };
            }
        };
        let line = self.buffer.split_to(end + 1);
        *left = left.checked_sub(line.len()).ok_or(WireError::TooLong(what, MOST_HEAD as u64))?;
        let line = line.strip_suffix(b"\r\n").unwrap_or(&line[..end]);
        // Field values are Latin-1 by the old rule and UTF-8 by common use.
        Ok(Some(match std::str::from_utf8(line) {
            Ok(text) => text.to_owned(),
            Err(_) => line.iter().map(|byte| char::from(*byte)).collect(),
        }))
    }

    async fn exactly(&mut self, length: u64) -> Result<Vec<u8>, WireError> {
        let too_long = || WireError::TooLong("the body", MOST_BODY);
        let length = usize::try_from(length).map_err(|_| too_long())?;
        if length as u64 > MOST_BODY {
            return Err(too_long());
        }
        while self.buffer.len() < length {
            if self.source.read_buf(self.buffer).await? == 0 {
                return Err(WireError::Ended("the body"));
            }
        }
        Ok(self.buffer.split_to(length).to_vec())
    }

    async fn until_closed(&mut self) -> Result<Vec<u8>, WireError> {
        while self.source.read_buf(self.buffer).await? > 0 {
            if self.buffer.len() as u64 > MOST_BODY {
                return Err(WireError::TooLong("the body", MOST_BODY));
            }
        }
        let body = self.buffer.to_vec();
        self.buffer.advance(body.len());
        Ok(body)
    }

    async fn chunks(&mut self) -> Result<Vec<u8>, WireError> {
        let mut body = Vec::new();
        loop {
            let line = self.line(&mut 4096, "a chunk's size").await?.ok_or(WireError::Ended("the body"))?;
            let size = line.split(';').next().unwrap_or_default().trim();
            let size = u64::from_str_radix(size, 16)
                .map_err(|_| WireError::Malformed(format!("{line:?} is no chunk size")))?;
            if size == 0 {
                break;
            }
            if size.saturating_add(body.len() as u64) > MOST_BODY {
                return Err(WireError::TooLong("the body", MOST_BODY));
            }
            body.extend(self.exactly(size).await?);
            if self.line(&mut 2, "a chunk").await?.as_deref() != Some("") {
                return Err(WireError::Malformed("a chunk is longer than its size says".to_owned()));
            }
        }
        let mut left = MOST_HEAD;
        while !self.line(&mut left, "the trailer").await?.ok_or(WireError::Ended("the trailer"))?.is_empty() {
        }
        Ok(body)
    }
}

/// `HTTP/1.1 200 OK`: the minor version, the status and the reason phrase.
fn parse_status_line(line: &str) -> Result<(u8, u16, String), WireError> {
    let shown = || {
        let start: String = line.chars().take(60).collect();
        WireError::Malformed(format!("the first line is {start:?}"))
    };
    let rest = line.strip_prefix("HTTP/1.").ok_or_else(shown)?;
    let (minor, rest) = rest.split_at_checked(1).ok_or_else(shown)?;
    let rest = rest.strip_prefix(' ').ok_or_else(shown)?;
    let (status, reason) = rest.split_at_checked(3).ok_or_else(shown)?;
    if !status.bytes().all(|byte| byte.is_ascii_digit()) || !(reason.is_empty() || reason.starts_with(' ')) {
        return Err(shown());
    }
    let minor = minor.parse().map_err(|_| shown())?;
    Ok((minor, status.parse().map_err(|_| shown())?, reason.trim_start().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    async fn read(text: &[u8]) -> Result<Response, WireError> {
        Incoming::new(text, &mut BytesMut::new()).response(false).await
    }

    #[tokio::test]
    async fn every_framing_is_read() {
        for (text, body, reusable) in [
            ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}rest", "{}", true),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;x=y\r\n{\r\n01\r\n}\r\n0\r\nA: b\r\n\r\n",
                "{}",
                true,
            ),
            ("HTTP/1.1 200 OK\r\n\r\n{}", "{}", false),
            ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200\r\ncontent-length:2\r\n\r\n{}", "{}", true),
            ("HTTP/1.0 200 OK\nContent-Length: 2\n\n{}", "{}", false),
            ("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\n{}", "{}", true),
            ("HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 2\r\n\r\n{}", "{}", false),
            ("HTTP/1.1 204 No Content\r\n\r\nxx", "", true),
            ("HTTP/1.1 304 X\r\nContent-Length: 9\r\n\r\n", "", true),
        ] {
            let response = read(text.as_bytes()).await.unwrap();
            assert_eq!(
                (response.body.as_slice(), response.reusable),
                (body.as_bytes(), reusable),
                "{text:?}"
            );
        }
    }

    #[tokio::test]
    async fn what_is_cut_or_no_http_fails() {
        for text in [
            "",
            "garbage\r\n\r\n",
            "HTTP/2 200 OK\r\n\r\n",
            "HTTP/1.1 2x0 OK\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}",
            "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n{}",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{}\r\n0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Le",
        ] {
            assert!(read(text.as_bytes()).await.is_err(), "{text:?}");
        }
        let endless = "HTTP/1.1 200 OK\r\nA: ".to_owned() + &"a".repeat(100_000);
        assert!(matches!(read(endless.as_bytes()).await, Err(WireError::TooLong(..))));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(start in prop_oneof![Just(""), Just("HTTP/1.1 200 \r\n"), Just("HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n")], bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let text = [start.as_bytes(), &bytes].concat();
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let _ = runtime.block_on(read(&text));
        }
    }
}
