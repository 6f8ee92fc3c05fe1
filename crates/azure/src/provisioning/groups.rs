//! Enrollment groups by the service API of a DPS (`azure-wire-facts.md` §3), within the budget of that DPS.

mod creation;
mod individuals;
mod query;
mod registrations;

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

use certificate_management::generation::{Generation, NamespaceGeneration};
use certificate_management::model::EnrollmentGroup;
use certificate_management::reference::Reference;
use reqwest::Method;
use reqwest::header::IF_MATCH;
use serde_json::value::RawValue;
use url::Url;

pub use self::creation::CreateError;
pub use self::individuals::IndividualEnrollments;
use self::query::{Page, Query};
pub use self::registrations::RegistrationCount;
use super::raw_group::RawGroup;
use super::versions::OlderVersionGone;
use crate::api_version::newest;
use crate::budget::Budget;
use crate::cloud::{Cloud, Service};
use crate::credential::{TokenSource, token_for};
use crate::error::{Error, ErrorKind, attempted};
use crate::http::{Answer, Call, Http};

/// Most pages of one query. A DPS holds at most 200 groups (`azure-wire-facts.md` §7), so a service with more pages
/// goes round in circles.
pub const MAX_PAGES: usize = 200;
const PAGE_SIZE: &str = "100";
const QUERY: &str = r#"{"query":"SELECT *"}"#;

/// An enrollment group: the view that decisions need, and the text that a write starts from.
#[derive(Debug, Clone)]
pub struct Group {
    /// The members that decisions need.
    pub view: EnrollmentGroup,
    /// The group as the service wrote it.
    pub raw: RawGroup,
    /// The generation whose version wrote `raw`.
    pub(super) read_as: Generation,
    /// The group as the older version writes it, where it was read with both.
    pub(super) older: Option<RawGroup>,
}

impl Group {
    /// Reads a group; `None` when it has no id.
    #[must_use]
    pub fn of(raw: RawGroup) -> Option<Self> {
        let view = raw.view()?;
        let reference = view.policy.as_deref().map(Reference::parse);
        let read_as = match reference {
            Some(Reference::Certificate { .. }) => Generation::CertificateAuthorities,
            _ => Generation::Credentials,
        };
        Some(Self { view, raw, read_as, older: None })
    }

    /// The group as the version of a generation writes it.
    pub(super) fn text(&self, generation: Generation) -> Option<&RawGroup> {
        match generation {
            generation if generation == self.read_as => Some(&self.raw),
            Generation::Credentials => self.older.as_ref(),
            Generation::CertificateAuthorities => None,
        }
    }

    /// Puts both readings of a group together. The newer reference counts: the older one can be a leftover that the
    /// version which wrote the newer one does not see.
    fn with_older(mut self, older: Self) -> Self {
        if self.view.policy.is_none() {
            self.view.policy = older.view.policy;
        }
        self.older = Some(older.raw);
        self
    }
}

/// A client of the enrollment groups of every DPS of the cloud. Cheap to clone.
#[derive(Clone)]
pub struct EnrollmentGroups {
    http: Http,
    cloud: Arc<Cloud>,
    tokens: Arc<dyn TokenSource>,
    budget: Budget,
    generation: NamespaceGeneration,
    older_gone: OlderVersionGone,
}

impl EnrollmentGroups {
    /// A client for the provisioning services of `cloud`, with a budget of its own.
    #[must_use]
    pub fn new(http: Http, cloud: Arc<Cloud>, tokens: Arc<dyn TokenSource>) -> Self {
        Self {
            http,
            cloud,
            tokens,
            budget: Budget::new(),
            generation: NamespaceGeneration::default(),
            older_gone: OlderVersionGone::default(),
        }
    }

    /// Draws from a budget that it shares with other clients.
    #[must_use]
    pub fn with_budget(mut self, budget: Budget) -> Self {
        self.budget = budget;
        self
    }

    /// The same for the DPS of a namespace of that generation, whose groups name policies of that generation.
    #[must_use]
    pub fn of(mut self, generation: NamespaceGeneration) -> Self {
        self.generation = generation;
        self
    }

    /// Shares with other clients which DPS do not answer the older version.
    #[must_use]
    pub(crate) fn knowing(mut self, older_gone: OlderVersionGone) -> Self {
        self.older_gone = older_gone;
        self
    }

    /// The generation with whose version to read the DPS at `endpoint` first, and whether to read it with the other one
    /// too.
    fn versions(&self, endpoint: &str) -> (Generation, bool) {
        match self.generation.has(Generation::CertificateAuthorities) {
            true => (Generation::CertificateAuthorities, !self.older_gone.is_known_of(endpoint)),
            false => (Generation::Credentials, false),
        }
    }

    /// Reads every group of the DPS at `endpoint` (a URL or a host name).
    ///
    /// # Errors
    /// Any [`ErrorKind`]; `Untrusted` when the endpoint is outside the cloud, `Unreadable` when the pages go in circles.
    pub async fn list(&self, endpoint: &str) -> Result<Vec<Group>, Error> {
        let (first, reads_older) = self.versions(endpoint);
        let groups = self.list_as(endpoint, first).await?;
        if !reads_older {
            return Ok(groups);
        }
        let older = match self.list_as(endpoint, Generation::Credentials).await {
            Ok(older) => older,
            Err(error) if error.rejects_api_version() => {
                self.older_gone.learn(endpoint);
                return Ok(groups);
            }
            Err(error) => return Err(error),
        };
        let mut older: HashMap<String, Group> =
            older.into_iter().map(|group| (group.view.id.to_ascii_lowercase(), group)).collect();
        // A group that only one reading has was made or deleted in between; the next look sees it whole.
        let both = groups.into_iter().map(|group| match older.remove(&group.view.id.to_ascii_lowercase()) {
            Some(older) => group.with_older(older),
            None => group,
        });
        Ok(both.collect())
    }

    async fn list_as(&self, endpoint: &str, generation: Generation) -> Result<Vec<Group>, Error> {
        let url = self.url(endpoint, &["enrollmentGroups", "query"], generation)?;
        let query = Query { endpoint, url, body: Some(QUERY), page_size: PAGE_SIZE };
        let mut groups = Vec::new();
        let mut seen = HashSet::new();
        let mut continuation: Option<String> = None;
        for _ in 0..MAX_PAGES {
            let page: Page<Box<RawValue>> = self.page(&query, continuation.as_deref()).await?;
            for item in &page.items {
                match RawGroup::parse(item.get()).ok().and_then(Group::of) {
                    Some(group) => groups.push(Group { read_as: generation, ..group }),
                    None => tracing::warn!(dps.endpoint = endpoint, "an enrollment group could not be read"),
                }
            }
            continuation = page.continuation;
            let Some(token) = &continuation else { return Ok(groups) };
            if !seen.insert(token.clone()) {
                return Err(page.answer.unreadable("its continuation leads to a page that was read already"));
            }
        }
        Err(Error::unreadable(
            attempted(&Method::POST, &query.url),
            format!("the query has more than {MAX_PAGES} pages"),
        ))
    }

    /// Reads one group; `None` when it does not exist.
    ///
    /// # Errors
    /// Any [`ErrorKind`] but `NotFound`.
    pub async fn get(&self, endpoint: &str, id: &str) -> Result<Option<Group>, Error> {
        let (first, reads_older) = self.versions(endpoint);
        let found = self.get_as(endpoint, id, first).await?;
        let (Some(group), true) = (found.clone(), reads_older) else { return Ok(found) };
        match self.get_as(endpoint, id, Generation::Credentials).await {
            Ok(Some(older)) => Ok(Some(group.with_older(older))),
            Ok(None) => Ok(None),
            Err(error) if error.rejects_api_version() => {
                self.older_gone.learn(endpoint);
                Ok(Some(group))
            }
            Err(error) => Err(error),
        }
    }

    async fn get_as(&self, endpoint: &str, id: &str, generation: Generation) -> Result<Option<Group>, Error> {
        let url = self.url(endpoint, &["enrollmentGroups", id], generation)?;
        match self.send(endpoint, Call::new(Method::GET, url)).await {
            Ok(answer) => group(&answer, generation).map(Some),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes a whole group as the version of a generation writes it: a replacement of the version that its `etag` names, or
    /// a new group when it has none.
    ///
    /// # Errors
    /// Any [`ErrorKind`]; `PreconditionFailed` when the group was changed since it was read. Ask
    /// [`Error::may_have_taken_effect`] before writing again.
    pub async fn put(
        &self,
        endpoint: &str,
        id: &str,
        raw: &RawGroup,
        generation: Generation,
    ) -> Result<Group, Error> {
        let url = self.url(endpoint, &["enrollmentGroups", id], generation)?;
        let mut call = Call::new(Method::PUT, url).json(raw.to_json());
        if let Some(etag) = raw.etag() {
            call = call.header(IF_MATCH, &etag)?;
        }
        group(&self.send(endpoint, call).await?, generation)
    }

    /// Reads the attestation of a group with its keys, which a read of the group leaves out.
    pub(super) async fn attestation(
        &self,
        endpoint: &str,
        id: &str,
        generation: Generation,
    ) -> Result<Box<RawValue>, Error> {
        let url = self.url(endpoint, &["enrollmentGroups", id, "attestationmechanism"], generation)?;
        // A read in spite of its method.
        self.send(endpoint, Call::new(Method::POST, url).without_body().repeatable()).await?.json()
    }

    async fn send(&self, endpoint: &str, call: Call) -> Result<Answer, Error> {
        let pace = self.budget.provisioning_service(&self.cloud.service_url(endpoint)?);
        let token = token_for(&*self.tokens, Service::DeviceProvisioning).await?;
        self.http.send(call.bearer(&token)?.paced(pace)).await
    }

    /// The URL of a call, checked before a token is asked for.
    fn url(&self, endpoint: &str, segments: &[&str], generation: Generation) -> Result<Url, Error> {
        if segments.iter().any(|segment| segment.is_empty() || matches!(*segment, "." | "..")) {
            return Err(Error::invalid(
                "a call to a provisioning service",
                "the enrollment group has no usable id",
            ));
        }
        let mut url = self.cloud.service_url(endpoint)?;
        self.cloud.admit(Service::DeviceProvisioning, &url)?;
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        url.query_pairs_mut().append_pair("api-version", newest(generation).enrollment_group.as_str());
        Ok(url)
    }
}

fn group(answer: &Answer, generation: Generation) -> Result<Group, Error> {
    let raw: RawGroup = answer.json()?;
    let group = Group::of(raw).map(|group| Group { read_as: generation, ..group });
    group.ok_or_else(|| answer.unreadable("the enrollment group has no id"))
}

impl fmt::Debug for EnrollmentGroups {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EnrollmentGroups")
    }
}

#[cfg(test)]
mod tests;
