//! The policies that individual enrollments name (`ca-lifecycle-facts.md` §3). A DPS holds up to a million of them, so the
//! reads are bounded.

use std::collections::HashMap;

use certificate_management::generation::Generation;
use serde_json::Value;

use super::super::reference;
use super::query::{Page, Query};
use super::{EnrollmentGroups, QUERY};
use crate::error::Error;
use crate::members::owned;

/// Enrollments of one page. The service may give fewer.
const PAGE_SIZE: &str = "1000";

/// The individual enrollments of a DPS, as far as they were read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IndividualEnrollments {
    /// The policy that each names.
    pub policies: Vec<Option<String>>,
    /// Whether there are pages that were not read.
    pub is_cut: bool,
    /// The calls that it took.
    pub calls: usize,
}

/// What one version of the service API shows, by registration id.
struct Reading {
    found: HashMap<String, Option<String>>,
    is_cut: bool,
    calls: usize,
}

impl EnrollmentGroups {
    /// Reads which policies the individual enrollments of the DPS at `endpoint` name, with `calls` calls at the most. Where
    /// both versions of the service API are needed, each has a half of them.
    ///
    /// # Errors
    /// Any [`ErrorKind`](crate::ErrorKind), of the first page; one of a later page cuts what is read.
    pub async fn individual_enrollments(
        &self,
        endpoint: &str,
        calls: usize,
    ) -> Result<IndividualEnrollments, Error> {
        let (first, reads_older) = self.versions(endpoint);
        let share = if reads_older { calls / 2 } else { calls };
        let mut newer = self.individuals_as(endpoint, first, share).await?;
        if reads_older {
            match self.individuals_as(endpoint, Generation::Credentials, share).await {
                Ok(older) => {
                    newer.is_cut |= older.is_cut;
                    newer.calls += older.calls;
                    for (id, policy) in older.found {
                        let known = newer.found.entry(id).or_default();
                        *known = known.take().or(policy);
                    }
                }
                Err(error) if error.rejects_api_version() => {
                    self.older_gone.learn(endpoint);
                    newer.calls += 1;
                }
                Err(error) => return Err(error),
            }
        }
        let Reading { found, is_cut, calls } = newer;
        Ok(IndividualEnrollments { policies: found.into_values().collect(), is_cut, calls })
    }

    async fn individuals_as(
        &self,
        endpoint: &str,
        generation: Generation,
        pages: usize,
    ) -> Result<Reading, Error> {
        let url = self.url(endpoint, &["enrollments", "query"], generation)?;
        let query = Query { endpoint, url, body: Some(QUERY), page_size: PAGE_SIZE };
        let mut reading = Reading { found: HashMap::new(), is_cut: true, calls: 0 };
        let mut continuation: Option<String> = None;
        for _ in 0..pages {
            let read = self.page(&query, continuation.as_deref()).await;
            let page: Page<Value> = match read {
                Ok(page) => page,
                Err(error) if reading.calls == 0 => return Err(error),
                // What was read stays true; the rest is cut off.
                Err(error) => {
                    tracing::warn!("the individual enrollments were read in part: {error}");
                    break;
                }
            };
            reading.calls += 1;
            for (place, item) in page.items.iter().enumerate() {
                // One without an id counts all the same.
                let id = owned(item, &["registrationId"]).map(|id| id.to_ascii_lowercase());
                let id = id.unwrap_or_else(|| format!("page {} / {place}", reading.calls));
                reading.found.insert(id, reference::read(item));
            }
            continuation = page.continuation;
            if continuation.is_none() {
                reading.is_cut = false;
                break;
            }
        }
        Ok(reading)
    }
}

#[cfg(test)]
mod tests {
    use certificate_management::generation::NamespaceGeneration;
    use serde_json::json;

    use super::*;
    use crate::fake::{Fake, Reply};

    #[tokio::test]
    async fn the_policies_of_all_pages_are_read_within_the_bound() {
        let fake = Fake::start(|seen, _| match seen.header("x-ms-continuation") {
            None => Reply::json(
                200,
                json!([{"registrationId": "a", "credentialPolicyName": "short"}, {"registrationId": "b"}]),
            )
            .header("x-ms-continuation", "next"),
            Some(_) => Reply::json(
                200,
                json!([{"registrationId": "c", "credentialPolicyName": "long"}, {"later": 1}]),
            ),
        })
        .await;
        let client = fake.azure().enrollment_groups(NamespaceGeneration::Credentials);
        let mut read = client.individual_enrollments(&fake.origin, 9).await.unwrap();
        read.policies.sort();
        let named = |name: &str| Some(name.to_owned());
        assert_eq!(read.policies, [None, None, named("long"), named("short")]);
        assert_eq!((read.is_cut, read.calls), (false, 2));
        let seen = &fake.seen()[0];
        assert_eq!((seen.path.as_str(), seen.body.as_str()), ("/enrollments/query", QUERY));
        let read = client.individual_enrollments(&fake.origin, 1).await.unwrap();
        assert_eq!((read.policies.len(), read.is_cut, read.calls), (2, true, 1));
        let read = client.individual_enrollments(&fake.origin, 0).await.unwrap();
        assert_eq!(
            (read.policies.len(), read.is_cut, read.calls),
            (0, true, 0),
            "nothing read is not nothing there"
        );
    }

    /// Each version hides the reference of the other generation.
    #[tokio::test]
    async fn an_enrollment_of_either_generation_is_read_with_its_own_version() {
        let fake = Fake::start(|seen, _| {
            let older = seen.query.contains("2025-07-01-preview");
            let of = |is_shown: bool, policy: Value| if is_shown { policy } else { json!({}) };
            let mut one = of(older, json!({"credentialPolicyName": "short"}));
            let mut two = of(
                !older,
                json!({"namespaceName": "n", "certificateAuthorityName": "a", "certificatePolicyName": "p"}),
            );
            one["registrationId"] = "one".into();
            two["registrationId"] = "two".into();
            Reply::json(200, json!([one, two]))
        })
        .await;
        let client = fake.azure().enrollment_groups(NamespaceGeneration::Migrating);
        let mut read = client.individual_enrollments(&fake.origin, 10).await.unwrap();
        read.policies.sort();
        assert_eq!(read.policies, [Some("n/a/p".to_owned()), Some("short".to_owned())]);
        assert_eq!(read.calls, 2);
    }
}
