//! The devices that registered through an enrollment group (REST reference of DPS, "Device Registration State - Query":
//! `POST /registrations/{enrollmentGroupId}/query` without a body, paged by header like the query for groups).

use serde::Deserialize;
use serde_json::Value;
use time::OffsetDateTime;

use super::EnrollmentGroups;
use super::query::{Page, Query};
use crate::dates;
use crate::error::Error;

/// Devices of one page. The service may give fewer.
const PAGE_SIZE: &str = "1000";

/// How many devices registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RegistrationCount {
    /// The devices on the pages that were read.
    pub devices: usize,
    /// Whether there are pages that were not read.
    pub is_cut: bool,
    /// The pages that were read.
    pub pages: usize,
}

/// A device as the service tells it. One whose members are not as expected must not hide the others of its page.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RegistrationState {
    status: Value,
    last_updated_date_time_utc: Value,
}

impl RegistrationState {
    /// Whether the last registration of the device succeeded, and was before `before`. A state without a date, or with one
    /// that cannot be understood, counts as older than any.
    fn is_from_before(&self, before: Option<OffsetDateTime>) -> bool {
        let was_let_in = self.status.as_str().is_some_and(|status| status.eq_ignore_ascii_case("assigned"));
        let at = self.last_updated_date_time_utc.as_str().and_then(dates::parse);
        let is_older = match (at, before) {
            (Some(at), Some(before)) => at < before,
            _ => true,
        };
        was_let_in && is_older
    }
}

impl EnrollmentGroups {
    /// Counts the devices of a group whose last registration was before an instant; all of them without one. Reads at most
    /// `pages` pages, each of which is one operation of the DPS.
    ///
    /// # Errors
    /// Any [`ErrorKind`](crate::ErrorKind), of the first page; one of a later page cuts the count. `NotFound` when there is no
    /// such group.
    pub async fn registrations_before(
        &self,
        endpoint: &str,
        id: &str,
        before: Option<OffsetDateTime>,
        pages: usize,
    ) -> Result<RegistrationCount, Error> {
        let url = self.url(endpoint, &["registrations", id, "query"], self.versions(endpoint).0)?;
        let query = Query { endpoint, url, body: None, page_size: PAGE_SIZE };
        let mut count = RegistrationCount::default();
        let mut continuation: Option<String> = None;
        for _ in 0..pages {
            let read = self.page(&query, continuation.as_deref()).await;
            let page: Page<RegistrationState> = match read {
                Ok(page) => page,
                Err(error) if count.pages == 0 => return Err(error),
                // What was counted stays true; the rest is cut off.
                Err(error) => {
                    tracing::warn!("the devices of {id} were counted in part: {error}");
                    break;
                }
            };
            count.pages += 1;
            count.devices += page.items.iter().filter(|state| state.is_from_before(before)).count();
            continuation = page.continuation;
            if continuation.is_none() {
                return Ok(count);
            }
        }
        Ok(RegistrationCount { is_cut: true, ..count })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use time::macros::datetime;

    use certificate_management::generation::NamespaceGeneration;

    use super::*;
    use crate::error::ErrorKind;
    use crate::fake::{Fake, Reply};

    #[tokio::test]
    async fn devices_whose_last_registration_is_older_are_counted_over_all_pages() {
        let fake = Fake::start(|seen, _| match seen.header("x-ms-continuation") {
            None => Reply::json(
                200,
                json!([
                    {"registrationId": "a", "status": "assigned", "lastUpdatedDateTimeUtc": "2026-11-23T05:00:00.333Z"},
                    {"registrationId": "b", "status": "assigned", "lastUpdatedDateTimeUtc": "2026-11-23T05:00:01Z"},
                    {"registrationId": "c", "status": "failed", "lastUpdatedDateTimeUtc": "2026-11-23T04:00:00Z"},
                ]),
            )
            .header("x-ms-continuation", "next"),
            Some(_) => Reply::json(200, json!([{"registrationId": "d", "status": "Assigned"}, {"later": 1}])),
        })
        .await;
        let groups = fake.azure().enrollment_groups(NamespaceGeneration::Credentials);
        let count = async |before, pages| {
            groups.registrations_before(&fake.origin, "line 7", before, pages).await.unwrap()
        };
        let before = Some(datetime!(2026-11-23 05:00:01 UTC));
        assert_eq!(count(before, 2).await, RegistrationCount { devices: 2, is_cut: false, pages: 2 });
        assert_eq!(count(None, 5).await, RegistrationCount { devices: 3, is_cut: false, pages: 2 });
        assert_eq!(count(None, 1).await, RegistrationCount { devices: 2, is_cut: true, pages: 1 });
        let seen = &fake.seen()[0];
        assert_eq!((seen.method.as_str(), seen.path.as_str()), ("POST", "/registrations/line%207/query"));
        assert_eq!((seen.body.as_str(), seen.query.as_str()), ("", "api-version=2025-07-01-preview"));
    }

    #[tokio::test]
    async fn a_device_with_a_strange_date_is_counted_and_hides_no_other() {
        let fake = Fake::start(|_, _| {
            let state = |date: Value| json!({"status": "assigned", "lastUpdatedDateTimeUtc": date});
            let dates =
                [json!("2026-11-24T05:00:00"), json!("2026-11-22T05:00:00Z"), json!("never"), json!(7)];
            let strange = json!({"status": 3, "lastUpdatedDateTimeUtc": null});
            Reply::json(200, dates.map(state).into_iter().chain([strange]).collect())
        })
        .await;
        let groups = fake.azure().enrollment_groups(NamespaceGeneration::Credentials);
        let before = Some(datetime!(2026-11-23 05:00:00 UTC));
        let count = groups.registrations_before(&fake.origin, "line 7", before, 1).await.unwrap();
        assert_eq!(count, RegistrationCount { devices: 3, is_cut: false, pages: 1 });
    }

    #[tokio::test]
    async fn a_later_page_that_fails_cuts_the_count() {
        let fake = Fake::start(|seen, _| match seen.header("x-ms-continuation") {
            None => Reply::json(200, json!([{"registrationId": "a", "status": "assigned"}]))
                .header("x-ms-continuation", "next"),
            Some(_) => Reply::json(403, json!({"errorCode": 403_000})),
        })
        .await;
        let groups = fake.azure().enrollment_groups(NamespaceGeneration::Credentials);
        let count = groups.registrations_before(&fake.origin, "line 7", None, 9).await.unwrap();
        assert_eq!(count, RegistrationCount { devices: 1, is_cut: true, pages: 1 });
    }

    #[tokio::test]
    async fn a_group_that_is_gone_is_an_error() {
        let fake = Fake::start(|_, _| Reply::json(404, json!({"errorCode": 404_201}))).await;
        let groups = fake.azure().enrollment_groups(NamespaceGeneration::Credentials);
        let error = groups.registrations_before(&fake.origin, "gone", None, 1).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
    }
}
