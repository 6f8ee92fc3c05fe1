//! A section: what was seen of one namespace, with the time of each look. It is kept as a record, and the report is made of
//! all of them.
//!
//! A section has parts that are looked at by different runs: a look of a sync reads the namespace with its hubs, a walk
//! through the enrollment groups reads its DPS too. Each part has its own age. A section holds what was *seen*, never what
//! was found: findings follow from it, the rules and the time, whenever a report is made.
//!
//! A look that failed stands beside what was seen before it, and does not delete it. As long as it is the newest look, nothing
//! is claimed about its part but when it could be read last.

use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use crate::ArmId;
use crate::configuration::NamespaceConfiguration;
use crate::declared;
use crate::issuers::SeenIssuers;
use crate::model::{ReadFailure, ReadFailureKind};
use crate::plan::{Observation, ObservedHub};
use crate::readiness::Sides;
use crate::report_input::{Counted, Looks, NamespaceInput, ProvisioningServiceInput};
use crate::trust_over_time::TrustOverTime;

/// Version of the record.
pub const SECTION_SCHEMA: &str = "section/v1";
/// How long after a look at the links of a namespace the next one is due. They and the roles that they need change seldom, and a
/// look costs some three reads for each hub.
pub const LINKS_EVERY: Duration = Duration::days(1);

/// What was seen of one namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Section {
    /// [`SECTION_SCHEMA`], or that of another version, which this one does not understand.
    pub schema: String,
    /// The namespace.
    pub namespace_id: ArmId,
    /// The namespace itself, its policies, its hubs and their certificates.
    #[serde(default = "Part::default")]
    pub namespace: Part<Observation>,
    /// Its DPS and their groups.
    #[serde(default = "Part::default")]
    pub services: Part<Vec<ProvisioningServiceInput>>,
    /// What was counted there.
    #[serde(default = "Part::default")]
    pub counted: Part<Counted>,
    /// What is linked there and that the file does not name.
    #[serde(default = "Part::default", skip_serializing_if = "Part::is_blank")]
    pub unnamed: Part<Vec<ArmId>>,
    /// The authorities and policies that the file declares, where functions keep them so.
    #[serde(default = "Part::default", skip_serializing_if = "Part::is_blank")]
    pub declared: Part<declared::Seen>,
    /// Both sides of its links, which are looked at more seldom than the rest.
    #[serde(default = "Part::default", skip_serializing_if = "Part::is_blank")]
    pub links: Part<Sides>,
    /// The issuing CAs that all looks together have seen.
    #[serde(default, skip_serializing_if = "SeenIssuers::is_empty")]
    pub issuers: SeenIssuers,
    /// Since when each hub trusts each policy, as all looks together have seen it.
    #[serde(default, skip_serializing_if = "TrustOverTime::is_empty")]
    pub trust: TrustOverTime,
}

/// One part of a section.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part<T> {
    /// What was seen last.
    seen: Option<Seen<T>>,
    /// The look after that, if it failed.
    failed: Option<Failed>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Seen<T> {
    #[serde(with = "time::serde::rfc3339")]
    at: OffsetDateTime,
    value: T,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Failed {
    #[serde(with = "time::serde::rfc3339")]
    at: OffsetDateTime,
    failure: ReadFailure,
}

impl<T> Default for Part<T> {
    fn default() -> Self {
        Self { seen: None, failed: None }
    }
}

impl<T> Part<T> {
    /// What a look has brought at this time.
    #[must_use]
    pub fn of(look: Result<T, ReadFailure>, at: OffsetDateTime) -> Self {
        match look {
            Ok(value) => Self { seen: Some(Seen { at, value }), failed: None },
            Err(failure) => Self { seen: None, failed: Some(Failed { at, failure }) },
        }
    }

    /// When it was looked at last, whether or not that failed; `None`: never.
    #[must_use]
    pub fn looked_at(&self) -> Option<OffsetDateTime> {
        self.failed.as_ref().map(|failed| failed.at).max(self.seen_at())
    }

    /// When it was seen last; `None`: never.
    #[must_use]
    pub fn seen_at(&self) -> Option<OffsetDateTime> {
        self.seen.as_ref().map(|seen| seen.at)
    }

    /// What was seen last, whether or not a look has failed since; `None`: nothing.
    #[must_use]
    pub fn seen(&self) -> Option<&T> {
        self.seen.as_ref().map(|seen| &seen.value)
    }

    /// Whether no run has looked at it.
    fn is_blank(&self) -> bool {
        self.looked_at().is_none()
    }

    /// Takes in what another run has seen, of two looks the later one.
    fn take(&mut self, other: Self) {
        if other.seen_at() > self.seen_at() {
            self.seen = other.seen;
        }
        if other.failed.as_ref().map(|failed| failed.at) > self.failed.as_ref().map(|failed| failed.at) {
            self.failed = other.failed;
        }
        if self.failed.as_ref().map(|failed| failed.at) <= self.seen_at() {
            self.failed = None;
        }
    }

    /// What the last look has brought; a part that had none says so.
    fn into_look(self, what: &str) -> Result<T, ReadFailure> {
        match (self.failed, self.seen) {
            (Some(failed), _) => Err(failed.failure),
            (None, Some(seen)) => Ok(seen.value),
            (None, None) => Err(not_looked_at(what)),
        }
    }
}

/// Why nothing is known of a namespace that no run has looked at yet.
fn not_looked_at(what: &str) -> ReadFailure {
    ReadFailure {
        kind: ReadFailureKind::NotVisited,
        message: format!(
            "{what} not been looked at yet; the next run of report-policy-status begins with it"
        ),
        permission: None,
    }
}

impl Section {
    /// The section of a namespace that no run has looked at yet.
    #[must_use]
    pub fn new(namespace_id: &ArmId) -> Self {
        Self {
            schema: SECTION_SCHEMA.to_owned(),
            namespace_id: namespace_id.clone(),
            namespace: Part::default(),
            services: Part::default(),
            counted: Part::default(),
            unnamed: Part::default(),
            declared: Part::default(),
            links: Part::default(),
            issuers: SeenIssuers::default(),
            trust: TrustOverTime::default(),
        }
    }

    /// Whether this version understands it. One that it does not understand counts as none.
    #[must_use]
    pub fn is_understood(&self) -> bool {
        self.schema == SECTION_SCHEMA
    }

    /// Takes in what another run has seen: of each part the later look. In whatever order sections come together, the outcome
    /// is the same.
    pub fn take(&mut self, other: Self) {
        self.issuers.take(other.issuers);
        self.trust.take(other.trust);
        for seen in [&self.namespace.seen, &other.namespace.seen].into_iter().flatten() {
            self.issuers.note(&seen.value);
            self.trust.note(&seen.value);
        }
        self.namespace.take(other.namespace);
        self.services.take(other.services);
        self.counted.take(other.counted);
        self.unnamed.take(other.unnamed);
        self.declared.take(other.declared);
        self.links.take(other.links);
    }

    /// Whether its links are to be looked at: [`LINKS_EVERY`] after the last time, and at once where another hub is linked.
    #[must_use]
    pub fn are_links_due(&self, now: OffsetDateTime) -> bool {
        let Some(links) = &self.links.seen else { return true };
        let Some(seen) = &self.namespace.seen else { return false };
        let is_read = |hub: &ObservedHub| links.value.linked.iter().any(|linked| linked.id == hub.hub.id);
        now - links.at >= LINKS_EVERY || !seen.value.hubs.iter().all(is_read)
    }

    /// Adds to a look of now what only records tell: what was counted, the issuing CAs of earlier looks, and the last writes of what the
    /// file declares.
    pub fn remind(self, input: &mut NamespaceInput<'_>) {
        input.links = self.links.seen.map(|seen| (seen.at, seen.value));
        // What the file does not name was looked at just now.
        let unnamed = std::mem::take(&mut input.counted.unnamed);
        let counted = self.counted.seen.map(|seen| seen.value).unwrap_or_default();
        input.counted = Counted { unnamed, ..counted };
        (input.issuers, input.trust) = (self.issuers, self.trust);
        for observation in self.namespace.seen.iter().map(|seen| &seen.value).chain(&input.observation) {
            input.issuers.note(observation);
            input.trust.note(observation);
        }
        if let (Some(Ok(seen)), Some(known)) = (&mut input.declared, self.declared.seen) {
            seen.memory = known.value.memory;
        }
    }

    /// What the report is made from.
    #[must_use]
    pub fn into_input(self, configuration: &NamespaceConfiguration) -> NamespaceInput<'_> {
        let looks = Looks {
            namespace_at: self.namespace.looked_at(),
            services_at: self.services.looked_at(),
            read_at: self.namespace.seen_at(),
        };
        NamespaceInput {
            configuration,
            issuers: self.issuers,
            trust: self.trust,
            observation: self.namespace.into_look("the namespace has"),
            provisioning_services: self.services.into_look("its provisioning services have"),
            links: self.links.seen.map(|seen| (seen.at, seen.value)),
            counted: Counted {
                // Where the last look failed, what was seen before it stays.
                unnamed: self.unnamed.seen.map(|seen| seen.value).unwrap_or_default(),
                ..self.counted.seen.map(|seen| seen.value).unwrap_or_default()
            },
            // Before the first look nothing is claimed: `reconcile-assignments` looks within its period.
            declared: (configuration.is_managed() && self.declared.looked_at().is_some())
                .then(|| self.declared.into_look("what the file declares has")),
            looks,
        }
    }
}

#[cfg(test)]
mod tests;
