//! One page of a query of the service API: all are read alike, page by page through a header.

use reqwest::Method;
use reqwest::header::HeaderName;
use serde::de::DeserializeOwned;
use url::Url;

use super::EnrollmentGroups;
use crate::error::Error;
use crate::http::{Answer, Call};

const CONTINUATION: HeaderName = HeaderName::from_static("x-ms-continuation");
const MAX_ITEM_COUNT: HeaderName = HeaderName::from_static("x-ms-max-item-count");

/// What is asked, page by page.
pub(super) struct Query<'a> {
    pub endpoint: &'a str,
    pub url: Url,
    /// `None`: the query has no body.
    pub body: Option<&'static str>,
    /// Items of one page. The service may give fewer.
    pub page_size: &'static str,
}

/// One page.
pub(super) struct Page<T> {
    pub items: Vec<T>,
    /// What asks for the next one; `None`: this is the last.
    pub continuation: Option<String>,
    /// The answer that it came with.
    pub answer: Answer,
}

impl EnrollmentGroups {
    /// Reads the first page, or the one that a continuation asks for: one operation of the DPS.
    pub(super) async fn page<T: DeserializeOwned>(
        &self,
        query: &Query<'_>,
        continuation: Option<&str>,
    ) -> Result<Page<T>, Error> {
        let call = Call::new(Method::POST, query.url.clone());
        let call = match query.body {
            Some(body) => call.json(body),
            None => call.without_body(),
        };
        // A query is a read in spite of its method.
        let mut call = call.header(MAX_ITEM_COUNT, query.page_size)?.repeatable();
        if let Some(continuation) = continuation {
            call = call.header(CONTINUATION, continuation)?;
        }
        let answer = self.send(query.endpoint, call).await?;
        let continuation = answer.header(CONTINUATION.as_str()).map(str::to_owned);
        Ok(Page { items: answer.json()?, continuation, answer })
    }
}
