//! The response that an HTTP function's client gets, from the value of its `http` output.

use super::outputs::Value;
use crate::newtonsoft::{Token, compact};

/// A response to a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpOutput {
    /// Status, 100 to 999.
    pub status: u16,
    /// Headers as the handler gave them; `Content-Type` is added when a body has none.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl HttpOutput {
    /// Reads the value of an `http` output.
    ///
    /// An output named `$return` may be anything: a value that is no response object is the body of one.
    ///
    /// # Errors
    /// A named output that is no object: the host throws.
    pub fn of(name: &str, value: Value) -> Result<Self, String> {
        let token = match value {
            Value::Plain(token) | Value::Spread(token) => token,
            Value::Bytes(bytes) if name == "$return" => {
                let mut output = Self { status: 200, headers: Vec::new(), body: bytes };
                output.default_type("application/octet-stream");
                return Ok(output);
            }
            Value::Bytes(_) => Token::from(""),
        };
        match token {
            Token::Object(members)
                if name != "$return" || members.keys().any(|key| is_response_member(key)) =>
            {
                Ok(Self::from_members(&members))
            }
            other if name == "$return" => {
                let mut output = Self { status: 200, headers: Vec::new(), body: Vec::new() };
                output.set_body(&other);
                Ok(output)
            }
            other => Err(format!(
                "the value of the http output {name:?} must be an object like {{\"statusCode\":200,\"headers\":{{}},\"body\":\"\"}}, not {}",
                other.noun()
            )),
        }
    }

    fn from_members(members: &crate::newtonsoft::Members) -> Self {
        let find = |name: &str| {
            let exact = members.get(name);
            let any_case =
                || members.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value);
            exact.or_else(any_case).filter(|value| **value != Token::Null)
        };
        let status =
            find("statusCode").or_else(|| find("status")).and_then(|value| value.to_net_text().parse().ok());
        let mut output = Self {
            status: status.filter(|status| (100..1000).contains(status)).unwrap_or(200),
            headers: Vec::new(),
            body: Vec::new(),
        };
        if let Some(Token::Object(headers)) = find("headers") {
            for (name, value) in headers {
                match value {
                    Token::Array(values) => {
                        output.headers.extend(values.iter().map(|value| (name.clone(), value.to_net_text())));
                    }
                    value => output.headers.push((name.clone(), value.to_net_text())),
                }
            }
        }
        if let Some(body) = find("body") {
            output.set_body(body);
        }
        output
    }

    fn set_body(&mut self, body: &Token) {
        let (text, kind) = match body {
            Token::Null => return,
            Token::Text(_) | Token::Date(_) => (body.to_net_text(), "text/plain; charset=utf-8"),
            _ => (compact(body), "application/json; charset=utf-8"),
        };
        self.body = text.into_bytes();
        self.default_type(kind);
    }

    fn default_type(&mut self, kind: &str) {
        if !self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
            self.headers.push(("Content-Type".to_owned(), kind.to_owned()));
        }
    }
}

fn is_response_member(name: &str) -> bool {
    ["statusCode", "status", "headers", "body"].iter().any(|known| known.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::super::super::newtonsoft::parse;
    use super::super::super::zone::Zone;
    use super::*;

    fn output(name: &str, text: &str) -> Result<(u16, String, String), String> {
        let output = HttpOutput::of(name, Value::Plain(parse(text, &Zone::Utc).unwrap()))?;
        let headers =
            output.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>();
        Ok((output.status, headers.join("\n"), String::from_utf8(output.body).unwrap()))
    }

    #[test]
    fn a_named_output_is_a_response_object() {
        let full = r#"{"StatusCode":"404","headers":{"X-A":1,"content-type":"text/html"},"body":"<p>"}"#;
        assert_eq!(
            output("res", full).unwrap(),
            (404, "X-A: 1\ncontent-type: text/html".to_owned(), "<p>".to_owned())
        );
        assert_eq!(output("res", "{}").unwrap(), (200, String::new(), String::new()));
        let json = output("res", r#"{"status":201,"body":{"a":[1]}}"#).unwrap();
        assert_eq!(
            json,
            (201, "Content-Type: application/json; charset=utf-8".to_owned(), r#"{"a":[1]}"#.to_owned())
        );
        let base64 = output("res", r#"{"body":"done"}"#).unwrap();
        assert_eq!(base64.2, "done");
        for text in ["5", "\"text\"", "[]", "null"] {
            assert!(output("res", text).unwrap_err().contains("statusCode"), "{text}");
        }
    }

    #[test]
    fn a_return_value_may_be_the_body_itself() {
        assert_eq!(output("$return", "\"hello!\"").unwrap().2, "hello!");
        assert_eq!(output("$return", r#"{"a":1}"#).unwrap().2, r#"{"a":1}"#);
        assert_eq!(output("$return", r#"{"statusCode":204}"#).unwrap().0, 204);
    }
}
