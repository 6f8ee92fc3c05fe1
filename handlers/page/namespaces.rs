//! The namespaces, each with all there is to know of it.

use certificate_management::configuration::{Mode, Sync};
use certificate_management::generation::NamespaceGeneration;
use certificate_management::model::ProvisioningState;
use certificate_management::report::namespace::{LinksReport, PreviousCa};
use certificate_management::report::{NamespaceLine, NamespaceReport, Need, PolicyReport, Report};

use super::authorities::Authority;
use super::grid::Grid;
use super::groups::Service;
use super::lines;
use super::words::{self, Moment};

/// How many are unfolded at the most.
const MOST_UNFOLDED: usize = 12;

/// One namespace.
pub struct Namespace {
    /// Number of its anchor.
    pub number: usize,
    pub name: String,
    pub id: String,
    pub mode: &'static str,
    pub sync: &'static str,
    /// Its region.
    pub location: Option<String>,
    /// Which generation of the service it is of.
    pub generation: Option<&'static str>,
    /// The state of a write to it that is not done.
    pub unsettled: Option<String>,
    /// When it was looked at, with its age where that is worth a word.
    pub seen: Option<Moment>,
    /// When its DPS were looked at, where that is another minute.
    pub services_seen: Option<Moment>,
    /// Where it could not be read: when it could be last.
    pub read: Option<Moment>,
    /// Why it could not be read; then the rest is empty.
    pub unreadable: Option<String>,
    /// What its findings come to.
    pub state: String,
    pub class: &'static str,
    pub is_open: bool,
    /// What its links lack, as far as they were looked at.
    pub links: Option<String>,
    pub authorities: Vec<Authority>,
    pub policies: Vec<Policy>,
    pub grid: Grid,
    pub services: Vec<Service>,
}

/// One policy.
pub struct Policy {
    pub name: String,
    pub subject: Option<String>,
    pub state: String,
    pub is_settled: bool,
    pub own_root: Option<String>,
    pub not_before: Option<String>,
    pub not_after: Option<String>,
    pub left: Option<String>,
    pub leaf: Option<String>,
    /// Since when this CA was seen, where another one was seen before it.
    pub since: Option<Moment>,
    pub previous: Vec<Previous>,
}

/// A CA that a policy had before.
pub struct Previous {
    /// Its last day.
    pub not_after: String,
    /// When it was seen last.
    pub seen: Moment,
    /// The last day on which a device certificate of it can be valid.
    pub leaves: String,
}

/// All of them, the most urgent first. Those that are in order are folded, unless the page is of one alone.
pub fn of(report: &Report, is_alone: bool) -> Vec<Namespace> {
    let mut lines: Vec<(usize, &NamespaceReport, Option<&NamespaceLine>)> = Vec::new();
    for (place, namespace) in report.namespaces.iter().enumerate() {
        lines.push((place + 1, namespace, report.lines.iter().find(|line| line.id == namespace.id)));
    }
    lines.sort_by_key(|(.., line)| line.map(NamespaceLine::urgency));
    let mut left = MOST_UNFOLDED;
    let mut namespaces = Vec::new();
    for (number, namespace, line) in lines {
        let needs = line.is_none_or(|line| line.need() != Need::None);
        let is_open = left > 0 && (is_alone || needs);
        left -= usize::from(is_open);
        namespaces.push(Namespace { is_open, ..Namespace::of(namespace, number, line) });
    }
    namespaces
}

impl Namespace {
    fn of(namespace: &NamespaceReport, number: usize, line: Option<&NamespaceLine>) -> Self {
        let (state, class) = line.map(lines::state).unwrap_or_default();
        Self {
            number,
            name: words::name(&namespace.name),
            id: words::name(namespace.id.as_str()),
            mode: match namespace.mode {
                Mode::Audit => "audit: nothing is written",
                Mode::Enforce => "enforce",
            },
            sync: match namespace.sync {
                Sync::Automatic => "syncs by itself",
                Sync::Ask => "syncs when asked",
            },
            location: namespace.location.as_deref().map(words::name),
            generation: namespace.generation.map(|generation| match generation {
                NamespaceGeneration::Credentials => "credential policies",
                NamespaceGeneration::CertificateAuthorities => "certificate authorities",
                NamespaceGeneration::Migrating => "moving to certificate authorities",
            }),
            unsettled: namespace
                .provisioning_state
                .as_ref()
                .filter(|state| **state != ProvisioningState::Succeeded)
                .map(|state| words::name(&state.to_string())),
            seen: namespace.seen_at.map(words::moment),
            services_seen: namespace
                .services_seen_at
                .map(words::moment)
                .filter(|services| namespace.seen_at.map(words::moment).as_ref() != Some(services)),
            read: namespace.read_at.map(words::moment),
            unreadable: namespace.unreadable.as_deref().map(words::text),
            state,
            class,
            is_open: false,
            links: namespace.links.as_ref().map(links),
            authorities: namespace.authorities.iter().map(Authority::of).collect(),
            policies: namespace.policies.iter().map(Policy::of).collect(),
            grid: Grid::of(namespace),
            services: namespace.provisioning_services.iter().map(Service::of).collect(),
        }
    }
}

/// What the links of a namespace lack, in a sentence.
fn links(links: &LinksReport) -> String {
    let seen = words::moment(links.seen_at).human;
    let mut text = match links.unmet {
        0 if links.unchecked == 0 => format!("Links: each has what it needs (looked at {seen})."),
        0 => format!("Links: nothing is known to be lacking (looked at {seen})."),
        unmet => format!("Links: {} not met (looked at {seen}).", words::count(unmet, "need")),
    };
    if let Some(why) = &links.why_unchecked {
        let number = words::thousands(links.unchecked as u64);
        text.push_str(&format!(" Not checked: {number}, such as {}", words::text(why)));
    }
    text
}

impl Policy {
    fn of(policy: &PolicyReport) -> Self {
        Self {
            name: words::name(&policy.name),
            subject: policy.issuing_ca_subject.as_deref().map(words::name),
            state: words::name(&policy.provisioning_state.to_string()),
            is_settled: policy.provisioning_state == ProvisioningState::Succeeded,
            own_root: policy.bring_your_own_root_status.as_deref().map(words::name),
            not_before: policy.issuing_ca_not_before.map(words::date),
            not_after: policy.issuing_ca_not_after.map(words::date),
            left: policy.issuing_ca_days_left.map(words::days),
            leaf: policy.leaf_validity_days.map(|days| words::count(days, "day")),
            since: policy
                .issuing_ca_seen_since
                .filter(|_| policy.previous_cas.iter().flatten().next().is_some())
                .map(words::moment),
            previous: policy.previous_cas.iter().flatten().map(Previous::of).collect(),
        }
    }
}

impl Previous {
    fn of(previous: &PreviousCa) -> Self {
        Self {
            not_after: words::date(previous.not_after),
            seen: words::moment(previous.last_seen_at),
            leaves: words::date(previous.leaves_end_by),
        }
    }
}
