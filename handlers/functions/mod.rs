//! The seven functions, and those that only some packages have. Folder name = function name; each says what it expects of
//! its `function.json`.

pub mod assign_policy;
pub mod handle_resource_event;
pub mod handle_streamed_events;
pub mod policy_status;
pub mod reconcile_assignments;
pub mod report_policy_status;
pub mod sync_policies;
pub mod sync_requests;

use std::sync::Arc;
use std::time::Duration;

use functions_host::{Definition, Router};

use crate::application::Application;
use crate::telemetry;

/// What the code expects of the function folders that every package has.
pub const DEFINITIONS: [Definition; 7] = [
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

/// A batch's locks are not renewed, so its work must end before the shortest one, 60 seconds, runs out.
const SYNC_DEADLINE: Duration = Duration::from_secs(55);

/// A handler of one function, holding on to the application.
macro_rules! handler {
    ($application:expr, $function:ident) => {{
        let application = Arc::clone($application);
        move |invocation| {
            let application = Arc::clone(&application);
            async move { $function::run(&application, invocation).await }
        }
    }};
}

/// A router that knows every function.
pub fn router(application: &Arc<Application>) -> Router {
    let router = Router::new().prepare_span(telemetry::continue_trace);
    let further = FURTHER_REGIONS.into_iter().fold(router, |router, name| {
        let definition = Definition { name, ..assign_policy::DEFINITION };
        router.function(definition, handler!(application, assign_policy))
    });
    further
        .function(handle_streamed_events::DEFINITION, handler!(application, handle_streamed_events))
        .function(assign_policy::DEFINITION, handler!(application, assign_policy))
        .function(handle_resource_event::DEFINITION, handler!(application, handle_resource_event))
        .function(policy_status::DEFINITION, handler!(application, policy_status))
        .function(reconcile_assignments::DEFINITION, handler!(application, reconcile_assignments))
        .function(report_policy_status::DEFINITION, handler!(application, report_policy_status))
        .function(sync_requests::DEFINITION, handler!(application, sync_requests))
        .function_with_deadline(
            sync_policies::DEFINITION,
            SYNC_DEADLINE,
            handler!(application, sync_policies),
        )
}
