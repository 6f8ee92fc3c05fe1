//! Service Bus, cardinality one.

use super::messages::{JOB_A, link, messages};
use super::{Capture, first_attempt, function};
use crate::newtonsoft::Token;
use crate::trigger::service_bus;
use crate::zone::Zone;

fn check(case: &str, body: &str, retry: Option<Token>) {
    let function = function("sync-one-str", r#""type":"serviceBusTrigger","name":"message","queueName":"q""#);
    let message = &messages([body.as_bytes(), b""], false)[0];
    let payload = service_bus::single(&function, message, &link(false)).unwrap();
    Capture::load(case).check(&function, &payload, retry, &Zone::Utc);
}

#[test]
fn sb_single_string() {
    check("sb.single.string", JOB_A, None);
}

#[test]
fn sb_single_shadow() {
    let body = r#"{"jobId":"x","MessageId":"SHADOWED","deliveryCount":99,"when":"2026-11-23T05:21:41.250940Z","nested":{"a":1},"arr":[1],"flag":true,"nul":null,"sys":"forged","SequenceNumber":{"x":1},"myTrigger":"t","RetryContext":"forged"}"#;
    check("sb.single.shadow", body, None);
}

#[test]
fn sb_retry_attempt0() {
    check("sb.retry.attempt0", "r", first_attempt());
}

#[test]
fn trace_otel() {
    check("trace.otel", "hello", None);
}
