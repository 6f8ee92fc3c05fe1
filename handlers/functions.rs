//! The eight functions, and those that only some packages have. Folder name = function name; the file of each says what
//! it expects of its `function.json`.

pub mod api_description;
pub mod assign_policy;
pub mod handle_resource_event;
pub mod handle_streamed_events;
pub mod policy_status;
pub mod reconcile_assignments;
pub mod report_policy_status;
pub mod sync_policies;
pub mod sync_requests;
mod unconfigured;

use std::sync::Arc;
use std::time::Duration;

use functions_host::{BodyLimits, Definition, Router};
use http::{HeaderName, header};

use crate::serving::{Needs, Serving};
use crate::{page, telemetry};

/// What the code expects of the function folders that every package has.
pub const DEFINITIONS: [Definition; 8] = [
    api_description::DEFINITION,
    assign_policy::DEFINITION,
    handle_resource_event::DEFINITION,
    sync_policies::DEFINITION,
    reconcile_assignments::DEFINITION,
    report_policy_status::DEFINITION,
    sync_requests::DEFINITION,
    policy_status::DEFINITION,
];

/// `assign-policy` for further regions, since one trigger reads one event hub and diagnostic records stay in their region.
/// `cargo xtask package --regions N` makes the folders.
const FURTHER_REGIONS: [&str; 7] = [
    "assign-policy-2",
    "assign-policy-3",
    "assign-policy-4",
    "assign-policy-5",
    "assign-policy-6",
    "assign-policy-7",
    "assign-policy-8",
];

/// Headers of every answer over HTTP. `host.json` gives them to the answers that the host makes itself.
const HTTP_HEADERS: [(HeaderName, &str); 3] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CONTENT_SECURITY_POLICY, page::CONTENT_SECURITY_POLICY),
];

/// The host does not renew a batch's locks, so the work must end before the shortest one, 60 seconds, runs out.
const SYNC_DEADLINE: Duration = Duration::from_secs(55);
/// A timer walks through the fleet as far as its time allows ([`Pace`](crate::pace::Pace)), and needs some more to make the
/// report of it.
const TIMER_DEADLINE: Duration = Duration::from_secs(14 * 60);

/// A handler of one function. What it serves with is settled once, when the invocation begins.
macro_rules! handler {
    ($serving:expr, $function:ident, $needs:expr) => {{
        let serving = Arc::clone($serving);
        move |invocation| {
            let serving = Arc::clone(&serving);
            async move {
                match serving.application($needs).await {
                    Ok(application) => $function::run(&application, invocation).await,
                    Err(why) => unconfigured::run(&$function::DEFINITION, &why, invocation).await,
                }
            }
        }
    }};
}

/// A router that knows every function.
pub fn router(serving: &Arc<Serving>) -> Router {
    let router = Router::new()
        .prepare_span(telemetry::continue_trace)
        .from_host_only()
        .body_limits(BodyLimits::default())
        .http_headers(HTTP_HEADERS);
    let further = FURTHER_REGIONS.into_iter().fold(router, |router, name| {
        let definition = Definition { name, ..assign_policy::DEFINITION };
        router.function(definition, handler!(serving, assign_policy, Needs::OfBlob))
    });
    further
        .function(
            handle_streamed_events::DEFINITION,
            handler!(serving, handle_streamed_events, Needs::OfBlob),
        )
        .function(assign_policy::DEFINITION, handler!(serving, assign_policy, Needs::OfBlob))
        .function(handle_resource_event::DEFINITION, handler!(serving, handle_resource_event, Needs::OfBlob))
        .function(api_description::DEFINITION, |invocation| async move { api_description::run(&invocation) })
        .function(policy_status::DEFINITION, handler!(serving, policy_status, Needs::Any))
        .function_with_deadline(
            reconcile_assignments::DEFINITION,
            TIMER_DEADLINE,
            handler!(serving, reconcile_assignments, Needs::OfBlob),
        )
        .function_with_deadline(
            report_policy_status::DEFINITION,
            TIMER_DEADLINE,
            handler!(serving, report_policy_status, Needs::Any),
        )
        .function(sync_requests::DEFINITION, handler!(serving, sync_requests, Needs::Any))
        .function_with_deadline(
            sync_policies::DEFINITION,
            SYNC_DEADLINE,
            handler!(serving, sync_policies, Needs::OfBlob),
        )
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::pace::Pace;

    /// Largest message of a Service Bus queue that is not premium, with its properties, in bytes (`messaging-and-state.md` §2).
    const LARGEST_MESSAGE: u64 = 256 * 1024;
    /// The most bytes that a character becomes when it is quoted twice: `\\u0001`.
    const QUOTED_TWICE: u64 = 7;

    fn host_json() -> Value {
        serde_json::from_str(include_str!("../host.json")).unwrap()
    }

    /// The app would refuse a batch that is too large each time, and its messages would end as dead letters.
    #[test]
    fn no_batch_of_the_queue_is_larger_than_what_is_taken() {
        let messages = host_json()["extensions"]["serviceBus"]["maxMessageBatchSize"].as_u64().unwrap();
        let largest = messages * LARGEST_MESSAGE * QUOTED_TWICE;
        assert!(largest < BodyLimits::default().batch as u64, "{largest}");
    }

    /// The host kills the process of a handler that takes too long, and with it what every other function is doing.
    #[test]
    fn a_timer_ends_by_itself_before_the_host_kills_it() {
        let timeout = host_json()["functionTimeout"].as_str().unwrap().to_owned();
        let parts: Vec<u64> = timeout.split(':').map(|part| part.parse().unwrap()).collect();
        let timeout = Duration::from_secs((parts[0] * 60 + parts[1]) * 60 + parts[2]);
        assert!(TIMER_DEADLINE + Duration::from_secs(30) < timeout, "{timeout:?}");
        let pace = Pace::default();
        // The last visit: its DPS, then the namespace, then its early devices; and after the walk the report and its records.
        let last = pace.begins + pace.visit * 3 + Duration::from_secs(60);
        assert!(last < TIMER_DEADLINE, "{last:?}");
        // `reconcile-assignments` is fired each quarter of an hour, and `report-policy-status` each hour.
        assert!(TIMER_DEADLINE < Duration::from_secs(15 * 60));
    }

    #[test]
    fn the_host_gives_its_own_answers_the_same_headers() {
        let host = host_json();
        let given = host["extensions"]["http"]["customHeaders"].as_object().unwrap();
        assert_eq!(given.len(), HTTP_HEADERS.len());
        for (name, value) in HTTP_HEADERS {
            let same = given.iter().find(|(known, _)| known.eq_ignore_ascii_case(name.as_str()));
            assert_eq!(same.and_then(|(_, value)| value.as_str()), Some(value), "{name}");
        }
    }
}
