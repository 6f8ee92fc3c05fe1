//! Every pair of hub and policy, and every enrollment group, as tables: what runs have seen last of each namespace, judged as the
//! report does it.
//!
//! A table of the largest fleet has 30,000 rows. So it comes in pages of so many namespaces, of which one is in memory at a time.

use certificate_management::configuration::NamespaceConfiguration;
use certificate_management::facts::NamespaceFacts;
use certificate_management::hold::GroupHolds;
use certificate_management::report::NamespaceInput;
use futures::{Stream, StreamExt, stream};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::application::Application;
use crate::csv::Csv;
use crate::{holds, sections};

/// How many namespaces a page has: some 3,000 rows, 600 KB.
pub const NAMESPACES_ON_PAGE: usize = 100;
/// How many sections are read ahead.
const READ_AHEAD: usize = 8;
/// The columns of the table of pairs. Columns stay; later versions may have more behind them.
pub const OF_PAIRS: [&str; 10] = [
    "namespaceId",
    "namespace",
    "hub",
    "policy",
    "trust",
    "why",
    "certificateName",
    "thumbprint",
    "expiry",
    "seenAt",
];
/// The columns of the table of groups; the same holds for them.
pub const OF_GROUPS: [&str; 8] = [
    "namespaceId",
    "namespace",
    "provisioningService",
    "enrollmentGroup",
    "policy",
    "wantedPolicy",
    "status",
    "why",
];
/// What stands in the place of a state where something could not be read.
const UNREADABLE: &str = "unreadable";

/// A table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Table {
    /// Every pair of an active policy and a linked hub.
    Pairs,
    /// Every enrollment group.
    Groups,
}

/// A page of a table.
pub struct TablePage {
    /// It as CSV, with the names of the columns.
    pub text: String,
    /// How many pages there are.
    pub of: usize,
}

impl Table {
    /// The table with this name in addresses.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Pairs, Self::Groups].into_iter().find(|table| table.name().eq_ignore_ascii_case(name))
    }

    /// Its name in addresses.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pairs => "pairs.csv",
            Self::Groups => "groups.csv",
        }
    }

    /// A page of it, from 1 on, of what was seen last; `None`: it has no such page.
    ///
    /// # Errors
    /// When the records cannot be read.
    pub async fn page(
        self,
        application: &Application,
        number: usize,
    ) -> Result<Option<TablePage>, state::Error> {
        let namespaces = &application.fleet.configuration.namespaces;
        let of = namespaces.len().div_ceil(NAMESPACES_ON_PAGE).max(1);
        if !(1..=of).contains(&number) {
            return Ok(None);
        }
        let on_page = namespaces.iter().skip((number - 1) * NAMESPACES_ON_PAGE).take(NAMESPACES_ON_PAGE);
        let text = match self {
            Self::Pairs => pairs(application, on_page).await?,
            Self::Groups => groups(application, on_page).await?,
        };
        Ok(Some(TablePage { text, of }))
    }
}

async fn pairs<'a>(
    application: &'a Application,
    namespaces: impl Iterator<Item = &'a NamespaceConfiguration>,
) -> Result<String, state::Error> {
    let mut table = Csv::new(&OF_PAIRS);
    let mut inputs = inputs(application, namespaces);
    while let Some(input) = inputs.next().await {
        let input = input?;
        let facts = NamespaceFacts::of(&input);
        let (id, name) = (facts.configuration.id.as_str(), facts.configuration.id.name());
        if let Err(failure) = facts.observation {
            table.row(&[id, name, "", "", UNREADABLE, &failure.to_string(), "", "", "", ""]);
        }
        for pair in &facts.pairs {
            let (assessment, evidence) = (&pair.assessment, pair.assessment.evidence.as_deref());
            table.row(&[
                id,
                name,
                &pair.hub.name,
                &pair.policy.name,
                &assessment.trust.to_string(),
                &assessment.why,
                evidence.map_or("", |evidence| evidence.certificate_name.as_str()),
                evidence.and_then(|evidence| evidence.thumbprint.as_deref()).unwrap_or_default(),
                &written(evidence.and_then(|evidence| evidence.expiry)),
                &written(facts.observation.as_ref().ok().map(|seen| seen.seen_at)),
            ]);
        }
    }
    Ok(table.finish())
}

async fn groups<'a>(
    application: &'a Application,
    namespaces: impl Iterator<Item = &'a NamespaceConfiguration>,
) -> Result<String, state::Error> {
    let (holds, now) = (held(application).await, application.fleet.now());
    let mut table = Csv::new(&OF_GROUPS);
    let mut inputs = inputs(application, namespaces);
    while let Some(input) = inputs.next().await {
        let input = input?;
        let mut facts = NamespaceFacts::of(&input);
        facts.restrain(&holds, now);
        let (id, name) = (facts.configuration.id.as_str(), facts.configuration.id.name());
        let mut unreadable = |endpoint: &str, why: &str| {
            table.row(&[id, name, endpoint, "", "", "", UNREADABLE, why]);
        };
        match (facts.observation, facts.services_unread) {
            (Err(failure), _) | (_, Some(failure)) => unreadable("", &failure.to_string()),
            _ => {}
        }
        for service in &facts.provisioning_services {
            if let Err(failure) = &service.groups {
                unreadable(service.endpoint, &failure.to_string());
            }
        }
        for service in &facts.provisioning_services {
            for group in service.groups.iter().flatten() {
                table.row(&[
                    id,
                    name,
                    service.endpoint,
                    &group.group.id,
                    group.group.policy.as_deref().unwrap_or_default(),
                    group.wanted.as_deref().unwrap_or_default(),
                    group.status().code(),
                    &group.plan.detail,
                ]);
            }
        }
    }
    Ok(table.finish())
}

/// What was seen last of each of these namespaces, one after the other.
fn inputs<'a>(
    application: &'a Application,
    namespaces: impl Iterator<Item = &'a NamespaceConfiguration>,
) -> impl Stream<Item = Result<NamespaceInput<'a>, state::Error>> + Unpin {
    let reads: Vec<_> = namespaces
        .map(|configuration| async move {
            let section = sections::read(&application.store, &configuration.id).await?;
            Ok(section.into_input(configuration))
        })
        .collect();
    stream::iter(reads).buffered(READ_AHEAD)
}

/// Where holds cannot be read, a group that is held stands as the rules have it.
async fn held(application: &Application) -> Vec<GroupHolds> {
    holds::all(&application.store).await.unwrap_or_else(|why| {
        tracing::warn!("the table of groups knows of no hold: {why}");
        Vec::new()
    })
}

/// A time as RFC 3339; nothing where there is none.
fn written(at: Option<OffsetDateTime>) -> String {
    at.and_then(|at| at.format(&Rfc3339).ok()).unwrap_or_default()
}
