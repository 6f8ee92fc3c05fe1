//! A successful answer.
//!
//! The host understands exactly one form of success: status 200 with `application/json` and a JSON object. An empty
//! body, `null`, 202 or 204 make it wait until its function timeout; a redirect is followed; another media type fails
//! the invocation. None of these can be built here.

use bytes::Bytes;
use http::HeaderName;
use serde_json::{Map, Value, json};

use crate::definition::{Definition, OutputKind};
use crate::http_reply::HttpReply;
use crate::output::Output;
use crate::sent::WhenSent;

/// What a function answers when it is done.
#[derive(Debug, Clone, Default)]
#[must_use = "a reply does nothing until the function returns it"]
pub struct Reply {
    outputs: Vec<(String, Produced)>,
    logs: Vec<String>,
    when_sent: Option<WhenSent>,
}

#[derive(Debug, Clone, PartialEq)]
enum Produced {
    Output(Output),
    Http(HttpReply),
}

impl Reply {
    /// Success without outputs. For a message trigger this completes every message of the batch.
    pub fn success() -> Self {
        Self::default()
    }

    /// Adds a line that the host logs at level Information, beside the invocation. Never put a secret in it.
    pub fn log(mut self, line: impl Into<String>) -> Self {
        self.logs.push(line.into());
        self
    }

    /// Sets the value of an output binding other than `http`, replacing an earlier one of that name.
    ///
    /// The name must be one of the function's [`Definition::outputs`], in that spelling: the host would drop another
    /// without a word, so the router makes it a failed invocation.
    pub fn output(self, name: impl Into<String>, output: Output) -> Self {
        self.set(name.into(), Produced::Output(output))
    }

    /// Sets the response of an HTTP function; `name` is the `response` of its trigger.
    pub fn http(self, name: impl Into<String>, response: HttpReply) -> Self {
        self.set(name.into(), Produced::Http(response))
    }

    /// Runs this once the server has handed the answer to the host's connection. It does not run when the process dies,
    /// the deadline passes, an output is undeclared, or the host has hung up before. It runs within the runtime and
    /// must not block.
    ///
    /// The host does not tell the handler what it then does with the outputs.
    pub fn when_sent(mut self, then: impl FnOnce() + Send + 'static) -> Self {
        self.when_sent = Some(WhenSent::new(then));
        self
    }

    pub(crate) fn sent(&self) -> Option<WhenSent> {
        self.when_sent.clone()
    }

    /// Sets these headers of the HTTP response, where it has none of the name.
    pub(crate) fn with_headers(mut self, headers: &[(HeaderName, &'static str)]) -> Self {
        for (_, produced) in &mut self.outputs {
            if let Produced::Http(response) = produced {
                let complete = |response: HttpReply, (name, value): &(HeaderName, &'static str)| {
                    response.default_header(name, value)
                };
                *response = headers.iter().fold(response.clone(), complete);
            }
        }
        self
    }

    fn set(mut self, name: String, produced: Produced) -> Self {
        self.outputs.retain(|(known, _)| *known != name);
        self.outputs.push((name, produced));
        self
    }

    /// The body of the answer as the host gets it.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let outputs: Map<String, Value> = self
            .outputs
            .iter()
            .map(|(name, produced)| match produced {
                Produced::Output(output) => (name.clone(), output.value().clone()),
                Produced::Http(response) => (name.clone(), response.value()),
            })
            .collect();
        // The return value stays null: an object there would override outputs of the same name.
        json!({ "Outputs": outputs, "Logs": self.logs, "ReturnValue": null })
    }

    pub(crate) fn to_bytes(&self) -> Bytes {
        Bytes::from(self.to_json().to_string())
    }

    /// The first output that the definition does not have, or has of another kind.
    pub(crate) fn undeclared(&self, definition: &Definition) -> Option<&str> {
        let declared = |name: &str, produced: &Produced| {
            definition.all_outputs().any(|(known, kind)| {
                known == name && (kind == OutputKind::Http) == matches!(produced, Produced::Http(_))
            })
        };
        let undeclared = self.outputs.iter().find(|(name, produced)| !declared(name, produced));
        undeclared.map(|(name, _)| name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_success_is_the_one_that_the_host_understands() {
        assert_eq!(&Reply::success().to_bytes()[..], br#"{"Outputs":{},"Logs":[],"ReturnValue":null}"#);
    }

    #[test]
    fn a_name_set_twice_keeps_the_later_value() {
        let reply = Reply::success()
            .output("out", Output::list(["first"]).unwrap())
            .output("out", Output::list(["second"]).unwrap())
            .log("done");
        assert_eq!(
            reply.to_json(),
            json!({"Outputs": {"out": ["second"]}, "Logs": ["done"], "ReturnValue": null})
        );
    }
}
