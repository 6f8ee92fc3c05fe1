//! Counts the messages that the queue of sync requests gave up on, for the report of a command: notes among the records do not tell of
//! them.

use certificate_management::report::Report;

use crate::fleet::Fleet;
use crate::settings::{self, QueueSettings};
use crate::waiting;

/// Counts them into the report, where that tells of messages at all; else answers why it could not.
pub async fn count(fleet: &Fleet, report: &mut Report) -> Option<String> {
    let waiting = report.waiting.as_mut()?;
    let queues = match QueueSettings::from_variables(&settings::environment()) {
        Ok(queues) => queues,
        Err(error) => return Some(error.to_string()),
    };
    let counted = match fleet.azure.dead_letter_receiver(&queues.service_bus, &queues.requests) {
        Ok(receiver) => waiting::dead_letters(&receiver).await,
        Err(error) => Err(error),
    };
    match counted {
        Ok(letters) => {
            waiting.dead_letters = Some(letters);
            None
        }
        Err(error) => Some(error.to_string()),
    }
}
