//! Reading `{"Outputs":{},"Logs":[],"ReturnValue":null}` as leniently as the host does.

use indexmap::IndexMap;

use crate::newtonsoft::{Options, ReadError, Reader, Token};
use crate::zone::Zone;

/// How deep an answer may nest (the default of ASP.NET's JSON formatter).
const DEPTH: usize = 256;

/// The result of a handler.
#[derive(Debug, Clone, PartialEq)]
pub struct HandlerResult {
    /// Values by binding name, as spelt by the handler.
    pub outputs: IndexMap<String, Token>,
    /// Log lines.
    pub logs: Vec<String>,
    /// The return value.
    pub return_value: Token,
}

/// Why an answer holds no result.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ResultError {
    /// It is not JSON.
    #[error("it is not JSON: {0}")]
    Syntax(#[from] ReadError),
    /// It is JSON of another shape.
    #[error("{what} must be {wanted}, not {given}")]
    Shape {
        /// The answer or one of its members.
        what: &'static str,
        /// The shape that the host takes there.
        wanted: &'static str,
        /// The shape that the handler gave.
        given: &'static str,
    },
    /// Its bytes are not text.
    #[error("its bytes are not {0}")]
    Encoding(&'static str),
}

/// Reads the body of an answer, up to the end of the first value. `None`: there is no value in it.
///
/// Names of members are compared without regard to case; a list that comes twice is appended; an empty string counts
/// as null where an object or list is wanted.
pub fn read(body: &[u8], content_type: &str, zone: &Zone) -> Result<Option<HandlerResult>, ResultError> {
    let text = decode(body, content_type)?;
    let mut reader = Reader::new(&text, Options { zone: Some(zone), depth: DEPTH });
    if reader.peek()? != Some('{') {
        return match reader.read_value()? {
            None => Ok(None),
            Some(value) if is_nothing(&value) => Ok(None),
            Some(value) => Err(shape("the answer", "an object", &value)),
        };
    }
    let mut result = HandlerResult { outputs: IndexMap::new(), logs: Vec::new(), return_value: Token::Null };
    reader.enter()?;
    let mut first = true;
    while let Some(name) = reader.next_member(first)? {
        first = false;
        match name.to_ascii_lowercase().as_str() {
            "outputs" => read_outputs(&mut reader, &mut result.outputs)?,
            "logs" => read_logs(&mut reader, &mut result.logs)?,
            "returnvalue" => result.return_value = reader.require_value()?,
            _ => {
                reader.require_value()?;
            }
        }
    }
    Ok(Some(result))
}

fn read_outputs(reader: &mut Reader<'_>, outputs: &mut IndexMap<String, Token>) -> Result<(), ResultError> {
    match reader.require_value()? {
        Token::Object(members) => outputs.extend(members),
        value if is_nothing(&value) => outputs.clear(),
        value => return Err(shape("Outputs", "an object", &value)),
    }
    Ok(())
}

fn read_logs(reader: &mut Reader<'_>, logs: &mut Vec<String>) -> Result<(), ResultError> {
    if reader.peek()? != Some('[') {
        let value = reader.require_value()?;
        if !is_nothing(&value) {
            return Err(shape("Logs", "an array of strings", &value));
        }
        logs.clear();
        return Ok(());
    }
    reader.enter()?;
    let mut first = true;
    while reader.next_element(first)? {
        first = false;
        if matches!(reader.peek()?, Some('{' | '[')) {
            let given = if reader.peek()? == Some('{') { "an object" } else { "an array" };
            return Err(ResultError::Shape { what: "an element of Logs", wanted: "a string", given });
        }
        logs.push(reader.read_as_string()?.unwrap_or_else(|| "[null]".to_owned()));
    }
    Ok(())
}

fn is_nothing(value: &Token) -> bool {
    matches!(value, Token::Null) || matches!(value, Token::Text(text) if text.is_empty())
}

fn shape(what: &'static str, wanted: &'static str, value: &Token) -> ResultError {
    ResultError::Shape { what, wanted, given: value.noun() }
}

/// A byte order mark decides, then the charset; a charset that .NET's formatter lacks counts as UTF-8.
fn decode(body: &[u8], content_type: &str) -> Result<String, ResultError> {
    let utf16 = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect();
        String::from_utf16(&units).map_err(|_| ResultError::Encoding("UTF-16"))
    };
    match body {
        [0xEF, 0xBB, 0xBF, rest @ ..] => utf8(rest),
        [0xFF, 0xFE, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => utf16(rest, u16::from_be_bytes),
        _ if charset(content_type).eq_ignore_ascii_case("utf-16") => utf16(body, u16::from_le_bytes),
        _ => utf8(body),
    }
}

fn utf8(bytes: &[u8]) -> Result<String, ResultError> {
    std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| ResultError::Encoding("UTF-8"))
}

fn charset(content_type: &str) -> &str {
    let parameters = content_type.split(';').skip(1).filter_map(|parameter| parameter.split_once('='));
    let charset = parameters.map(|(name, value)| (name.trim(), value.trim()));
    charset
        .into_iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("charset"))
        .map_or("", |(_, value)| value.trim_matches('"'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn logs(text: &str) -> Result<Option<Vec<String>>, String> {
        let result = read(text.as_bytes(), "application/json", &Zone::Utc);
        result.map(|result| result.map(|result| result.logs)).map_err(|error| error.to_string())
    }

    #[test]
    fn lists_given_twice_are_appended_in_any_case() {
        assert_eq!(logs(r#"{"Logs":["a"],"logs":["b"]}"#), Ok(Some(vec!["a".to_owned(), "b".to_owned()])));
    }

    #[test]
    fn log_lines_keep_the_spelling_of_scalars() {
        let expected = ["1", "2.50", "true", "[null]", "2026-11-23T05:21:41.250940Z", "0x1F"];
        let text = r#"{"Logs":[1,2.50,true,null,"2026-11-23T05:21:41.250940Z",0x1F]}"#;
        assert_eq!(logs(text), Ok(Some(expected.map(str::to_owned).to_vec())));
    }

    #[test]
    fn nothing_has_many_spellings() {
        for text in ["", " \n", "null", "\"\"", "undefined", "/* c */", "null null"] {
            assert_eq!(logs(text), Ok(None), "{text}");
        }
        for text in [r#"{"Logs":null}"#, r#"{"Logs":""}"#, r#"{"Outputs":""}"#, "{}"] {
            assert_eq!(logs(text), Ok(Some(Vec::new())), "{text}");
        }
    }

    #[test]
    fn other_shapes_are_told_in_words() {
        for (text, words) in [
            ("[]", "the answer must be an object, not an array"),
            ("true", "not a boolean"),
            (r#"{"Outputs":[]}"#, "Outputs must be an object, not an array"),
            (r#"{"Outputs":5}"#, "not a number"),
            (r#"{"Logs":{"a":1}}"#, "Logs must be an array of strings, not an object"),
            (r#"{"Logs":[["a"]]}"#, "an element of Logs must be a string, not an array"),
            ("OK", "not JSON"),
        ] {
            assert!(logs(text).unwrap_err().contains(words), "{text}");
        }
    }

    #[test]
    fn a_byte_order_mark_and_utf_16_are_understood() {
        let utf16: Vec<u8> = "{\"Logs\":[\"é\"]}".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let marked = [&[0xFF, 0xFE], utf16.as_slice()].concat();
        for (body, content_type) in
            [(&utf16, "application/json; charset=\"UTF-16\""), (&marked, "application/json")]
        {
            assert_eq!(read(body, content_type, &Zone::Utc).unwrap().unwrap().logs, ["é"]);
        }
        assert!(read(b"{\xff}", "application/json", &Zone::Utc).is_err());
    }

    proptest! {
        #[test]
        fn no_answer_panics(body in prop::collection::vec(any::<u8>(), 0..64), text in "\\{[\"a-zA-Z:,\\[\\]{}0-9 ]*") {
            let _ = read(&body, "application/json", &Zone::Utc);
            let _ = read(text.as_bytes(), "application/json", &Zone::Utc);
        }
    }
}
