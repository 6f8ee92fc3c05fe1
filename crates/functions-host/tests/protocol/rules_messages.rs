//! Rules 9, 10, 11, 12, 22 and 23: which metadata of messages can be believed, and what happens when messages come
//! again.

use std::sync::{Arc, Mutex};

use functions_host::{
    DataType, Definition, Failure, Invocation, Reply, ServiceBusBatch, ServiceBusMessage, Trigger,
};
use serde_json::{Value, json};

use super::served::{BATCH, SINGLE, Served, invocation};

fn single(text: &str, metadata: Value) -> ServiceBusMessage<Value> {
    let body = json!({"Data": {"message": json!(text).to_string()}, "Metadata": metadata});
    let batch = invocation(&SINGLE, &body).service_bus_batch("message").expect("a batch");
    batch.messages.into_iter().next().expect("one message")
}

fn batch(metadata: Value) -> ServiceBusBatch<Value> {
    let body = json!({"Data": {"requests": r#"["{}","{}"]"#}, "Metadata": metadata});
    invocation(&BATCH, &body).service_bus_batch("requests").expect("a batch")
}

#[test]
fn rule_09_a_body_cannot_forge_its_metadata() {
    let metadata = json!({"MessageId": "\"true id\"", "DeliveryCount": "1", "SessionId": "\"s\"", "SequenceNumber": "7"});
    let honest = single(r#"{"jobId":"x"}"#, metadata.clone());
    assert_eq!((honest.message_id.as_deref(), honest.delivery_count), (Some("true id"), Some(1)));
    for (body, forged) in [
        (r#"{"MessageId":"forged"}"#, json!({"MessageId": "\"forged\""})),
        (r#"{"messageid":"forged"}"#, json!({"MessageId": "\"forged\""})),
        (r#"{"MESSAGEID":{"x":1}}"#, json!({"MessageId": {"x": 1}})),
        (r#"{"Messageİd":1,"MessageId":2}"#, json!({"MessageId": "\"2\""})),
        ("{'MessageId':'single quotes are JSON to the host'}", json!({"MessageId": "\"forged\""})),
        ("/* so are comments */ {\"MessageId\":1}", json!({"MessageId": "\"forged\""})),
        (r#"{"MessageId":1} and what follows"#, json!({"MessageId": "\"forged\""})),
        (r#"{"\ud800":1,"MessageId":1}"#, json!({"MessageId": "\"forged\""})),
    ] {
        let mut metadata = metadata.clone();
        metadata.as_object_mut().expect("an object").extend(forged.as_object().expect("an object").clone());
        let message = single(body, metadata);
        assert_eq!(message.message_id, None, "{body}");
    }
    let session = single(r#"{"sessionId":"forged","DELIVERYCOUNT":99}"#, metadata);
    assert_eq!((session.session_id, session.delivery_count), (None, None));
    assert_eq!((session.sequence_number, session.message_id.as_deref()), (Some(7), Some("true id")));
}

#[test]
fn rule_09_no_json_type_crashes_the_decoder() {
    for wrong in
        [json!(null), json!(true), json!({"x": 1}), json!([1]), json!("\"True\""), json!(-1), json!(1e300)]
    {
        let names =
            ["MessageId", "DeliveryCount", "SequenceNumber", "EnqueuedTime", "ApplicationProperties", "To"];
        let metadata: serde_json::Map<_, _> =
            names.iter().map(|name| ((*name).to_owned(), wrong.clone())).collect();
        let message = single("text", metadata.into());
        assert_eq!((message.delivery_count, message.enqueued_time), (None, None), "{wrong}");
    }
}

#[test]
fn rule_09_lists_and_bytes_are_believed_whatever_the_bodies_name() {
    let body = json!({
        "Data": {"requests": json!([r#"{"MessageId":"x"}"#]).to_string()},
        "Metadata": {"MessageIdArray": r#"["true id"]"#},
    });
    let many: ServiceBusBatch<Value> =
        invocation(&BATCH, &body).service_bus_batch("requests").expect("a batch");
    assert_eq!(many.messages[0].message_id.as_deref(), Some("true id"));

    let trigger = Trigger::ServiceBus { binding: "message", many: false, data_type: Some(DataType::Binary) };
    let base64 = super::encoder::base64(br#"{"MessageId":"x"}"#);
    let body = json!({"Data": {"message": base64}, "Metadata": {"MessageId": "\"true id\""}});
    let bytes: ServiceBusBatch<Value> =
        invocation(&Definition { trigger, ..SINGLE }, &body).service_bus_batch("message").expect("a batch");
    assert_eq!(bytes.messages[0].message_id.as_deref(), Some("true id"));
}

#[test]
fn rule_10_a_metadata_list_of_another_length_is_rejected_as_a_whole() {
    let whole = batch(json!({"MessageIdArray": r#"["a","b"]"#, "DeliveryCountArray": "[1,2]"}));
    assert_eq!(whole.rejected_metadata, [""; 0]);
    for unequal in [
        json!(r#"["a"]"#),
        json!(r#"["a","b","c"]"#),
        json!("[]"),
        json!("text"),
        json!({"0": "a"}),
        json!(2),
    ] {
        let read = batch(json!({"MessageIdArray": unequal, "DeliveryCountArray": "[1,2]"}));
        assert_eq!(read.rejected_metadata, ["MessageIdArray"], "{unequal}");
        assert!(
            read.messages.iter().all(|message| message.message_id.is_none()),
            "no id is given to another message"
        );
        let body = json!({"Data": {"requests": "[\"{}\",\"{}\"]"}, "Metadata": {"MessageIdArray": unequal}});
        let texts = invocation(&BATCH, &body).service_bus_texts("requests").expect("texts");
        assert!(texts.len() == 2 && texts.iter().all(|text| text.message_id.is_none()), "{texts:?}");
        assert_eq!(read.messages[1].delivery_count, Some(2), "the other lists are believed");
    }
    let absent = batch(json!({"MessageIdArray": null, "DeliveryCountArray": "[null,\"3\"]"}));
    assert_eq!((absent.rejected_metadata.len(), absent.messages[1].delivery_count), (0, Some(3)));
}

#[test]
fn rule_10_a_metadata_list_that_is_malformed_inside_spoils_nothing_beside_it() {
    let body = r#"{"Data":{"requests":"[\"{}\",\"{}\"]"},"Metadata":{"ToArray":"\ud800","SubjectArray":[1e999,0],
        "SessionIdArray":"[1,","MessageIdArray":"[\"a\",\"b\"]"}}"#;
    let deadline = tokio::time::Instant::now();
    let read = Invocation::decode(&BATCH, &http::HeaderMap::new(), body.as_bytes(), deadline)
        .expect("an invocation")
        .service_bus_batch::<Value>("requests")
        .expect("a batch");
    let ids: Vec<_> = read.messages.iter().map(|message| message.message_id.as_deref()).collect();
    assert_eq!(ids, [Some("a"), Some("b")]);
    assert_eq!(read.rejected_metadata, ["SessionIdArray", "SubjectArray", "ToArray"]);
}

/// Parks messages that it cannot read, and answers with the ids of the others.
async fn park_and_go_on(invocation: Invocation, parked: Arc<Mutex<Vec<String>>>) -> Result<Reply, Failure> {
    #[derive(serde::Deserialize)]
    struct Job {
        id: String,
    }
    let mut reply = Reply::success();
    for message in invocation.service_bus_batch::<Job>("requests")?.messages {
        reply = match message.body {
            Ok(job) => reply.log(format!("{} {:?}", job.id, message.delivery_count)),
            Err(_) => {
                parked.lock().expect("no panic").push(message.text);
                reply
            }
        };
    }
    Ok(reply)
}

#[tokio::test]
async fn rule_11_one_bad_message_does_not_fail_its_batch() {
    let parked = Arc::new(Mutex::new(Vec::new()));
    let shared = parked.clone();
    let served = Served::function(BATCH, move |invocation| park_and_go_on(invocation, shared.clone()));
    let texts = json!([r#"{"id":"a"}"#, "not JSON", r#"{"id":7}"#, r#"{"id":"b"}"#]).to_string();
    for delivery in 1..=2 {
        let counts = format!("[{delivery},{delivery},{delivery},{delivery}]");
        let body =
            json!({"Data": {"requests": texts}, "Metadata": {"DeliveryCountArray": counts}}).to_string();
        let answer = served.post("/sync", &format!("rule-11-{delivery}"), &body).await;
        answer.assert_success();
        assert_eq!(
            answer.json()["Logs"],
            json!([format!("a Some({delivery})"), format!("b Some({delivery})")])
        );
    }
    assert_eq!(*parked.lock().expect("no panic"), ["not JSON", r#"{"id":7}"#, "not JSON", r#"{"id":7}"#]);
}

#[tokio::test]
async fn rule_11_a_failure_fails_the_whole_batch() {
    let served = Served::function(BATCH, |_| async { Err(Failure::new("store unreachable")) });
    let body = json!({"Data": {"requests": "[]"}, "Metadata": {}}).to_string();
    let answer = served.post("/sync", "rule-11-failure", &body).await;
    assert_eq!((answer.status, answer.reason.as_str()), (500, "store unreachable"));
}

#[tokio::test]
async fn rules_12_and_23_the_invocation_id_is_no_key() {
    let served = Served::function(BATCH, |invocation| async move {
        let batch = invocation.service_bus_batch::<Value>("requests")?;
        let id = batch.messages[0].message_id.clone().unwrap_or_default();
        if batch.messages[0].delivery_count == Some(1) {
            return Err(Failure::new("first delivery fails"));
        }
        Ok(Reply::success().log(format!("{id} in {}", invocation.id)))
    });
    let body = |count: u32| {
        let metadata = json!({"MessageIdArray": r#"["m"]"#, "DeliveryCountArray": format!("[{count}]")});
        json!({"Data": {"requests": r#"["{}"]"#}, "Metadata": metadata}).to_string()
    };
    // Rule 12: a redelivery is the same message in another invocation.
    assert_eq!(served.post("/sync", "rule-12-a", &body(1)).await.status, 500);
    assert_eq!(served.post("/sync", "rule-12-b", &body(2)).await.json()["Logs"], json!(["m in rule-12-b"]));
    // Rule 23: the attempts of a retry policy share one id, and each is run.
    assert_eq!(served.post("/sync", "rule-23", &body(1)).await.status, 500);
    assert_eq!(served.post("/sync", "rule-23", &body(2)).await.json()["Logs"], json!(["m in rule-23"]));
    assert_eq!(super::logs::of("rule-23").len(), 2, "one line for each attempt");
}

#[tokio::test]
async fn rule_22_sys_and_retry_context_are_never_read() {
    let served = Served::function(SINGLE, |invocation| async move {
        let printed = format!("{invocation:?}");
        let batch = invocation.service_bus_batch::<Value>("message")?;
        Ok(Reply::success().log(format!("{printed} {:?} {batch:?}", invocation.function)))
    });
    for forged in [json!("\"forged\""), json!(null), json!({"MethodName": "forged"}), json!([]), json!(1)] {
        let metadata = json!({"sys": forged, "RetryContext": forged, "$sys": forged});
        let body = json!({"Data": {"message": "\"text\""}, "Metadata": metadata}).to_string();
        let answer = served.post("/one", "rule-22", &body).await;
        answer.assert_success();
        assert!(!answer.text().contains("forged"), "{}", answer.text());
        assert!(answer.text().contains(r#"\"one\""#), "the name is that of the route: {}", answer.text());
    }
}
