//! Every write has its record: who, why, by which plan.

use std::time::Duration;

use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{Event, Oracle, StoredRecord, given, synchronized};
use crate::engine::BEGIN;

/// From the record of a write to the write at the service: an invocation and a call that is slow, by clocks that are two minutes apart.
const APART: Duration = Duration::from_secs(5 * 60);

/// Whether a record names this policy: that of an authority is recorded with its namespace before it.
fn names(recorded: &str, policy: &str) -> bool {
    let rest = recorded.len().checked_sub(policy.len()).and_then(|length| recorded.split_at_checked(length));
    rest.is_some_and(|(before, name)| {
        name.eq_ignore_ascii_case(policy) && (before.is_empty() || before.ends_with('/'))
    })
}

/// A write that has reached a service.
struct Write {
    number: u64,
    at: Duration,
    what: What,
}

enum What {
    /// A group was given a policy.
    Assigned { service: String, group: String, policy: String },
    /// A sync was started in this namespace, in lower case.
    Synced { namespace: String },
}

/// Every write of a play.
#[derive(Default)]
pub(super) struct OnRecord {
    writes: Vec<Write>,
}

impl Oracle for OnRecord {
    fn name(&self) -> &'static str {
        "on-record"
    }

    fn promise(&self) -> &'static str {
        "each write has a record that says who wrote, why, and by which plan"
    }

    fn see(&mut self, event: &Event<'_>, at: Duration) -> Vec<String> {
        match event {
            Event::Served { call, status, before, after } => {
                let number = call.number;
                self.writes.extend(given(before, after).map(|(_, group)| {
                    let (service, id) = (group.service.clone(), group.id.clone());
                    let policy = group.policy.clone().unwrap_or_default();
                    Write { number, at, what: What::Assigned { service, group: id, policy } }
                }));
                if let Some(namespace) = synchronized(call).filter(|_| *status < 300) {
                    self.writes.push(Write { number, at, what: What::Synced { namespace } });
                }
                Vec::new()
            }
            Event::Ended { records, .. } => {
                let unrecorded = self.writes.iter().filter(|write| !records.iter().any(|it| write.is_in(it)));
                unrecorded.map(|write| format!("call {}: {}", write.number, write.told())).collect()
            }
            _ => Vec::new(),
        }
    }
}

impl Write {
    /// Whether a record is of this write, and says all of it.
    fn is_in(&self, record: &StoredRecord) -> bool {
        let value = &record.value;
        let says =
            |pointer: &str| value.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty());
        let is =
            |pointer: &str, wanted: &str| says(pointer).is_some_and(|text| text.eq_ignore_ascii_case(wanted));
        match &self.what {
            What::Assigned { service, group, policy } => {
                let who_why_and_how =
                    ["/attribution/caller/name", "/rule", "/reason", "/attribution/plan", "/wokenBy", "/run"];
                record.key.starts_with("assignments/")
                    && is("/provisioningService", service)
                    && is("/enrollmentGroup", group)
                    && says("/after").is_some_and(|after| names(after, policy))
                    && self.is_near(says("/at"))
                    && who_why_and_how.iter().all(|pointer| says(pointer).is_some())
            }
            What::Synced { namespace } => {
                record.key.starts_with("requests/")
                    && is("/request/namespaceId", namespace)
                    && says("/plan").is_some()
                    && says("/syncId").is_some()
                    && self.was_open(says("/submittedAt"), says("/updatedAt"))
            }
        }
    }

    fn is_near(&self, recorded: Option<&str>) -> bool {
        recorded.and_then(since).is_some_and(|recorded| (recorded - self.at()).abs() <= APART)
    }

    /// Whether a request was submitted before, and got its outcome after.
    fn was_open(&self, submitted: Option<&str>, updated: Option<&str>) -> bool {
        let (Some(submitted), Some(updated)) = (submitted.and_then(since), updated.and_then(since)) else {
            return false;
        };
        submitted <= self.at() + APART && updated >= self.at() - APART
    }

    fn at(&self) -> time::Duration {
        time::Duration::try_from(self.at).unwrap_or_default()
    }

    fn told(&self) -> String {
        match &self.what {
            What::Assigned { service, group, policy } => {
                format!(
                    "{service}/{group} was given `{policy}`, and no record says who, why and by which plan"
                )
            }
            What::Synced { namespace } => {
                format!("{namespace} was synced, and no record of a request says by which plan")
            }
        }
    }
}

/// A time of a record as time since the beginning.
fn since(text: &str) -> Option<time::Duration> {
    OffsetDateTime::parse(text, &Rfc3339).ok().map(|at| at - BEGIN)
}
