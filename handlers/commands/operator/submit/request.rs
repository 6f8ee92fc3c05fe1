//! Makes the request that the flags ask for, with the checks of `POST /api/sync-requests`.

use ambient::{Ambient, Randomness};
use azure::service_bus::MESSAGE_LIMIT;
use certificate_management::request::{FieldError, SyncRequest};
use opentelemetry_sdk::trace::IdGenerator;
use serde_json::{Map, Value, json};

use super::Arguments;
use crate::telemetry::TraceIds;

/// Room for the properties of the message, beside its body, in bytes.
const PROPERTIES: usize = 1024;

/// Makes the request, with an id and a trace of its own where none is given.
///
/// # Errors
/// Every flag that is wrong, with what is wrong about it.
pub fn build(arguments: &Arguments, ambient: &Ambient) -> Result<SyncRequest, Vec<String>> {
    let request_id = arguments.id.clone().unwrap_or_else(|| ambient.ulid().to_string());
    let mut body = Map::new();
    body.insert("namespaceId".to_owned(), json!(arguments.namespace));
    for (member, names) in [("hubs", &arguments.hubs), ("policies", &arguments.policies)] {
        if !names.is_empty() {
            body.insert(member.to_owned(), json!(names));
        }
    }
    body.insert("allowWholeNamespace".to_owned(), json!(arguments.allow_whole_namespace));
    body.insert("breakFreeze".to_owned(), json!(arguments.break_freeze));
    body.insert("requestedBy".to_owned(), json!(person()));
    body.insert("reason".to_owned(), json!(arguments.reason));
    body.insert("traceparent".to_owned(), json!(traceparent(&ambient.randomness)));
    let request = SyncRequest::from_submission(&Value::Object(body).to_string(), &request_id)
        .map_err(|errors| errors.iter().map(problem).collect::<Vec<_>>())?;
    let size = json!(request).to_string().len();
    if size + PROPERTIES > MESSAGE_LIMIT {
        let text = format!(
            "--hub, --policy: the request has {size} bytes; the queue takes {MESSAGE_LIMIT}. Leave them out to mean all."
        );
        return Err(vec![text]);
    }
    Ok(request)
}

/// The name of the person, as far as the environment knows it. It is for readers: the identity decides what may be
/// done.
fn person() -> Option<String> {
    ["USER", "USERNAME"].iter().find_map(|name| std::env::var(name).ok()).filter(|name| !name.is_empty())
}

/// Begins a trace of its own, sampled.
fn traceparent(randomness: &Randomness) -> String {
    let ids = TraceIds(randomness.clone());
    format!("00-{}-{}-01", ids.new_trace_id(), ids.new_span_id())
}

/// The problem with the flag in the place of the member.
fn problem(error: &FieldError) -> String {
    let (member, rest) = match error.field.split_once('[') {
        Some((member, index)) => (member, index.trim_end_matches(']').parse::<usize>().ok()),
        None => (error.field.as_str(), None),
    };
    let flag = match member {
        "requestId" => "--id",
        "namespaceId" => "--namespace",
        "hubs" => "--hub",
        "policies" => "--policy",
        "reason" => "--reason",
        "body" => "--hub, --policy, --reason",
        other => other,
    };
    match rest {
        Some(index) => format!("{flag}, number {}: {}", index + 1, error.problem),
        None => format!("{flag}: {}", error.problem),
    }
}

#[cfg(test)]
mod tests {
    use clap::{Args as _, Command, FromArgMatches as _};

    use ulid::Ulid;

    use super::*;

    const NAMESPACE: &str =
        "/subscriptions/S/resourceGroups/R/providers/Microsoft.DeviceRegistry/namespaces/contoso";

    fn made(flags: &[&str]) -> Result<SyncRequest, Vec<String>> {
        made_with(&Ambient::of_system(), flags)
    }

    fn made_with(ambient: &Ambient, flags: &[&str]) -> Result<SyncRequest, Vec<String>> {
        let command = Arguments::augment_args(Command::new("submit").no_binary_name(true));
        let matches = command.try_get_matches_from(flags).unwrap_or_else(|error| panic!("{error}"));
        build(&Arguments::from_arg_matches(&matches).unwrap(), ambient)
    }

    #[test]
    fn the_flags_make_the_message() {
        let request = made(&[
            "--namespace",
            NAMESPACE,
            "--hub",
            "a",
            "--hub",
            "b",
            "--policy",
            "p",
            "--id",
            "release-42",
            "--allow-whole-namespace",
            "--reason",
            "the CA was renewed",
        ])
        .unwrap();
        assert_eq!(request.request_id, "release-42");
        assert_eq!(request.hubs.as_deref(), Some(&["a".to_owned(), "b".to_owned()][..]));
        assert_eq!(request.policies.as_deref(), Some(&["p".to_owned()][..]));
        assert!(request.allow_whole_namespace);
        assert_eq!(request.reason.as_deref(), Some("the CA was renewed"));
        assert!(request.other.is_empty());
    }

    #[test]
    fn each_request_has_an_id_and_a_trace_of_its_own() {
        let ambient = Ambient::of_system();
        let [first, second] = [(); 2].map(|()| made_with(&ambient, &["--namespace", NAMESPACE]).unwrap());
        assert!(Ulid::from_string(&first.request_id).is_ok());
        assert_ne!(first.request_id, second.request_id);
        assert_ne!(first.traceparent, second.traceparent);
        assert_eq!(super::super::trace_id(&first).len(), 32);
        assert_eq!((first.hubs, first.policies), (None, None));
    }

    #[test]
    fn every_wrong_flag_is_named() {
        let long = "x".repeat(2049);
        let problems = made(&[
            "--namespace",
            "contoso",
            "--hub",
            "a",
            "--hub",
            "",
            "--policy",
            "",
            "--id",
            "a b",
            "--reason",
            &long,
        ])
        .unwrap_err();
        let named: Vec<&str> = problems.iter().map(|problem| problem.split(':').next().unwrap()).collect();
        assert_eq!(named, ["--id", "--namespace", "--hub, number 2", "--policy, number 1", "--reason"]);
    }

    #[test]
    fn a_request_that_no_queue_takes_is_refused_here() {
        let hubs: Vec<String> = (0..200).map(|n| format!("{n}{}", "h".repeat(1500))).collect();
        let flags: Vec<&str> = ["--namespace", NAMESPACE]
            .into_iter()
            .chain(hubs.iter().flat_map(|hub| ["--hub", hub.as_str()]))
            .collect();
        assert!(made(&flags).unwrap_err()[0].contains("--hub"));
    }
}
