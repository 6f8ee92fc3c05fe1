//! The queues as `GET /simulator/queues` shows them.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::Control;
use crate::answer::timestamp;
use crate::arm_error::ArmError;
use crate::service_bus::message::Message;

pub(super) async fn counts(State(control): State<Control>) -> Response {
    let mut counts = Map::new();
    for name in control.queues.names() {
        if let Some(queue) = control.queues.find(name) {
            counts.insert(name.clone(), json!(queue.counts()));
        }
    }
    Json(Value::Object(counts)).into_response()
}

pub(super) async fn messages(State(control): State<Control>, Path(queue): Path<String>) -> Response {
    match control.queues.find(&queue) {
        Some(found) => Json(found.peek(show)).into_response(),
        None => {
            let known = control.queues.names().join(", ");
            let message = format!("There is no queue '{queue}'; there are {known}.");
            ArmError::new(StatusCode::NOT_FOUND, "QueueNotFound", message).into_response()
        }
    }
}

fn show(kind: &'static str, message: &Message) -> Value {
    let mut shown = Map::new();
    let mut put = |name: &str, value: Value| {
        if !value.is_null() {
            shown.insert(name.into(), value);
        }
    };
    put("state", json!(kind));
    put("messageId", json!(message.message_id));
    put("sequenceNumber", json!(message.sequence_number));
    put("deliveryCount", json!(message.delivery_count));
    put("enqueuedTime", json!((kind != "scheduled").then(|| timestamp(message.enqueued_time))));
    put("scheduledFor", json!(message.content.scheduled_for.map(timestamp)));
    put("subject", json!(message.content.properties.label));
    put("contentType", json!(message.content.properties.content_type));
    put("applicationProperties", Value::Object(message.content.application_properties.clone()));
    match std::str::from_utf8(&message.content.body) {
        Ok(text) => put("body", json!(text)),
        Err(_) => put("bodyBase64", json!(STANDARD.encode(&message.content.body))),
    }
    Value::Object(shown)
}
