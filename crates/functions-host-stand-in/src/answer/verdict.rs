//! Judging an answer as the real host does (`functions-host-protocol.md` §2.2). Pure: no I/O, no clock.

use indexmap::IndexMap;

use super::credentials;
use super::failure::{Exception, Failure};
use super::http_output::HttpOutput;
use super::outputs::Value;
use super::reader::{self, HandlerResult};
use crate::app::Function;
use crate::newtonsoft::Token;
use crate::zone::Zone;

/// How much of a faulty answer an error shows, in characters.
const SHOWN: usize = 300;

/// The answer that redirects ended in.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    /// Status.
    pub status: u16,
    /// The reason phrase, as the handler spelt it.
    pub reason: String,
    /// `Content-Type`, if there was one.
    pub content_type: Option<String>,
    /// The body without its framing.
    pub body: Vec<u8>,
}

/// The host's verdict on an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// The invocation succeeded.
    Succeeded {
        /// The text of each message by output binding; bindings without a message are left out.
        outputs: IndexMap<String, Vec<String>>,
        /// Lines for the log, level Information.
        logs: Vec<String>,
        /// The handler's return value.
        return_value: Token,
        /// The value of the `http` output.
        response: Option<HttpOutput>,
    },
    /// The invocation failed.
    Failed(Failure),
    /// The host waits until its function timeout; nothing that the handler does now ends the wait.
    NeverCompletes {
        /// Why, and what to do about it.
        why: String,
    },
}

/// Judges an answer in default mode.
#[must_use]
pub fn judge(answer: &Answer, function: &Function, zone: &Zone) -> Verdict {
    if !(200..300).contains(&answer.status) {
        return Verdict::Failed(bad_status(answer));
    }
    if answer.body.is_empty() {
        return never(answer, "has no body");
    }
    let content_type = answer.content_type.as_deref().unwrap_or("application/octet-stream");
    let media_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if media_type != "application/json" && media_type != "text/json" {
        let given = match &answer.content_type {
            Some(_) => format!("its content type is {media_type:?}"),
            None => "it has no Content-Type".to_owned(),
        };
        return Verdict::Failed(unusable(
            answer,
            &format!("{given}, but only application/json and text/json are read"),
        ));
    }
    match reader::read(&answer.body, content_type, zone) {
        Ok(Some(result)) => outputs(answer, result, function, zone),
        Ok(None) => never(answer, "holds no value"),
        Err(error) => Verdict::Failed(unusable(answer, &error.to_string())),
    }
}

fn never(answer: &Answer, what: &str) -> Verdict {
    let why = format!(
        "the handler answered {}, but the answer {what}: the real host then waits until functionTimeout; answer 200 with the JSON object {{\"Outputs\":{{}},\"Logs\":[],\"ReturnValue\":null}}",
        answer.status
    );
    Verdict::NeverCompletes { why }
}

fn bad_status(answer: &Answer) -> Failure {
    let message = if answer.reason.is_empty() {
        format!("Response status code does not indicate success: {}.", answer.status)
    } else {
        format!("Response status code does not indicate success: {} ({}).", answer.status, answer.reason)
    };
    let words = match answer.status {
        300..=399 => format!("{message} The host follows redirects, but this one could not be followed"),
        404 => format!("{message} Does the handler know this function by the name of its folder?"),
        _ => format!(
            "{message} The host reads nothing else of such an answer: its body, Outputs and Logs are lost"
        ),
    };
    let words = credentials::hide(&words);
    Failure::new(words, Exception::Request { error: 0, status: Some(answer.status), message })
}

fn unusable(answer: &Answer, why: &str) -> Failure {
    let body = credentials::hide(&String::from_utf8_lossy(&answer.body));
    let shown: String = body.chars().take(SHOWN).collect();
    let more = if shown.len() < body.len() { "..." } else { "" };
    let words = format!(
        "the handler answered {}, but the answer cannot be used: {why}. It was: {shown}{more}",
        answer.status
    );
    let message = format!(
        "Invalid HttpResponseMessage:\nStatusCode: {}, ReasonPhrase: '{}', Version: 1.1, Headers:\n{{\n  Content-Type: {}\n}}\n {body}",
        answer.status,
        credentials::hide(&answer.reason),
        answer.content_type.as_deref().unwrap_or_default(),
    );
    Failure::new(words, Exception::Operation { message })
}

/// Binds values to outputs. It compares names of outputs with regard to case, and drops others without a word, as the
/// host does.
fn outputs(answer: &Answer, result: HandlerResult, function: &Function, zone: &Zone) -> Verdict {
    let HandlerResult { outputs: given, logs, return_value } = result;
    let mut values: IndexMap<&str, Value> = IndexMap::new();
    for (name, token) in given {
        if let Some(binding) = function.outputs().find(|binding| binding.name == name) {
            values.insert(&binding.name, Value::of(binding, token));
        }
    }
    match (function.outputs().find(|binding| binding.name == "$return"), &return_value) {
        (Some(binding), token) => {
            values.insert(&binding.name, Value::of(binding, token.clone()));
        }
        (None, Token::Object(members)) => {
            for (name, token) in members {
                if let Some(binding) = function.outputs().find(|binding| binding.name == *name) {
                    values.insert(&binding.name, Value::Spread(token.clone()));
                }
            }
        }
        (None, _) => {}
    }
    let mut messages = IndexMap::new();
    let mut response = None;
    for binding in function.outputs() {
        let Some(value) = values.swap_remove(binding.name.as_str()) else { continue };
        if binding.kind != "http" {
            let texts = value.into_messages(binding, zone);
            if !texts.is_empty() {
                messages.insert(binding.name.clone(), texts);
            }
        } else if value != Value::Plain(Token::Null) || binding.name != "$return" {
            match HttpOutput::of(&binding.name, value) {
                Ok(output) => response = Some(output),
                Err(words) => return Verdict::Failed(Failure { logs, ..unusable(answer, &words) }),
            }
        }
    }
    Verdict::Succeeded { outputs: messages, logs, return_value, response }
}
