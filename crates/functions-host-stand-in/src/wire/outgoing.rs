//! Writing requests byte for byte as the real host does.

/// Size of one of the host's chunks, in UTF-16 code units (`functions-host-protocol.md` §1.1).
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
                for chunk in chunks(body) {
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

/// Cuts a body as the host does.
///
/// .NET writes text through a buffer of 1024 UTF-16 code units and sends what one buffer becomes in UTF-8. So a chunk is
/// 1024 bytes long only while the text is ASCII (`sb.batch.string.plaintext` begins with one of 1027), and a character
/// of two units that straddles two buffers goes with the second.
fn chunks(body: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut units = 0;
    let mut current = 0;
    let mut start = 0;
    let mut cuts = Vec::with_capacity(body.len() / CHUNK + 1);
    for (index, byte) in body.iter().enumerate() {
        if byte & 0xC0 == 0x80 {
            continue;
        }
        units += if *byte >= 0xF0 { 2 } else { 1 };
        let chunk = (units - 1) / CHUNK;
        if chunk > current {
            cuts.push(start..index);
            start = index;
            current = chunk;
        }
    }
    cuts.push(start..body.len());
    cuts.into_iter().map(|range| &body[range]).filter(|chunk| !chunk.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_holds_1024_code_units_and_never_half_a_character() {
        let sizes = |text: &str| chunks(text.as_bytes()).map(<[u8]>::len).collect::<Vec<_>>();
        assert_eq!(sizes(""), [] as [usize; 0]);
        assert_eq!(sizes(&"a".repeat(2048)), [1024, 1024]);
        assert_eq!(sizes(&"é".repeat(1025)), [2048, 2]);
        assert_eq!(sizes(&"😀".repeat(513)), [2048, 4]);
        // The pair begins with the last unit of the first buffer: its second unit counts for the second one.
        assert_eq!(sizes(&format!("{}😀{}", "a".repeat(1023), "b".repeat(1024))), [1023, 1027, 1]);
    }

    proptest::proptest! {
        #[test]
        fn chunks_are_the_body(text in "[a-zé😀]{0,3000}") {
            let joined: Vec<u8> = chunks(text.as_bytes()).flatten().copied().collect();
            proptest::prop_assert_eq!(joined, text.as_bytes());
            proptest::prop_assert!(chunks(text.as_bytes()).all(|chunk| std::str::from_utf8(chunk).is_ok()));
        }
    }

    #[test]
    fn chunks_of_ascii_hold_1024_bytes_and_a_rest() {
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
