//! `decode(encode(x)) == x` for timers, Event Grid and HTTP.

use functions_host::EventGridSchema;
use proptest::prelude::*;
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::encoder::{Metadata, Net, any_json, envelope, instant, list_time, zoned_instant};
use super::served::{EVENT, HTTP, TIMER, invocation};

#[derive(Debug, Clone)]
struct Event {
    cloud_event: bool,
    id: String,
    event_type: String,
    source: String,
    subject: Option<String>,
    time: Option<OffsetDateTime>,
    data: Value,
}

prop_compose! {
    fn any_event()(
        cloud_event: bool,
        id: String,
        event_type: String,
        source: String,
        subject: Option<String>,
        time in prop::option::of(zoned_instant()),
        data in any_json(),
    ) -> Event {
        Event { cloud_event, id, event_type, source, subject, time, data }
    }
}

impl Event {
    fn written(&self) -> Value {
        let time = self.time.map(|time| list_time(time, true));
        if self.cloud_event {
            json!({"id": self.id, "source": self.source, "specversion": "1.0", "type": self.event_type,
                   "subject": self.subject, "time": time, "data": self.data})
        } else {
            json!({"id": self.id, "topic": self.source, "subject": self.subject, "eventType": self.event_type,
                   "data": self.data, "dataVersion": "1.0", "metadataVersion": "1", "eventTime": time})
        }
    }
}

#[track_caller]
fn assert_events(body: &Value, sent: &[Event]) -> Result<(), TestCaseError> {
    let events = invocation(&EVENT, body).event_grid("event").expect("events");
    prop_assert_eq!(events.len(), sent.len());
    for (event, sent) in events.iter().zip(sent) {
        prop_assert_eq!(event.schema == EventGridSchema::CloudEvents10, sent.cloud_event);
        prop_assert_eq!(
            (&event.id, &event.event_type, &event.source),
            (&sent.id, &sent.event_type, &sent.source)
        );
        prop_assert_eq!((&event.subject, event.time, &event.data), (&sent.subject, sent.time, &sent.data));
    }
    Ok(())
}

/// Names as HTTP has them, each once.
fn fields(values: &'static str) -> impl Strategy<Value = Vec<(String, String)>> {
    prop::collection::btree_map("[a-z][a-z0-9-]{0,12}", values, 0..5)
        .prop_map(|fields| fields.into_iter().collect())
}

proptest! {
    #[test]
    fn a_timer(
        times in prop::option::of((zoned_instant(), zoned_instant(), zoned_instant())),
        late: bool,
        daylight: bool,
    ) {
        let status = times.map(|(last, next, updated)| json!({
            "Last": list_time(last, true), "Next": list_time(next, true), "LastUpdated": list_time(updated, true),
        }));
        let timer = json!({"Schedule": {"AdjustForDST": daylight}, "ScheduleStatus": status, "IsPastDue": late});
        let body = envelope("timer", &Net::Object(timer), Metadata::default().with_sys());
        let decoded = invocation(&TIMER, &body).timer("timer").expect("a timer");
        prop_assert_eq!((decoded.is_past_due, decoded.adjusts_for_daylight_saving), (late, Some(daylight)));
        let decoded = decoded.schedule_status.map(|status| (status.last, status.next, status.last_updated));
        prop_assert_eq!(decoded, times.map(|(last, next, updated)| (Some(last), Some(next), Some(updated))));
    }

    #[test]
    fn one_event(event in any_event()) {
        let metadata = Metadata::default().with("data", Net::Other(event.data.clone())).with_sys();
        assert_events(&envelope("event", &Net::Object(event.written()), metadata), &[event])?;
    }

    #[test]
    fn a_post_of_events(events in prop::collection::vec(any_event(), 0..5)) {
        let list = events.iter().map(Event::written).collect();
        assert_events(&envelope("event", &Net::Other(Value::Array(list)), Metadata::default().with_sys()), &events)?;
    }

    #[test]
    fn an_http_request(
        method in "GET|POST|PUT|DELETE|PATCH|OPTIONS|HEAD",
        path in "(/[a-z0-9%._~-]{0,8}){1,4}",
        query in fields("\\PC{0,12}"),
        headers in fields("[ -~]{0,20}"),
        params in fields("\\PC{0,12}"),
        body: Option<String>,
        sent in instant(),
    ) {
        let object = |fields: &[(String, String)]| -> Value {
            fields.iter().map(|(name, value)| (name.clone(), json!(value))).collect::<serde_json::Map<_, _>>().into()
        };
        let lists: serde_json::Map<_, _> =
            headers.iter().map(|(name, value)| (name.clone(), json!([value]))).collect();
        let mut request = json!({
            "Url": format!("https://contoso.azurewebsites.net{path}?sent={}", sent.unix_timestamp()), "Method": method,
            "Query": object(&query), "Headers": lists, "Params": object(&params), "Identities": [],
        });
        if let Some(body) = &body {
            request["Body"] = json!(body);
        }
        let metadata = Metadata::default()
            .with("Query", Net::Object(object(&query)))
            .with("Headers", Net::Object(object(&headers)))
            .with_sys();
        let decoded = invocation(&HTTP, &envelope("req", &Net::Object(request), metadata)).http("req").expect("one");
        prop_assert_eq!((decoded.method.as_str(), decoded.path()), (method.as_str(), path.as_str()));
        prop_assert_eq!(&decoded.body, &body);
        for (decoded, sent) in [(&decoded.query, &query), (&decoded.headers, &headers), (&decoded.params, &params)] {
            let sent = sent.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            prop_assert!(decoded.iter().eq(sent.clone()));
            for (name, value) in sent {
                prop_assert_eq!(decoded.get(&name.to_uppercase()), Some(value));
            }
        }
    }
}
