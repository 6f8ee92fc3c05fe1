//! The Service Bus messages that the recorded requests carry.

use time::macros::datetime;

use crate::trigger::service_bus::Link;
use trigger_sources::LockedMessage;

pub const JOB_A: &str = r#"{"schema":"sync-job/v1","jobId":"01JD8Z0V7C5Q4K9D6M1T2R3S4A","enrollmentGroup":"eg-plant-07","attempt":1}"#;
pub const JOB_B: &str = r#"{"schema":"sync-job/v1","jobId":"01JD8Z0V9N2H8P7E5X6W4B3Y1C","enrollmentGroup":"eg-plant-07","attempt":1}"#;

/// The link that they came over.
pub fn link(session: bool) -> Link {
    Link {
        namespace: "sb-rota-prod.servicebus.windows.net".to_owned(),
        identifier: "sb-rota-prod.servicebus.windows.net-7c0f1d2e-2a61-4c5b-93c7-0d4a2f3e9f11".to_owned(),
        web_sockets: false,
        session_locked_until: session.then_some(datetime!(2026-11-23 05:22:41.1193094 UTC)),
    }
}

/// Two messages with these bodies.
pub fn messages(bodies: [&[u8]; 2], session: bool) -> Vec<LockedMessage> {
    let properties = serde_json::json!({
        "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "Diagnostic-Id": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "attempt": 1,
        "when": "2026-11-23T05:21:41.112Z",
        "guid": "0f1b2d8a-7f34-4c19-8a7e-6a6b1a5d0c22",
        "big": 9_007_199_254_740_993_i64,
        "dbl": 1.5,
        "flag": true,
        "nul": null,
    });
    let first = LockedMessage {
        body: bodies[0].to_vec(),
        message_id: "01JD8Z0V7C5Q4K9D6M1T2R3S4A".to_owned(),
        lock_token: "b0b6c0d3-5b1d-4d8f-9b39-52f0b7c6a9d1".to_owned(),
        delivery_count: 1,
        sequence_number: 42,
        enqueued_time: datetime!(2026-11-23 05:21:41.112 UTC),
        expires_at: datetime!(2026-12-07 05:21:41.112 UTC),
        content_type: Some("application/json".to_owned()),
        correlation_id: Some("eg-plant-07".to_owned()),
        subject: Some("sync-job".to_owned()),
        session_id: session.then(|| "eg-plant-07".to_owned()),
        partition_key: None,
        application_properties: properties.as_object().unwrap().clone(),
    };
    let second = LockedMessage {
        body: bodies[1].to_vec(),
        message_id: "01JD8Z0V9N2H8P7E5X6W4B3Y1C".to_owned(),
        lock_token: "0f1b2d8a-7f34-4c19-8a7e-6a6b1a5d0c22".to_owned(),
        delivery_count: 3,
        sequence_number: 43,
        enqueued_time: datetime!(2026-11-23 05:21:41.2065 UTC),
        expires_at: datetime!(2026-12-07 05:21:41.206 UTC),
        application_properties: serde_json::Map::new(),
        ..first.clone()
    };
    vec![first, second]
}
