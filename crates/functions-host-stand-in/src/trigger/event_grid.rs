//! Event Grid events, alone or as the whole of one POST (`functions-host-protocol.md` §1.5).

use crate::app::Function;
use crate::encoding::NetValue;
use crate::envelope::{Metadata, Payload};
use crate::newtonsoft::{Members, Token};

/// One event in an invocation.
#[must_use]
pub fn single(function: &Function, event: Members) -> Payload {
    let mut metadata = Metadata::default();
    if let Some(data) = event.get("data") {
        metadata.set("data", NetValue::from_token(data.clone()));
    }
    super::payload(function, NetValue::Object(event), metadata)
}

/// All events of a POST in one invocation.
#[must_use]
pub fn many(function: &Function, events: Vec<Members>) -> Payload {
    let data = events.iter().map(|event| event.get("data").cloned().unwrap_or(Token::Null)).collect();
    let mut metadata = Metadata::default();
    metadata.set("data", NetValue::Other(Token::Array(data)));
    let events = events.into_iter().map(Token::Object).collect();
    super::payload(function, NetValue::Other(Token::Array(events)), metadata)
}

/// The events of a POST: the elements of an array, or one object.
///
/// # Errors
/// Something that is neither, in words.
pub fn events(body: Token) -> Result<Vec<Members>, String> {
    let elements = match body {
        Token::Array(elements) => elements,
        single => vec![single],
    };
    let object = |element: Token| match element {
        Token::Object(members) => Ok(members),
        other => Err(format!("an event must be an object, not {}", other.noun())),
    };
    elements.into_iter().map(object).collect()
}
