//! Handles a batch of messages. It works on each namespace for itself, within a time of its own. Messages that did not
//! get done come again later; messages that cannot be parsed are parked, after their neighbours.

use certificate_management::reason::Reason;
use futures::future::join_all;
use futures::{StreamExt, stream};
use tokio::time::Instant;

use super::observe::AT_ONCE;
use super::received::Received;
pub use super::settling::BatchError;
use super::settling::{Aside, Settled, settle};
pub use super::sorting::Handled;
use super::sorting::sorted;
use super::working;
use crate::application::Application;
use crate::observation::Observer;

/// Handles a batch.
///
/// # Errors When a message could neither be done nor put back nor parked; then the batch must come again.
pub async fn handle(application: &Application, messages: Vec<Received>) -> Result<Handled, BatchError> {
    let since = Instant::now();
    let mut done = Handled::default();
    let (by_namespace, unreadable) = sorted(messages, &mut done);
    let observer = Observer::new(&application.fleet);
    let works =
        by_namespace.iter().map(|(id, work)| working::within(application, &observer, id, work, since));
    // All namespaces of a batch at once: the ARM budget decides how fast they go.
    let mut aside = Aside { to_park: unreadable, to_hold: Vec::new() };
    for of_namespace in join_all(works).await {
        aside.to_park.extend(of_namespace.to_park);
        aside.to_hold.extend(of_namespace.to_hold);
    }
    settle_all(application, aside, Reason::RecordsUnreadable, since, done).await
}

/// Puts every message of a batch back for later, since there is no configuration by which any could be worked on.
///
/// # Errors
/// As [`handle`].
pub async fn hold(
    application: &Application,
    messages: Vec<Received>,
    because: &str,
) -> Result<Handled, BatchError> {
    let to_hold = messages.into_iter().map(|message| (message, because.to_owned())).collect();
    let aside = Aside { to_park: Vec::new(), to_hold };
    settle_all(application, aside, Reason::ConfigurationMissing, Instant::now(), Handled::default()).await
}

/// Settles what was set aside in a batch that began at `since`; `worn_out` says why messages were held.
async fn settle_all(
    application: &Application,
    aside: Aside,
    worn_out: Reason,
    since: Instant,
    mut done: Handled,
) -> Result<Handled, BatchError> {
    let until = since + application.fleet.deadlines.settled;
    let parks = aside.to_park.into_iter().map(|(message, unreadable)| {
        let because = unreadable.to_string();
        (message, because, Some(unreadable))
    });
    let holds = aside.to_hold.into_iter().map(|(message, because)| (message, because, None));
    // All at once, so that a call that hangs does not use up the time of the others.
    let settles: Vec<_> = holds
        .chain(parks)
        .map(|(message, because, unreadable)| {
            settle(application, message, because, unreadable, worn_out, until)
        })
        .collect();
    let settled: Vec<_> = stream::iter(settles).buffer_unordered(AT_ONCE).collect().await;
    let mut failure = None;
    for settled in settled {
        match settled {
            Ok(Settled::Held) => done.held += 1,
            Ok(Settled::Parked) => done.parked += 1,
            Err(error) => failure = Some(error),
        }
    }
    failure.map_or(Ok(done), Err)
}
