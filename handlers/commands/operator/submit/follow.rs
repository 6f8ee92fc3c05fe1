//! Waits for the outcome of a request until a deadline.

use std::time::Duration;

use certificate_management::reason::Reason;
use certificate_management::request::{Outcome, RequestRecord};
use state::Store;
use state::WriteError;
use tokio::time::{Instant, sleep, timeout_at};

use super::evidence::Evidence;
use super::progress::Progress;
use crate::synchronization::records;

/// The pause after the first look.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause between two looks at a record, which is one small blob.
const LONGEST_PAUSE_FOR_RECORD: Duration = Duration::from_secs(5);
/// The longest pause between two looks at the hubs, which draw from the ARM budget.
const LONGEST_PAUSE_FOR_HUBS: Duration = Duration::from_secs(20);

/// Where the command learns the outcome.
pub enum Source<'a> {
    /// The record of the request, which the functions write.
    Records {
        /// The records.
        store: &'a Store,
        /// The record as it was submitted.
        record: &'a RequestRecord,
    },
    /// The hubs themselves.
    Evidence(Box<Evidence<'a>>),
}

/// Why a look did not show the outcome.
struct NotLearnt {
    why: String,
    /// Whether a later look may show it.
    passes: bool,
}

/// How the waiting ended.
pub enum Ended {
    /// The request has its outcome.
    Final(RequestRecord),
    /// It has none yet.
    TimedOut(RequestRecord),
    /// The command could not learn the outcome.
    Unknown {
        /// Its last known record.
        record: Option<RequestRecord>,
        /// Why it could not, for a person to read.
        why: String,
    },
}

impl Ended {
    /// The last known record of the request.
    pub fn record(&self) -> Option<&RequestRecord> {
        match self {
            Self::Final(record) | Self::TimedOut(record) => Some(record),
            Self::Unknown { record, .. } => record.as_ref(),
        }
    }
}

/// Whether every hub in question trusts.
pub fn is_trusted(record: &RequestRecord) -> bool {
    matches!(record.outcome, Outcome::AlreadyTrusted | Outcome::Trusted)
}

impl Source<'_> {
    /// A sentence for a person about where the outcome comes from, where that is not the record.
    pub fn explanation(&self) -> Option<&'static str> {
        match self {
            Self::Records { .. } => None,
            Self::Evidence(_) => Some(
                "The records are in another process (POLICYSYNC_STATE=memory), so the outcome is judged by what the hubs show.",
            ),
        }
    }

    fn longest_pause(&self) -> Duration {
        match self {
            Self::Records { .. } => LONGEST_PAUSE_FOR_RECORD,
            Self::Evidence(_) => LONGEST_PAUSE_FOR_HUBS,
        }
    }

    async fn ask(&mut self) -> Result<RequestRecord, NotLearnt> {
        match self {
            Self::Records { store, record } => {
                let id = &record.request.request_id;
                match records::request(store, id).await {
                    Ok(Some(record)) => Ok(record),
                    Ok(None) => Err(NotLearnt { why: "its record is gone".to_owned(), passes: false }),
                    Err(error) => {
                        let passes = match &error {
                            WriteError::Conflict => true,
                            WriteError::Failed(error) => error.kind().is_transient(),
                        };
                        Err(NotLearnt { why: error.to_string(), passes })
                    }
                }
            }
            Self::Evidence(evidence) => evidence
                .observe()
                .await
                .map_err(|error| NotLearnt { why: error.to_string(), passes: error.is_retryable() }),
        }
    }
}

/// Looks until the request has its outcome or the deadline has passed.
pub async fn follow(
    mut source: Source<'_>,
    mut progress: Progress,
    submitted: &RequestRecord,
    deadline: Instant,
) -> Ended {
    let mut last: Option<RequestRecord> = None;
    let mut trouble = None;
    let mut pause = FIRST_PAUSE;
    loop {
        match timeout_at(deadline, source.ask()).await {
            Ok(Ok(record)) => {
                progress.show(&record);
                if record.outcome.is_final() {
                    return Ended::Final(record);
                }
                (last, trouble) = (Some(record), None);
            }
            Ok(Err(not_learnt)) if not_learnt.passes => trouble = Some(not_learnt.why),
            Ok(Err(not_learnt)) => return Ended::Unknown { record: last, why: not_learnt.why },
            Err(_) => break,
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            break;
        }
        sleep(pause.min(left)).await;
        pause = pause.mul_f64(1.5).min(source.longest_pause());
    }
    match (trouble, last) {
        (Some(why), record) => Ended::Unknown { record, why },
        (None, None) => Ended::Unknown { record: None, why: "no look at it ended in time".to_owned() },
        (None, Some(last)) => at_the_deadline(source, last, submitted),
    }
}

/// At the deadline a record still says how far the request is. Without it, and without hubs that can be read, the
/// outcome is unknown.
fn at_the_deadline(source: Source<'_>, last: RequestRecord, submitted: &RequestRecord) -> Ended {
    let Source::Evidence(evidence) = source else { return Ended::TimedOut(last) };
    let judged = evidence.overdue();
    let is_unreadable = judged.hubs.iter().any(|hub| hub.reason == Some(Reason::HubUnreadable));
    let is_worse = judged.hubs.iter().any(|hub| hub.reason == Some(Reason::EvidenceMissing));
    if is_unreadable && !is_worse {
        let why = format!(
            "the certificates of a hub of {} could not be read",
            submitted.request.namespace_id.name()
        );
        return Ended::Unknown { record: Some(judged), why };
    }
    Ended::TimedOut(judged)
}

#[cfg(test)]
mod tests {
    use certificate_management::request::SyncRequest;

    use time::OffsetDateTime;

    use super::*;
    use crate::commands::table::Output;
    use certificate_management::sync::Conclusion;

    async fn submitted() -> (Store, RequestRecord) {
        let store = Store::memory();
        let id = "/subscriptions/S/resourceGroups/R/providers/Microsoft.DeviceRegistry/namespaces/contoso";
        let request = SyncRequest::from_submission(&format!("{{\"namespaceId\":\"{id}\"}}"), "r-1").unwrap();
        records::admit(&store, &request, OffsetDateTime::now_utc()).await.unwrap();
        let record = records::request(&store, &request.request_id).await.unwrap().unwrap();
        (store, record)
    }

    async fn conclude(store: &Store, record: &RequestRecord, outcome: Outcome) {
        let now = OffsetDateTime::now_utc();
        let conclusion = Conclusion {
            plan: None,
            request: record.request.clone(),
            sync_id: None,
            outcome,
            reason: None,
            detail: None,
            hubs: Vec::new(),
        };
        records::conclude(store, &conclusion, None, now).await.unwrap();
    }

    async fn followed(store: &Store, record: &RequestRecord, within: Duration) -> Ended {
        let source = Source::Records { store, record };
        let progress = Progress::start(record, Output::Json, None);
        follow(source, progress, record, Instant::now() + within).await
    }

    #[tokio::test]
    async fn a_record_is_followed_until_it_has_its_outcome() {
        let (store, record) = submitted().await;
        let ends = async {
            conclude(&store, &record, Outcome::Syncing).await;
            sleep(Duration::from_millis(100)).await;
            conclude(&store, &record, Outcome::Trusted).await;
        };
        let (ended, ()) = tokio::join!(followed(&store, &record, Duration::from_secs(30)), ends);
        assert!(matches!(&ended, Ended::Final(record) if is_trusted(record)), "{:?}", ended.record());
    }

    #[tokio::test]
    async fn a_record_that_never_ends_is_waited_for_until_the_deadline_and_no_longer() {
        let (store, record) = submitted().await;
        let since = std::time::Instant::now();
        let ended = followed(&store, &record, Duration::from_millis(200)).await;
        assert!(matches!(ended, Ended::TimedOut(_)));
        assert!(since.elapsed() >= Duration::from_millis(200) && since.elapsed() < Duration::from_secs(10));
    }

    #[tokio::test]
    async fn a_record_that_is_not_there_is_no_outcome() {
        let (store, record) = submitted().await;
        let other = SyncRequest { request_id: "r-2".to_owned(), ..record.request.clone() };
        let other = RequestRecord { request: other, ..record };
        let ended = followed(&store, &other, Duration::from_secs(30)).await;
        assert!(matches!(ended, Ended::Unknown { record: None, .. }));
    }
}
