//! A look is taken before it is done, so that the same message, delivered twice at once, reads a namespace once.
//!
//! The lease is only about reads: what is written is guarded by the phase of the sync. It runs out by itself, so a
//! run that was killed delays its look and loses nothing.

use certificate_management::request::SyncVerification;
use state::Change;
use time::{Duration, OffsetDateTime};

use super::batch::BatchError;
use super::records::{self, Phase, SyncRecord};
use super::submission;
use crate::application::Application;

/// How long a look is somebody's. Longer than a look takes; a second one after that only costs its reads.
const LEASE: Duration = Duration::seconds(20);

/// What came of trying to take a look.
enum Taken {
    /// It is ours.
    Ours(SyncRecord),
    /// Another run has it, until then.
    Held(SyncRecord, OffsetDateTime),
    /// It was done already, or its sync has ended.
    Done,
}

/// Takes the look that a follow-up asks for; `None` when there is nothing to do for this run.
///
/// # Errors
/// When records or queue fail.
pub async fn take(
    application: &Application,
    follow_up: &SyncVerification,
) -> Result<Option<SyncRecord>, BatchError> {
    let now = application.now();
    let taken =
        records::change_sync(&application.store, &follow_up.namespace_id, |existing| match existing {
            Some(mut current)
                if current.sync_id == follow_up.sync_id
                    && current.phase != Phase::Ended
                    && current.attempt <= follow_up.attempt =>
            {
                let held = current
                    .looking_until
                    .filter(|until| *until > now && current.attempt == follow_up.attempt);
                if let Some(until) = held {
                    return (Change::Keep, Taken::Held(current, until));
                }
                // A kill between a follow-up and its record leaves the record one attempt behind. The next follow-up must
                // not get the id of this one, or duplicate detection drops it and nobody ever looks again.
                current.attempt = follow_up.attempt;
                current.looking_until = Some(now + LEASE);
                (Change::Write(current.clone()), Taken::Ours(current))
            }
            _ => (Change::Keep, Taken::Done),
        });
    match taken.await? {
        Some(Taken::Ours(record)) => Ok(Some(record)),
        Some(Taken::Held(record, until)) => {
            // Should that run be dead, its look is done when the lease has run out.
            tracing::info!(sync.id = record.sync_id, attempt = record.attempt, "another run is looking");
            submission::follow_up_after(application, &record, until).await?;
            Ok(None)
        }
        Some(Taken::Done) | None => {
            tracing::info!(
                sync.id = follow_up.sync_id,
                attempt = follow_up.attempt,
                "this look was done already"
            );
            Ok(None)
        }
    }
}
