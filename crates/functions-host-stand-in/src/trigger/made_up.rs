//! Made-up items for functions that are fired by hand: a text becomes the body of a message or event.

use serde_json::Map;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::newtonsoft::{self, Members, Token};
use crate::zone::Zone;
use trigger_sources::{HubEvent, LockedMessage};

/// A Service Bus message that was just sent and is delivered for the first time.
#[must_use]
pub fn message(body: &str, now: OffsetDateTime, session: bool) -> LockedMessage {
    LockedMessage {
        body: body.as_bytes().to_vec(),
        message_id: Uuid::new_v4().simple().to_string(),
        lock_token: Uuid::new_v4().to_string(),
        delivery_count: 1,
        sequence_number: 1,
        enqueued_time: now,
        expires_at: now + Duration::days(14),
        content_type: Some("application/json".to_owned()),
        correlation_id: None,
        subject: None,
        session_id: session.then(|| "session-1".to_owned()),
        partition_key: None,
        application_properties: Map::new(),
    }
}

/// The first event of a partition.
#[must_use]
pub fn hub_event(body: &str, now: OffsetDateTime) -> HubEvent {
    HubEvent {
        body: body.to_owned(),
        enqueued_time: now,
        sequence_number: 0,
        offset: 0,
        properties: Map::new(),
    }
}

/// The Event Grid events that `input` holds; without an input, one that says that it was made up.
///
/// # Errors
/// An input that is neither an event nor an array of events.
pub fn grid_events(input: Option<&str>, now: OffsetDateTime, zone: &Zone) -> Result<Vec<Members>, String> {
    let Some(text) = input else {
        let time = newtonsoft::NetDate::new(now, newtonsoft::Kind::Utc);
        return Ok(vec![Members::from([
            ("id".to_owned(), Token::Text(Uuid::new_v4().to_string())),
            ("topic".to_owned(), Token::from("/made-up")),
            ("subject".to_owned(), Token::from("fired-by-hand")),
            ("eventType".to_owned(), Token::from("Made.Up")),
            ("data".to_owned(), Token::Object(Members::new())),
            ("dataVersion".to_owned(), Token::from("1.0")),
            ("metadataVersion".to_owned(), Token::from("1")),
            ("eventTime".to_owned(), Token::Date(time)),
        ])]);
    };
    let body = newtonsoft::parse(text, zone).map_err(|error| format!("the input is not JSON: {error}"))?;
    super::event_grid::events(body)
}
