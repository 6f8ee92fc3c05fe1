//! The audit record: every write with the policy before and after it, and every refusal that a person may ask about.
//!
//! - `assignments/{run}/{dps}/{group}`: a write. The writer stores it before it sends the write and completes it after
//!   reading the group back, so that a kill in between leaves a trace; it takes the record of a write that the service refused away.
//!   `assign --revert` reads these records.
//! - `refusals/{dps}/{group}`: the refusals of a group, the last one first. The journal does not write the same refusal
//!   again, so a run over an unchanged world writes nothing.
//!
//! A record names policies and versions only, and never holds anything of a group's attestation.

use std::collections::BTreeMap;

use certificate_management::ArmId;
use certificate_management::attribution::Attribution;
use certificate_management::plan::saved::PlannedAssignment;
use certificate_management::reason::Reason;
use serde::{Deserialize, Serialize};
use state::{Change, Store, key};
use time::OffsetDateTime;
use ulid::Ulid;

/// Prefix of the records of writes.
pub const ASSIGNMENTS: &str = "assignments";
/// How many refusals of a group are kept beside the last one.
const EARLIER_REFUSALS: usize = 20;
/// Prefix of the records of refusals.
const REFUSALS: &str = "refusals";

/// Writes the records of one run.
#[derive(Debug, Clone)]
pub struct Journal<'a> {
    /// Where the records are kept.
    pub store: &'a Store,
    /// The id of the run.
    pub run: String,
    /// The function and its invocation, or the command and its person, that does it.
    pub woken_by: String,
    /// The trace that the run belongs to.
    pub trace_id: String,
}

/// How far a write is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// The writer is about to send it, or never learnt its outcome.
    Planned,
    /// It was read back.
    Written,
}

/// The record of a write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WriteRecord {
    /// `assignment/v1`.
    pub record: String,
    /// Id of the run.
    pub run: String,
    /// The function and its invocation, or the command and its person, that woke it.
    pub woken_by: String,
    /// Who wrote, why, and by which plan. Records of older versions do not have it.
    #[serde(default)]
    pub attribution: Attribution,
    /// ARM id of the namespace.
    pub namespace_id: ArmId,
    /// The name of the DPS.
    pub provisioning_service: String,
    /// Id of the group.
    pub enrollment_group: String,
    /// The rule or the wish that says so.
    pub rule: String,
    /// The policy that was there.
    pub before: Option<String>,
    /// The policy that is there now; `None`: no policy.
    pub after: Option<String>,
    /// The version before the write.
    pub etag_before: Option<String>,
    /// The version after it, once it was read back.
    pub etag: Option<String>,
    /// Why.
    pub reason: Reason,
    /// With the particulars.
    pub detail: String,
    /// The trace that the run belongs to.
    pub trace_id: Option<String>,
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// How far it is.
    pub stage: Stage,
}

/// The record of the refusals of a group: nothing was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RefusalRecord {
    record: String,
    #[serde(flatten)]
    last: Refused,
    /// The refusals before it, the newest first.
    #[serde(default)]
    earlier: Vec<Refused>,
}

/// One refusal, with what led to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Refused {
    #[serde(flatten)]
    refusal: WriteRefusal,
    run: String,
    woken_by: String,
    etag: Option<String>,
    trace_id: Option<String>,
    #[serde(with = "time::serde::rfc3339")]
    at: OffsetDateTime,
    /// The run that assigned the group after all.
    settled_by: Option<String>,
}

/// The members of which equal values make two refusals the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WriteRefusal {
    namespace_id: ArmId,
    provisioning_service: String,
    enrollment_group: String,
    rule: String,
    before: Option<String>,
    wanted: Option<String>,
    reason: Reason,
    detail: String,
}

impl Journal<'_> {
    /// Records a write that is about to be sent.
    ///
    /// # Errors
    /// When the store cannot be written; then nothing must be sent.
    pub async fn planned(
        &self,
        entry: &PlannedAssignment,
        attribution: Attribution,
        now: OffsetDateTime,
    ) -> Result<WriteRecord, state::Error> {
        let record = WriteRecord {
            record: "assignment/v1".to_owned(),
            run: self.run.clone(),
            woken_by: self.woken_by.clone(),
            attribution,
            namespace_id: entry.namespace_id.clone(),
            provisioning_service: entry.provisioning_service.clone(),
            enrollment_group: entry.enrollment_group.clone(),
            rule: entry.rule.clone(),
            before: entry.before.clone(),
            after: entry.after.clone(),
            etag_before: entry.etag.clone(),
            etag: None,
            reason: entry.reason,
            detail: entry.detail.clone(),
            trace_id: Some(self.trace_id.clone()),
            at: now,
            stage: Stage::Planned,
        };
        self.store.put(&self.write_key(&record), &record).await?;
        Ok(record)
    }

    /// Completes the record of a write after it was read back, and closes the refusal that the write ends, if there is
    /// one.
    ///
    /// # Errors
    /// When the store cannot be written. The write itself is done all the same.
    pub async fn written(&self, record: WriteRecord, etag: Option<String>) -> Result<(), state::WriteError> {
        let record = WriteRecord { etag, stage: Stage::Written, ..record };
        self.store.put(&self.write_key(&record), &record).await?;
        let key = refusal_key(&record.provisioning_service, &record.enrollment_group);
        let close = |existing: Option<RefusalRecord>| match existing {
            Some(RefusalRecord { record, last, earlier }) if last.settled_by.is_none() => {
                let last = Refused { settled_by: Some(self.run.clone()), ..last };
                Change::Write(RefusalRecord { record, last, earlier })
            }
            _ => Change::Keep,
        };
        self.store.modify(&key, close).await.map(|_| ())
    }

    /// Takes the record of a write away that was certainly not made.
    ///
    /// # Errors
    /// When the store cannot be written. Then the record says that the outcome was never learnt.
    pub async fn withdrawn(&self, record: &WriteRecord) -> Result<(), state::Error> {
        self.store.delete(&self.write_key(record)).await
    }

    /// Records that a group was not written. The same refusal again changes nothing.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub async fn refused(
        &self,
        entry: &PlannedAssignment,
        reason: Reason,
        detail: &str,
        now: OffsetDateTime,
    ) -> Result<(), state::WriteError> {
        let refusal = WriteRefusal {
            namespace_id: entry.namespace_id.clone(),
            provisioning_service: entry.provisioning_service.clone(),
            enrollment_group: entry.enrollment_group.clone(),
            rule: entry.rule.clone(),
            before: entry.before.clone(),
            wanted: entry.after.clone(),
            reason,
            detail: detail.to_owned(),
        };
        let decide = |existing: Option<RefusalRecord>| match existing {
            Some(open) if open.last.settled_by.is_none() && open.last.refusal == refusal => Change::Keep,
            existing => {
                let last = Refused {
                    refusal: refusal.clone(),
                    run: self.run.clone(),
                    woken_by: self.woken_by.clone(),
                    etag: entry.etag.clone(),
                    trace_id: Some(self.trace_id.clone()),
                    at: now,
                    settled_by: None,
                };
                let mut earlier = Vec::new();
                if let Some(before) = existing {
                    earlier.push(before.last);
                    earlier.extend(before.earlier);
                    earlier.truncate(EARLIER_REFUSALS);
                }
                Change::Write(RefusalRecord { record: "refusal/v1".to_owned(), last, earlier })
            }
        };
        let key = refusal_key(&entry.provisioning_service, &entry.enrollment_group);
        self.store.modify(&key, decide).await.map(|_| ())
    }

    fn write_key(&self, record: &WriteRecord) -> String {
        let place = place(&record.provisioning_service, &record.enrollment_group);
        format!("{ASSIGNMENTS}/{}/{place}", key::segment(&self.run))
    }
}

/// Every write of a run, in the order of their keys.
///
/// # Errors
/// When the store cannot be read; also when the run has more records than one listing holds.
pub async fn of_run(store: &Store, run: &str) -> Result<Vec<WriteRecord>, String> {
    let listing = store.list(&format!("{ASSIGNMENTS}/{}", key::segment(run))).await;
    let listing = listing.map_err(|error| error.to_string())?;
    if listing.cut {
        return Err(format!("run {run} has more than {} records", listing.keys.len()));
    }
    let mut records = Vec::new();
    for key in &listing.keys {
        let found = store.get::<WriteRecord>(key).await.map_err(|error| error.to_string())?;
        records.extend(found.map(|stored| stored.value));
    }
    Ok(records)
}

/// The newest write to each group, by where the group is. Nothing of the records is read yet.
pub struct NewestWrites {
    keys: BTreeMap<String, WriteKey>,
}

impl NewestWrites {
    /// Lists them. `most` keys of the newest are searched.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn find(store: &Store, most: usize) -> Result<Self, state::Error> {
        let mut keys = BTreeMap::new();
        for key in store.newest(ASSIGNMENTS, most).await? {
            if let Some(place) = key.splitn(3, '/').nth(2) {
                keys.entry(place.to_owned()).or_insert(WriteKey { key });
            }
        }
        Ok(Self { keys })
    }

    /// The newest write to a group, by the name of its DPS and its id.
    #[must_use]
    pub fn of(&self, provisioning_service: &str, enrollment_group: &str) -> Option<&WriteKey> {
        self.keys.get(&place(provisioning_service, enrollment_group))
    }
}

/// The key of the record of a write, which is not read yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteKey {
    key: String,
}

impl WriteKey {
    /// Whether it is about this group.
    #[must_use]
    pub fn is_of(&self, provisioning_service: &str, enrollment_group: &str) -> bool {
        self.key.splitn(3, '/').nth(2) == Some(place(provisioning_service, enrollment_group).as_str())
    }

    /// The record.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn read(&self, store: &Store) -> Result<Option<WriteRecord>, state::Error> {
        Ok(store.get::<WriteRecord>(&self.key).await?.map(|stored| stored.value))
    }
}

/// The writes of runs that began at `since` or later, the newest run first: the id of a run tells when it began.
///
/// # Errors
/// When the store cannot be read.
pub async fn since(store: &Store, since: OffsetDateTime) -> Result<Vec<WriteKey>, state::Error> {
    let listing = store.list(ASSIGNMENTS).await?;
    if listing.cut {
        tracing::warn!(
            "there are more records of assignments than one listing holds; the newest are left out"
        );
    }
    let began = |key: &String| {
        let run: Ulid = key.split('/').nth(1)?.parse().ok()?;
        Some(i128::from(run.timestamp_ms()) * 1_000_000)
    };
    let recent = listing.keys.into_iter().rev();
    let recent = recent.filter(|key| began(key).is_some_and(|at| at >= since.unix_timestamp_nanos()));
    Ok(recent.map(|key| WriteKey { key }).collect())
}

fn refusal_key(provisioning_service: &str, enrollment_group: &str) -> String {
    format!("{REFUSALS}/{}", place(provisioning_service, enrollment_group))
}

/// Azure compares the names of a DPS and of a group in any case.
fn place(provisioning_service: &str, enrollment_group: &str) -> String {
    let segment = |name: &str| key::segment(&name.to_ascii_lowercase());
    format!("{}/{}", segment(provisioning_service), segment(enrollment_group))
}

#[cfg(test)]
mod tests;
