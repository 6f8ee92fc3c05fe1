//! Service Bus, cardinality many.

use super::messages::{JOB_A, JOB_B, link, messages};
use super::{Capture, function};
use crate::trigger::service_bus;
use crate::zone::Zone;

const MANY: &str = r#""type":"serviceBusTrigger","name":"messages","queueName":"q","cardinality":"many""#;
const STRING: &str = r#","dataType":"string""#;
const PLAIN: &str = "plain text é \u{1} </x> ' \" \\ 😀";

fn check(case: &str, name: &str, data_type: &str, bodies: &[&[u8]], session: bool) {
    let function = function(name, &format!("{MANY}{data_type}"));
    let all = messages([bodies[0], bodies.get(1).copied().unwrap_or_default()], session);
    let payload = service_bus::batch(&function, &all[..bodies.len()], &link(session), &Zone::Utc).unwrap();
    Capture::load(case).check(&function, &payload, None, &Zone::Utc);
}

#[test]
fn sb_batch_string() {
    check("sb.batch.string", "sync-job", STRING, &[JOB_A.as_bytes(), JOB_B.as_bytes()], false);
}

#[test]
fn sb_batch_one_string() {
    check("sb.batch.one.string", "sync-job", STRING, &[JOB_A.as_bytes()], false);
}

#[test]
fn sb_batch_string_plaintext() {
    check("sb.batch.string.plaintext", "sync-job", STRING, &[PLAIN.as_bytes(), b""], false);
}

#[test]
fn sb_batch_string_session() {
    check("sb.batch.string.session", "sync-job", STRING, &[JOB_A.as_bytes(), JOB_B.as_bytes()], true);
}

#[test]
fn sb_batch_binary() {
    let bodies = [JOB_A.as_bytes(), &[0, 255, 254, 1]];
    check("sb.batch.binary", "sync-job-bin", r#","dataType":"binary""#, &bodies, false);
}

#[test]
fn sb_batch_no_datatype_scalars() {
    check("sb.batch.no-datatype.scalars", "sync-job-nodt", "", &[b"5", b"\"str\""], false);
}

#[test]
fn a_batch_that_does_not_fit_its_type_fails_before_any_request() {
    let untyped = function("job", MANY);
    let error = service_bus::batch(&untyped, &messages([b"{}", b"plain"], false), &link(false), &Zone::Utc);
    assert!(error.unwrap_err().contains("\"dataType\": \"string\""));
    let text = function("job", &format!("{MANY}{STRING}"));
    let error = service_bus::batch(&text, &messages([b"\xff", b""], false), &link(false), &Zone::Utc);
    assert!(error.unwrap_err().contains("\"dataType\": \"binary\""));
}
