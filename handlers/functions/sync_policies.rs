//! `sync-policies`: a batch of sync requests and scheduled verifications.

use certificate_management::plural;
use functions_host::{DataType, Definition, Failure, Invocation, Reply, Trigger};

use crate::application::Application;
use crate::serving::Unconfigured;
use crate::synchronization::batch;
use crate::synchronization::received::Received;

/// What the code expects of `function.json`.
pub const DEFINITION: Definition = Definition {
    name: "sync-policies",
    trigger: Trigger::ServiceBus { binding: "requests", many: true, data_type: Some(DataType::String) },
    outputs: &[],
};

/// Handles the batch.
///
/// # Errors Only when the records or the queue fail: the host gives every message of the batch back, and the function
/// handles each again.
pub async fn run(application: &Application, invocation: Invocation) -> Result<Reply, Failure> {
    match batch::handle(application, received(&invocation)?).await {
        Ok(done) => {
            let summary = format!(
                "{}, {}, {}, {} held, {} parked",
                plural::count(done.requests, "request"),
                plural::count(done.follow_ups, "follow-up"),
                plural::count(done.looks, "look"),
                done.held,
                done.parked
            );
            tracing::info!("{summary}");
            Ok(Reply::success().log(summary))
        }
        Err(error) => Err(Failure::new("the batch must come again").because(&error)),
    }
}

/// Puts the messages back for later: without a configuration nothing can be said about any of them.
///
/// # Errors
/// When the queue does not take them; the host gives the batch back then.
pub(super) async fn hold(unconfigured: &Unconfigured, invocation: Invocation) -> Result<Reply, Failure> {
    let (queues, because) = (unconfigured.queues_alone(), &unconfigured.problem);
    match batch::hold(queues, received(&invocation)?, because).await {
        Ok(done) => {
            let summary = format!("{} held, {} parked: {because}", done.held, done.parked);
            tracing::warn!("{summary}");
            Ok(Reply::success().log(summary))
        }
        Err(error) => Err(Failure::new("the batch must come again").because(&error)),
    }
}

fn received(invocation: &Invocation) -> Result<Vec<Received>, Failure> {
    let messages = invocation.service_bus_texts("requests")?.into_iter();
    Ok(messages.map(|message| Received { message_id: message.message_id, text: message.text }).collect())
}
