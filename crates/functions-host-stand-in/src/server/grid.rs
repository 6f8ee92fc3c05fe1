//! The webhook that Event Grid posts to (`functions-host-protocol.md` §1.5). The handler sees none of its handshakes.

use std::sync::Arc;

use serde_json::json;

use super::Reply;
use crate::app::Trigger;
use crate::engine::Engine;
use crate::events::LogLevel;
use crate::newtonsoft::{self, Token};
use crate::trigger::http::HttpRequest;

/// Answers a request to the webhook.
pub async fn answer(engine: &Arc<Engine>, request: &HttpRequest) -> Reply {
    let query = request.query();
    let name = query.iter().find(|(name, _)| name.eq_ignore_ascii_case("functionName"));
    let name = name.and_then(|(_, values)| values.last()).map(String::as_str).unwrap_or_default();
    let function = match engine.find(name) {
        Ok(function) if matches!(function.trigger, Trigger::EventGrid) => function,
        _ => return Reply::text(404, format!("cannot find function: '{name}'")),
    };
    if request.method == "OPTIONS" {
        let origin = request.header("webhook-request-origin").unwrap_or("*").to_owned();
        return Reply { headers: vec![("Webhook-Allowed-Origin".to_owned(), origin)], ..Reply::empty(200) };
    }
    let kind = request.header("aeg-event-type").unwrap_or_default().to_ascii_lowercase();
    if kind == "unsubscribe" {
        return Reply::empty(202);
    }
    if request.method != "POST" || !["notification", "subscriptionvalidation"].contains(&kind.as_str()) {
        return Reply::text(
            400,
            "the header aeg-event-type must be Notification, SubscriptionValidation or Unsubscribe",
        );
    }
    let text = String::from_utf8_lossy(&request.body);
    let body = match newtonsoft::parse(&text, engine.zone()) {
        Ok(body) => body,
        Err(error) => {
            engine
                .events()
                .log(LogLevel::Error, format!("Event Grid posted what is not JSON to {name}: {error}"));
            return Reply::empty(500);
        }
    };
    if kind == "subscriptionvalidation" {
        return match validation_code(&body, engine) {
            Some(code) => Reply::json(200, &json!({"validationResponse": code})),
            None => Reply::text(400, "no validationCode in the data of the event"),
        };
    }
    match engine.deliver(function, body).await {
        Ok(true) => Reply::empty(202),
        Ok(false) => Reply::empty(500),
        Err(problem) => Reply::text(400, problem),
    }
}

/// The code in the data of the first event; the data of a single event is JSON in a string.
fn validation_code(body: &Token, engine: &Engine) -> Option<String> {
    let event = match body {
        Token::Array(events) => events.first()?,
        single => single,
    };
    let Token::Object(event) = event else { return None };
    let data = match event.get("data")? {
        Token::Text(text) => newtonsoft::parse(text, engine.zone()).ok()?,
        data => data.clone(),
    };
    match data {
        Token::Object(members) => members.get("validationCode").map(Token::to_net_text),
        _ => None,
    }
}
