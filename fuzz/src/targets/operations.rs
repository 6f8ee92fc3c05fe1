//! What Resource Manager answers to a write, and to the question how far its operation is. The first part of an input is the
//! answer to the write, the others are those to the question.

use azure::{LongRunningOperation, OperationStatus};
use certificate_management::ArmId;
use serde_json::Value;

use crate::cloud::{Answer, Script, clients, wait};
use crate::input::parts;

/// A write and the question how far it is end with a result; and a body that says `Failed` or `Canceled` is never taken for a
/// success, whatever status it comes with: the service fails operations with 200.
///
/// # Panics
/// When that does not hold.
pub fn run(input: &[u8]) {
    check(input, false);
}

/// Takes a failure for a success.
pub fn broken(input: &[u8]) {
    check(input, true);
}

fn check(input: &[u8], is_broken: bool) {
    let parts = parts(input);
    let namespace = "/subscriptions/s/resourceGroups/r/providers/Microsoft.DeviceRegistry/namespaces/contoso";
    let namespace = ArmId::parse(namespace).unwrap_or_else(|error| panic!("{error}"));
    let (azure, _) = clients(Script::of(&parts[..1]));
    let started = wait(azure.registry().synchronize(&namespace, azure::http::DEFAULT_DEADLINE));
    let first = Answer::read(parts[0]);
    if let Ok(operation) = &started
        && operation.url.is_none()
        && says_failure(&first)
    {
        assert!(!operation.finished, "a write that failed counts as done");
    }
    let asked = started.ok().filter(|operation| operation.url.is_some());
    let asked = asked.unwrap_or_else(|| LongRunningOperation {
        url: format!("{}/operations/o", crate::cloud::ORIGIN).parse().ok(),
        ..LongRunningOperation::default()
    });
    for part in &parts[1..] {
        let (azure, _) = clients(Script::of(&[*part]));
        let Ok(status) = wait(azure.arm().operation_status(&asked)) else { continue };
        let status = match status {
            OperationStatus::Failed { .. } if is_broken => OperationStatus::Succeeded,
            status => status,
        };
        if says_failure(&Answer::read(part)) {
            assert_ne!(status, OperationStatus::Succeeded, "an operation that failed counts as done");
        }
    }
}

/// Whether the body of a success says that the operation failed: as the service writes it, with one member of that name.
fn says_failure(answer: &Answer) -> bool {
    let body = serde_json::from_str::<Value>(&answer.body()).unwrap_or_default();
    let status = body.get("status").and_then(Value::as_str).map(str::trim).unwrap_or_default();
    answer.code().is_success()
        && ["failed", "canceled", "cancelled"].iter().any(|failed| status.eq_ignore_ascii_case(failed))
}
