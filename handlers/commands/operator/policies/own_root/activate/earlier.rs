//! What earlier runs have sent. An activation cannot be undone, and until the service is done with one, the authority shows
//! that it waits for a signature, as before. So a run asks the records of the runs before it, and sends nothing while a chain
//! with the same certificate may be on its way.

use std::time::Duration;

use azure::LongRunningOperation;
use certificate_management::ArmId;
use certificate_management::declared::Stage;
use futures::{StreamExt, stream};
use serde::Deserialize;
use state::{Error, ErrorKind, Store, key};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use ulid::Ulid;

use super::DEFAULT_TIMEOUT;

/// Prefix of the records, which stand beside those of other writes to the registry.
const RECORDS: &str = "registry-writes";
/// How many of the newest keys are searched: many more than all runs write while a record counts.
const KEYS: usize = 10_000;
/// How many records of one authority are read, the newest first.
const READ: usize = 20;
/// Deadline of the request with all its attempts and waits.
pub const WITHIN: Duration = Duration::from_secs(30);
/// How long an authority is looked at that shows nothing of the chain, where no operation says that it goes on: the
/// operation has ended, or the answer that named it was lost.
pub const SETTLES: Duration = Duration::from_secs(120);
/// How long a chain may be on its way whose outcome no run has learnt: the deadline of its request, and the time until the
/// authority shows what came of it.
const UNKNOWN_FOR: Duration = WITHIN.saturating_add(SETTLES);
/// How long the service may be at work on a chain that it has taken: as long as Azure's own tools wait.
const TAKEN_FOR: Duration = DEFAULT_TIMEOUT;
/// How long a record counts that cannot be read, from the start of its run: longer than a run can be told to wait.
const UNREADABLE_FOR: Duration = Duration::from_secs(2 * 24 * 60 * 60);

/// The key of the record of what a run sends to an authority.
pub fn place(run: &str, authority: &ArmId) -> String {
    format!("{RECORDS}/{}/{}", key::segment(run), key::segment(&authority.key()))
}

/// What there is to know before a chain is sent.
#[derive(Debug, PartialEq, Eq)]
pub enum Before {
    /// No chain with the certificate is on its way.
    Nothing,
    /// One may be.
    Sent(Earlier),
    /// A record may say that one is, and cannot be read: its key.
    Unreadable(String),
}

/// A chain that an earlier run has sent, and that may be on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earlier {
    /// Key of its record.
    key: String,
    /// The run.
    run: String,
    /// When it was about to send the chain, by its clock.
    at: OffsetDateTime,
    /// Until when the record counts.
    until: OffsetDateTime,
    /// Its clock is ahead of that of this run.
    is_ahead: bool,
    /// What the service said goes on, where it did.
    operation: Option<LongRunningOperation>,
}

impl Earlier {
    /// The run that has sent it.
    pub fn run(&self) -> &str {
        &self.run
    }

    /// What the service said goes on.
    pub fn operation(&self) -> Option<LongRunningOperation> {
        self.operation.clone()
    }

    /// How long the record counts still.
    pub fn counts_for(&self, now: OffsetDateTime) -> Duration {
        Duration::try_from(self.until - now).unwrap_or(Duration::ZERO)
    }

    /// Why this run has sent nothing.
    pub fn why(&self) -> String {
        format!(
            "this run has sent nothing, since run {} was about to send this chain at {} and the service may be at work on it",
            self.run,
            told(self.at)
        )
    }

    /// What a person does when the authority never shows the certificate.
    pub fn next_step(&self) -> String {
        let again = format!(
            "If the authority still waits for its signature after {}, the chain did not arrive: the same command sends it then",
            told(self.until)
        );
        match self.is_ahead {
            false => format!("{again}."),
            true => format!(
                "{again}. The clock of that run is ahead of this one's: if this one is right, delete the record `{}` to send \
                 it sooner.",
                self.key
            ),
        }
    }
}

fn told(time: OffsetDateTime) -> String {
    let time = time.replace_nanosecond(0).unwrap_or(time);
    time.format(&Rfc3339).unwrap_or_else(|_| time.to_string())
}

/// What is needed of a record of an activation, so that one of another version is understood.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Recorded {
    run: String,
    certificate_sha256: String,
    #[serde(with = "time::serde::rfc3339")]
    at: OffsetDateTime,
    stage: Stage,
    #[serde(default)]
    operation: Option<String>,
}

/// A record of the authority: what it says, or `None` where it cannot be read.
type Record = (String, Option<Recorded>);

/// Looks for a chain with the certificate that a run other than `run` has sent to the authority.
///
/// # Errors
/// When the records cannot be read.
pub async fn find(
    store: &Store,
    run: &str,
    authority: &ArmId,
    certificate_sha256: &str,
    now: OffsetDateTime,
) -> Result<Before, Error> {
    let own = place(run, authority);
    let target = key::segment(&authority.key());
    let mut keys = store.newest(RECORDS, KEYS).await?;
    keys.retain(|key| *key != own && key.rsplit('/').next() == Some(target.as_str()));
    keys.truncate(READ);
    let reads: Vec<_> = keys.iter().map(|key| store.get::<Recorded>(key)).collect();
    let reads: Vec<_> = stream::iter(reads).buffered(READ).collect().await;
    let mut records: Vec<Record> = Vec::new();
    for (key, read) in keys.into_iter().zip(reads) {
        match read {
            Ok(Some(record)) => records.push((key, Some(record.value))),
            // It was deleted meanwhile.
            Ok(None) => {}
            Err(error) if matches!(error.kind(), ErrorKind::Corrupt | ErrorKind::TooLarge) => {
                records.push((key, None));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(decide(&records, certificate_sha256, now))
}

/// Decides whether one of the records of an authority says that a chain with the certificate may be on its way.
fn decide(records: &[Record], certificate_sha256: &str, now: OffsetDateTime) -> Before {
    let sent = records.iter().filter_map(|(key, record)| {
        let record = record.as_ref()?;
        let counts_for = match record.stage {
            Stage::Planned => UNKNOWN_FOR,
            Stage::Accepted => TAKEN_FOR,
            Stage::Refused | Stage::PutOff => return None,
        };
        let until = after(record.at, counts_for);
        let is_same = record.certificate_sha256.eq_ignore_ascii_case(certificate_sha256);
        let operation = record.operation.as_deref().and_then(|url| url.parse().ok());
        (is_same && now < until).then(|| Earlier {
            key: key.clone(),
            run: record.run.clone(),
            at: record.at,
            until,
            is_ahead: record.at > now,
            operation: operation
                .map(|url| LongRunningOperation { url: Some(url), ..LongRunningOperation::default() }),
        })
    });
    // Of several the one that counts longest.
    if let Some(earlier) = sent.max_by_key(|earlier| earlier.until) {
        return Before::Sent(earlier);
    }
    let counts = |key: &str| began(key).is_none_or(|began| now < after(began, UNREADABLE_FOR));
    match records.iter().find(|(key, record)| record.is_none() && counts(key)) {
        Some((key, _)) => Before::Unreadable(key.clone()),
        None => Before::Nothing,
    }
}

fn after(time: OffsetDateTime, duration: Duration) -> OffsetDateTime {
    time.saturating_add(duration.try_into().unwrap_or(time::Duration::MAX))
}

/// When the run began whose record this is; `None` where its id does not say.
fn began(key: &str) -> Option<OffsetDateTime> {
    let run = Ulid::from_string(key.split('/').nth(1)?).ok()?;
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(run.timestamp_ms()) * 1_000_000).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-11-01 12:00 UTC);
    const AUTHORITY: &str = "/subscriptions/S/resourceGroups/R/providers/Microsoft.DeviceRegistry/namespaces/n/\
                             certificateAuthorities/a";

    fn recorded(certificate: &str, stage: Stage, seconds_ago: i64) -> Option<Recorded> {
        Some(Recorded {
            run: "r".to_owned(),
            certificate_sha256: certificate.to_owned(),
            at: NOW - time::Duration::seconds(seconds_ago),
            stage,
            operation: None,
        })
    }

    fn decided(records: &[(&str, Option<Recorded>)]) -> String {
        let records: Vec<Record> =
            records.iter().map(|(key, one)| ((*key).to_owned(), one.clone())).collect();
        match decide(&records, "ab", NOW) {
            Before::Nothing => "nothing".to_owned(),
            Before::Sent(earlier) => format!("sent {}", earlier.counts_for(NOW).as_secs()),
            Before::Unreadable(key) => format!("unreadable {key}"),
        }
    }

    #[test]
    fn a_chain_is_on_its_way_while_a_record_of_its_certificate_says_so_and_counts() {
        use Stage::{Accepted, Planned, PutOff, Refused};
        let year = 365 * 24 * 60 * 60;
        assert_eq!(decided(&[]), "nothing");
        for (certificate, stage, seconds_ago, expected) in [
            ("ab", Planned, 0, "sent 150"),
            ("AB", Planned, 149, "sent 1"),
            ("ab", Planned, 150, "nothing"),
            ("ab", Planned, year, "nothing"),
            ("ab", Accepted, 150, "sent 450"),
            ("ab", Accepted, 599, "sent 1"),
            ("ab", Accepted, 600, "nothing"),
            ("ab", Refused, 0, "nothing"),
            ("ab", PutOff, 0, "nothing"),
            ("cd", Planned, 0, "nothing"),
            ("cd", Accepted, 0, "nothing"),
            // The clock of the run was ahead, by little and by much.
            ("ab", Planned, -60, "sent 210"),
            ("ab", Accepted, -year, "sent 31536600"),
            ("ab", Refused, -60, "nothing"),
        ] {
            let records = [("k", recorded(certificate, stage, seconds_ago))];
            assert_eq!(decided(&records), expected, "{certificate} {stage:?} {seconds_ago}");
        }
    }

    #[test]
    fn one_record_that_counts_is_enough_among_others_in_any_order() {
        let mut records = [
            ("a", recorded("ab", Stage::Refused, 0)),
            ("b", recorded("ab", Stage::Planned, 100)),
            ("c", recorded("cd", Stage::Accepted, 1)),
            ("registry-writes/not-a-ulid/a", None),
        ];
        assert_eq!(decided(&records), "sent 50");
        records.reverse();
        assert_eq!(decided(&records), "sent 50");
        records[0].1 = recorded("ab", Stage::Accepted, 100);
        assert_eq!(decided(&records), "sent 500", "that which counts longest");
    }

    #[test]
    fn a_record_that_cannot_be_read_counts_by_the_start_of_its_run_and_for_ever_where_that_is_not_known() {
        for (hours_ago, counts) in [(0, true), (47, true), (49, false), (-1, true)] {
            let began = NOW - time::Duration::hours(hours_ago);
            let milliseconds = u64::try_from(began.unix_timestamp()).unwrap() * 1_000;
            let key = format!("registry-writes/{}/a", Ulid::from_parts(milliseconds, 7));
            let expected = if counts { format!("unreadable {key}") } else { "nothing".to_owned() };
            assert_eq!(decided(&[(&key, None)]), expected, "{hours_ago}");
        }
        for key in ["", "registry-writes", "registry-writes/run/a"] {
            assert_eq!(decided(&[(key, None)]), format!("unreadable {key}"));
        }
    }

    #[test]
    fn no_time_that_a_record_holds_overflows() {
        for at in [datetime!(-9999-01-01 0:00 UTC), datetime!(9999-12-31 23:59:59 UTC)] {
            let mut record = recorded("ab", Stage::Accepted, 0);
            record.as_mut().unwrap().at = at;
            assert_eq!(decided(&[("k", record)]) == "nothing", at < NOW);
        }
    }

    #[test]
    fn the_operation_is_asked_about_again_and_an_address_that_is_none_is_left_out() {
        for (url, expected) in [("https://management.azure.com/x?s=1", true), ("not an address", false)] {
            let mut record = recorded("ab", Stage::Accepted, 0);
            record.as_mut().unwrap().operation = Some(url.to_owned());
            let Before::Sent(earlier) = decide(&[("k".to_owned(), record)], "ab", NOW) else { panic!() };
            assert_eq!(earlier.operation().is_some(), expected, "{url}");
        }
    }

    #[test]
    fn a_person_is_told_when_the_chain_can_be_sent_again_and_how_sooner_where_a_clock_is_ahead() {
        let told = |seconds_ago| {
            let records = [("the/key".to_owned(), recorded("ab", Stage::Planned, seconds_ago))];
            let Before::Sent(earlier) = decide(&records, "ab", NOW) else { panic!() };
            format!("{}. {}", earlier.why(), earlier.next_step())
        };
        let usual = told(60);
        assert!(usual.contains("2026-11-01T11:59:00Z") && usual.contains("2026-11-01T12:01:30Z"), "{usual}");
        assert!(!usual.contains("the/key"), "{usual}");
        assert!(told(-60).contains("the/key"));
    }

    fn record(stage: &str) -> Value {
        json!({"run": "r", "certificateSha256": "ab", "at": "2026-11-01T11:59:59Z", "stage": stage, "later": 1})
    }

    #[tokio::test]
    async fn records_of_others_and_of_this_run_say_nothing_and_unreadable_ones_are_not_passed_over() {
        let (store, authority) = (Store::memory(), ArmId::parse(AUTHORITY).unwrap());
        let other = ArmId::parse(&format!("{AUTHORITY}b")).unwrap();
        let look = async |run: &str| find(&store, run, &authority, "ab", NOW).await.unwrap();
        assert_eq!(look("own").await, Before::Nothing, "no record at all");
        store.put(&place("r", &other), &record("accepted")).await.unwrap();
        store.put(&place("own", &authority), &record("planned")).await.unwrap();
        assert_eq!(look("own").await, Before::Nothing);
        let before = look("another").await;
        assert!(matches!(&before, Before::Sent(earlier) if earlier.key == place("own", &authority)));
        store.put(&place("strange", &authority), &json!({"at": 1})).await.unwrap();
        assert_eq!(look("own").await, Before::Unreadable(place("strange", &authority)));
        store.put(&place("strange", &authority), &record("some-later-stage")).await.unwrap();
        assert_eq!(look("own").await, Before::Unreadable(place("strange", &authority)));
    }

    #[tokio::test]
    async fn a_bounded_number_of_records_is_read_the_newest_first() {
        let (store, authority) = (Store::memory(), ArmId::parse(AUTHORITY).unwrap());
        for at in 0..READ + 5 {
            store.put(&place(&format!("old-{at}"), &authority), &json!("not a record")).await.unwrap();
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
        store.put(&place("new", &authority), &record("planned")).await.unwrap();
        assert!(matches!(
            find(&store, "own", &authority, "ab", NOW).await.unwrap(),
            Before::Sent(earlier) if earlier.run() == "r"
        ));
    }
}
