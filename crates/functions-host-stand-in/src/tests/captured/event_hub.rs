//! Event Hubs.

use time::macros::datetime;

use super::{Capture, function};
use crate::app::Trigger;
use crate::trigger::event_hub;
use crate::zone::Zone;
use trigger_sources::HubEvent;

#[test]
fn eh_batch_string() {
    let trigger = r#""type":"eventHubTrigger","name":"events","eventHubName":"enrollments","cardinality":"many","dataType":"string""#;
    let function = function("hub", trigger);
    let Trigger::EventHub(hub) = &function.trigger else { panic!("not an event hub") };
    let body = r#"{"id":"9c2a8f5e","source":"/s","specversion":"1.0","type":"Rota.EnrollmentGroup.Created","time":"2026-11-23T05:21:40.1234567Z","data":{"enrollmentGroupId":"eg-plant-07"}}"#;
    let first = HubEvent {
        body: body.to_owned(),
        enqueued_time: datetime!(2026-11-23 05:21:41.142 UTC),
        sequence_number: 1042,
        offset: 4_295_500_800,
        properties: serde_json::json!({"aeg-event-type": "Notification"}).as_object().unwrap().clone(),
    };
    let second = HubEvent {
        enqueued_time: datetime!(2026-11-23 05:21:41.143 UTC),
        sequence_number: 1043,
        offset: 4_295_501_312,
        properties: serde_json::Map::new(),
        ..first.clone()
    };
    let namespace = "evh-rota.servicebus.windows.net";
    let payload = event_hub::batch(&function, hub, namespace, &[first, second], &Zone::Utc).unwrap();
    Capture::load("eh.batch.string").check(&function, &payload, None, &Zone::Utc);
}
