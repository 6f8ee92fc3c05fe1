//! `/admin`: fires functions by hand, and shows them.

use std::sync::Arc;

use serde_json::{Value, json};

use super::Reply;
use crate::engine::Engine;
use crate::error::FireError;
use crate::newtonsoft;
use crate::trigger::http::HttpRequest;

/// Answers a request below `/admin/`.
pub async fn answer(engine: &Arc<Engine>, path: &str, request: &HttpRequest) -> Reply {
    let path = path.trim_end_matches('/');
    let (first, name) = path.split_once('/').unwrap_or((path, ""));
    match (request.method.as_str(), first.to_ascii_lowercase().as_str(), name) {
        ("POST", "functions", name) if !name.is_empty() => fire(engine, name, &request.body),
        ("GET", "functions", "") => {
            let names = engine.functions.iter().map(|function| json!({"name": function.name}));
            Reply::json(200, &names.collect())
        }
        ("GET" | "POST", "host", "ping") => {
            if checks_health(request) {
                engine.invoker.handler.ping().await;
            }
            Reply::empty(200)
        }
        ("GET", "host", "status") => Reply::json(200, &json!({"state": "Running"})),
        _ => Reply::empty(404),
    }
}

/// Whether a ping asks for the health of the instance, so that the host pings the handler too: the ping of a scale
/// controller does, unless `checkHealth` says otherwise (`functions-host-protocol.md` §3.5).
fn checks_health(request: &HttpRequest) -> bool {
    let query = request.query();
    let asked = query.iter().find(|(name, _)| name.eq_ignore_ascii_case("checkHealth"));
    match asked.and_then(|(_, values)| values.last()) {
        Some(value) => value == "1",
        None => {
            let agent = request.header("user-agent").unwrap_or_default().to_ascii_lowercase();
            agent.contains("httpscalemanager") || agent.contains("elasticscalecontroller")
        }
    }
}

/// Starts an invocation and answers before it ends.
fn fire(engine: &Arc<Engine>, name: &str, body: &[u8]) -> Reply {
    let input = match input(body) {
        Ok(input) => input,
        Err(problem) => return Reply::json(400, &json!({"error": problem})),
    };
    match engine.prepare(name, input.as_deref()) {
        Ok((function, work)) => {
            let running = engine.clone();
            engine.spawn(async move {
                running.invoker.run(&function, work).await;
            });
            Reply::empty(202)
        }
        Err(error @ FireError::Unknown(_)) => Reply::json(404, &json!({"error": error.to_string()})),
        Err(error) => Reply::json(400, &json!({"error": error.to_string()})),
    }
}

/// The member `input` as text: a string as it is, anything else as JSON.
fn input(body: &[u8]) -> Result<Option<String>, String> {
    let wanted = "the body must be a JSON object like {\"input\":\"...\"}";
    let text = std::str::from_utf8(body).map_err(|_| format!("{wanted}; it is not UTF-8"))?;
    if text.trim().is_empty() {
        return Ok(None);
    }
    let value = newtonsoft::parse_settings(text).map_err(|error| format!("{wanted}: {error}"))?;
    let Value::Object(members) = value else { return Err(wanted.to_owned()) };
    let input =
        members.into_iter().find(|(name, _)| name.eq_ignore_ascii_case("input")).map(|(_, value)| value);
    Ok(match input {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text),
        Some(other) => Some(other.to_string()),
    })
}
