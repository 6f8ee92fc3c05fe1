//! What every function answers while there is no configuration that it could work with.
//!
//! Nothing is lost by it. A message of the queue comes again, and is parked where that goes on for hours. Event Grid sends an event again
//! for a day. Records of an event hub, and timers, are made up for by the next reconcile, which looks at every group.

use functions_host::{Definition, Failure, HttpReply, HttpRequest, Invocation, Reply, Trigger};
use http::header;

use super::{sync_policies, sync_requests};
use crate::api;
use crate::api::accept::Media;
use crate::api::problem::{Code, Problem};
use crate::page::links::{From, Links};
use crate::serving::Unconfigured;

/// Answers an invocation of a function.
///
/// # Errors
/// Always for what the host, or the next firing, brings again.
pub async fn run(
    definition: &Definition,
    unconfigured: &Unconfigured,
    invocation: Invocation,
) -> Result<Reply, Failure> {
    match definition.trigger {
        Trigger::Http { binding, response, .. } => {
            let request = invocation.http(binding)?;
            tracing::warn!("answered without a configuration: {}", unconfigured.problem);
            let reply = answer(&request, &unconfigured.problem);
            Ok(Reply::success().http(response, reply.header(header::VARY, "Accept")))
        }
        Trigger::ServiceBus { .. } => sync_policies::hold(unconfigured, invocation).await,
        _ => Err(Failure::new("nothing was done").detail(unconfigured.problem.clone())),
    }
}

fn answer(request: &HttpRequest, problem: &str) -> HttpReply {
    let is_below = ["namespace", "id"]
        .iter()
        .any(|name| request.params.get(name).is_some_and(|value| !value.is_empty()));
    let from = if is_below { From::Below } else { From::Top };
    let links = Links::with_key(request.query.get("code")).from(from);
    // Whatever else an address takes, it cannot be answered now.
    let media = api::admit(request, &sync_requests::OF_ALL).unwrap_or(Media::Json);
    Problem::new(Code::NotConfigured, "configuration", problem).reply(media, &links)
}
