//! Triggers whose services are not simulated. They can be fired by hand with a text.

use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::app::{Cardinality, Function};
use crate::encoding::NetValue;
use crate::envelope::{Metadata, Payload};
use crate::newtonsoft::{Kind, NetDate, Token};
use crate::zone::Zone;

/// An invocation with `input` as the trigger's value.
///
/// # Errors
/// An input that does not fit the binding's `dataType`.
pub fn text(function: &Function, input: &str, now: OffsetDateTime, zone: &Zone) -> Result<Payload, String> {
    let metadata =
        if function.trigger_kind() == "queueTrigger" { queue_message(now) } else { Metadata::default() };
    if function.cardinality() == Cardinality::Many {
        let value = super::batch(function, std::iter::once(input.as_bytes()), zone)?;
        return Ok(super::payload(function, value, metadata));
    }
    let (value, shadowing_text) = super::single(function, input.as_bytes())?;
    Ok(Payload { shadowing_text, ..super::payload(function, value, metadata) })
}

/// The host's metadata about a message of a storage queue.
fn queue_message(now: OffsetDateTime) -> Metadata {
    let date = |instant| NetValue::Date(NetDate::new(instant, Kind::Offset(0)));
    let mut metadata = Metadata::default();
    metadata.set("DequeueCount", NetValue::Other(Token::from(1)));
    metadata.set("ExpirationTime", date(now + Duration::days(7)));
    metadata.set("Id", NetValue::text(Uuid::new_v4().to_string()));
    metadata.set("InsertionTime", date(now));
    metadata.set("NextVisibleTime", date(now + Duration::minutes(10)));
    metadata.set("PopReceipt", NetValue::text(Uuid::new_v4().simple().to_string()));
    metadata
}
