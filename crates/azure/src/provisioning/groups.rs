//! Enrollment groups by the service API of a DPS (`azure-wire-facts.md` §3), within the budget of that DPS.

mod creation;
mod registrations;

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use certificate_management::model::EnrollmentGroup;
use reqwest::Method;
use reqwest::header::{HeaderName, IF_MATCH};
use serde_json::value::RawValue;
use url::Url;

pub use self::creation::CreateError;
pub use self::registrations::RegistrationCount;
use super::raw_group::RawGroup;
use crate::api_version::CREDENTIALS;
use crate::budget::Budget;
use crate::cloud::{Cloud, Service};
use crate::credential::{TokenSource, token_for};
use crate::error::{Error, ErrorKind, attempted};
use crate::http::{Answer, Call, Http};

/// Most pages of one query. A DPS holds at most 200 groups (§7), so more is a service that goes round in circles.
pub const MAX_PAGES: usize = 200;
const PAGE_SIZE: &str = "100";
const QUERY: &str = r#"{"query":"SELECT *"}"#;
const CONTINUATION: HeaderName = HeaderName::from_static("x-ms-continuation");
const MAX_ITEM_COUNT: HeaderName = HeaderName::from_static("x-ms-max-item-count");

/// An enrollment group: what decisions need, and the text that a write starts from.
#[derive(Debug, Clone)]
pub struct Group {
    /// What decisions need to know.
    pub view: EnrollmentGroup,
    /// The group as the service wrote it.
    pub raw: RawGroup,
}

impl Group {
    /// Reads a group; `None` when it has no id.
    #[must_use]
    pub fn of(raw: RawGroup) -> Option<Self> {
        Some(Self { view: raw.view()?, raw })
    }
}

/// A client of the enrollment groups of every DPS of the cloud. Cheap to clone.
#[derive(Clone)]
pub struct EnrollmentGroups {
    http: Http,
    cloud: Arc<Cloud>,
    tokens: Arc<dyn TokenSource>,
    budget: Budget,
}

impl EnrollmentGroups {
    /// A client for the provisioning services of `cloud`, with a budget of its own.
    #[must_use]
    pub fn new(http: Http, cloud: Arc<Cloud>, tokens: Arc<dyn TokenSource>) -> Self {
        Self { http, cloud, tokens, budget: Budget::new() }
    }

    /// The same within a budget that others draw from too.
    #[must_use]
    pub fn with_budget(mut self, budget: Budget) -> Self {
        self.budget = budget;
        self
    }

    /// Reads every group of the DPS at `endpoint` (a URL or a host name).
    ///
    /// # Errors
    /// Any [`ErrorKind`]; `Untrusted` when the endpoint is outside the cloud, `Unreadable` when the pages go in circles.
    pub async fn list(&self, endpoint: &str) -> Result<Vec<Group>, Error> {
        let url = self.url(endpoint, &["enrollmentGroups", "query"])?;
        let mut groups = Vec::new();
        let mut seen = HashSet::new();
        let mut continuation: Option<String> = None;
        for _ in 0..MAX_PAGES {
            // A query is a read in spite of its method.
            let mut call = Call::new(Method::POST, url.clone())
                .json(QUERY)
                .header(MAX_ITEM_COUNT, PAGE_SIZE)?
                .repeatable();
            if let Some(continuation) = &continuation {
                call = call.header(CONTINUATION, continuation)?;
            }
            let answer = self.send(endpoint, call).await?;
            let items: Vec<Box<RawValue>> = answer.json()?;
            for item in &items {
                match RawGroup::parse(item.get()).ok().and_then(Group::of) {
                    Some(group) => groups.push(group),
                    None => tracing::warn!(dps.endpoint = endpoint, "an enrollment group could not be read"),
                }
            }
            continuation = answer.header(CONTINUATION.as_str()).map(str::to_owned);
            let Some(token) = &continuation else { return Ok(groups) };
            if !seen.insert(token.clone()) {
                return Err(answer.unreadable("its continuation leads to a page that was read already"));
            }
        }
        Err(Error::unreadable(
            attempted(&Method::POST, &url),
            format!("the query has more than {MAX_PAGES} pages"),
        ))
    }

    /// Reads one group; `None` when it does not exist.
    ///
    /// # Errors
    /// Any [`ErrorKind`] but `NotFound`.
    pub async fn get(&self, endpoint: &str, id: &str) -> Result<Option<Group>, Error> {
        let url = self.url(endpoint, &["enrollmentGroups", id])?;
        match self.send(endpoint, Call::new(Method::GET, url)).await {
            Ok(answer) => group(&answer).map(Some),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes a whole group: a replacement of the version that its `etag` names, or a new group when it has none.
    ///
    /// # Errors
    /// Any [`ErrorKind`]; `PreconditionFailed` when the group was changed since it was read. Ask
    /// [`Error::may_have_taken_effect`] before writing again.
    pub async fn put(&self, endpoint: &str, id: &str, raw: &RawGroup) -> Result<Group, Error> {
        let url = self.url(endpoint, &["enrollmentGroups", id])?;
        let mut call = Call::new(Method::PUT, url).json(raw.to_json());
        if let Some(etag) = raw.etag() {
            call = call.header(IF_MATCH, &etag)?;
        }
        group(&self.send(endpoint, call).await?)
    }

    /// Reads the attestation of a group with its keys, which a read of the group leaves out.
    pub(super) async fn attestation(&self, endpoint: &str, id: &str) -> Result<Box<RawValue>, Error> {
        let url = self.url(endpoint, &["enrollmentGroups", id, "attestationmechanism"])?;
        // A read in spite of its method.
        self.send(endpoint, Call::new(Method::POST, url).without_body().repeatable()).await?.json()
    }

    async fn send(&self, endpoint: &str, call: Call) -> Result<Answer, Error> {
        let pace = self.budget.provisioning_service(&self.cloud.service_url(endpoint)?);
        let token = token_for(&*self.tokens, Service::DeviceProvisioning).await?;
        self.http.send(call.bearer(&token)?.paced(pace)).await
    }

    /// The URL of a call, checked before a token is asked for.
    fn url(&self, endpoint: &str, segments: &[&str]) -> Result<Url, Error> {
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
        url.query_pairs_mut().append_pair("api-version", CREDENTIALS.enrollment_group.as_str());
        Ok(url)
    }
}

fn group(answer: &Answer) -> Result<Group, Error> {
    let raw: RawGroup = answer.json()?;
    Group::of(raw).ok_or_else(|| answer.unreadable("the enrollment group has no id"))
}

impl fmt::Debug for EnrollmentGroups {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EnrollmentGroups")
    }
}

#[cfg(test)]
mod tests;
