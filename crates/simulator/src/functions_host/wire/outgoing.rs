//! Writing requests byte for byte as the real host does.

/// Size of the host's chunks, bytes (`functions-host-protocol.md` §1.1).
const CHUNK: usize = 1024;

/// A request to a handler.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// Method.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Header fields in their order; framing is not added to them.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Body,
}

/// A body and its framing.
#[derive(Debug, Clone)]
pub enum Body {
    /// None at all.
    None,
    /// In chunks, as the host sends envelopes.
    Chunked(Vec<u8>),
    /// As it is, as the host forwards a client's body.
    Plain(Vec<u8>),
}

impl Outgoing {
    /// The bytes on the wire.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = format!("{} {} HTTP/1.1\r\n", self.method, self.target).into_bytes();
        for (name, value) in &self.headers {
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b": ");
            // A line end within a value would start another field.
            out.extend(value.bytes().filter(|byte| !matches!(byte, b'\r' | b'\n')));
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(b"\r\n");
        match &self.body {
            Body::None => {}
            Body::Plain(body) => out.extend_from_slice(body),
            Body::Chunked(body) => {
                for chunk in body.chunks(CHUNK) {
                    out.extend_from_slice(format!("{:X}\r\n", chunk.len()).as_bytes());
                    out.extend_from_slice(chunk);
                    out.extend_from_slice(b"\r\n");
                }
                out.extend_from_slice(b"0\r\n\r\n");
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_hold_1024_bytes_and_a_rest() {
        let request = Outgoing {
            method: "POST".to_owned(),
            target: "/job".to_owned(),
            headers: vec![("Host".to_owned(), "h\r\nX: y".to_owned())],
            body: Body::Chunked(vec![b'a'; 1500]),
        };
        let text = String::from_utf8(request.to_bytes()).unwrap();
        let (a, b) = ("a".repeat(1024), "a".repeat(476));
        assert_eq!(
            text,
            format!("POST /job HTTP/1.1\r\nHost: hX: y\r\n\r\n400\r\n{a}\r\n1DC\r\n{b}\r\n0\r\n\r\n")
        );
    }
}
