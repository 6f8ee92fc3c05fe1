//! Records requests and joins them to the sync of their namespace.

use certificate_management::reason::Reason;
use certificate_management::request::{RequestRecord, SyncRequest, Unreadable};
use certificate_management::sync::{Admission, Event};
use futures::{StreamExt, stream};

use super::drive::{DriveError, Driver};
use super::observe::AT_ONCE;
use super::received::Received;
use super::records;
use super::settling::Aside;
use crate::application::Application;

/// Records requests and joins them to the sync of their namespace. It parks a request whose id belongs to another one,
/// and holds a request that it cannot record; the other requests of the batch join all the same.
pub(super) async fn join(
    application: &Application,
    driver: &mut Driver<'_>,
    requests: &[(SyncRequest, Received)],
    aside: &mut Aside,
) -> Result<(), DriveError> {
    let (store, now) = (&application.store, application.fleet.now());
    let admissions: Vec<_> = requests
        .iter()
        .map(
            |(request, message)| async move { (request, message, records::admit(store, request, now).await) },
        )
        .collect();
    let admitted: Vec<_> = stream::iter(admissions).buffered(AT_ONCE).collect().await;
    let mut known = Vec::new();
    for (request, message, admission) in admitted {
        match admission {
            Ok(Admission::New(record) | Admission::Known(record)) => known.push(record),
            Ok(Admission::Different) => {
                let id = &request.request_id;
                let detail = format!("requestId: `{id}` belongs to a request that asks for something else");
                let unreadable = Unreadable { reason: Reason::RequestIdTaken, detail };
                aside.to_park.push((message.clone(), unreadable));
            }
            Ok(Admission::Reserved) => {
                let id = &request.request_id;
                let detail = format!("requestId: `{id}` has a form that only Policysync gives");
                let unreadable = Unreadable { reason: Reason::MessageInvalid, detail };
                aside.to_park.push((message.clone(), unreadable));
            }
            Err(error) => aside.to_hold.push((message.clone(), format!("records: {error}"))),
        }
    }
    if known.is_empty() {
        return Ok(());
    }
    take_in(application, driver, &known).await
}

/// Joins requests that have a record, and takes the marks of those away that the machine says need none any more.
///
/// # Errors
/// When records or queue fail.
pub async fn take_in(
    application: &Application,
    driver: &mut Driver<'_>,
    known: &[RequestRecord],
) -> Result<(), DriveError> {
    driver.handle(&Event::Requested, known).await?;
    let store = &application.store;
    let unmarks: Vec<_> = driver
        .without_mark
        .iter()
        .map(String::as_str)
        .map(|id| async move { (id, records::unmark(store, id).await) })
        .collect();
    let unmarked: Vec<_> = stream::iter(unmarks).buffer_unordered(AT_ONCE).collect().await;
    for (id, error) in unmarked.into_iter().filter_map(|(id, outcome)| Some((id, outcome.err()?))) {
        // A mark that stays makes the report take the request in once more, which changes nothing.
        tracing::warn!(request.id = id, "the mark of a request stays: {error}");
    }
    Ok(())
}
