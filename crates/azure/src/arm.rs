//! Azure Resource Manager: reads, lists in pages, and long-running operations; all within the budget.

pub mod operation;

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

pub use self::operation::{LongRunningOperation, OperationStatus};
use crate::api_version::ApiVersion;
use crate::budget::Budget;
use crate::cloud::{Cloud, Service};
use crate::credential::{TokenSource, token_for};
use crate::error::{Error, ErrorKind, Sent, attempted};
use crate::http::{Answer, Call, DEFAULT_DEADLINE, Http};

/// Most pages of one list. ARM pages hold up to 1,000 items, so a service with more pages goes round in circles.
pub const MAX_PAGES: usize = 200;

/// A client of Resource Manager. Cheap to clone.
#[derive(Clone)]
pub struct Arm {
    http: Http,
    cloud: Arc<Cloud>,
    tokens: Arc<dyn TokenSource>,
    budget: Budget,
    deadline: Duration,
}

#[derive(Deserialize)]
#[serde(bound = "T: DeserializeOwned")]
struct Page<T> {
    value: Vec<T>,
    #[serde(rename = "nextLink", default)]
    next_link: Option<String>,
}

impl Arm {
    /// A client of the Resource Manager of `cloud`, with a budget of its own.
    #[must_use]
    pub fn new(http: Http, cloud: Arc<Cloud>, tokens: Arc<dyn TokenSource>) -> Self {
        Self { http, cloud, tokens, budget: Budget::new(), deadline: DEFAULT_DEADLINE }
    }

    /// Draws from a budget that it shares with other clients of the same identity.
    #[must_use]
    pub fn with_budget(mut self, budget: Budget) -> Self {
        self.budget = budget;
        self
    }

    /// The same with another deadline for each call, all attempts and waits of it included.
    #[must_use]
    pub fn within(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// The cloud it talks to.
    #[must_use]
    pub fn cloud(&self) -> &Cloud {
        &self.cloud
    }

    /// Reads one resource. `path` starts with `/subscriptions/`, without a query.
    ///
    /// # Errors
    /// Any [`ErrorKind`]; `Unreadable` when the body is not JSON.
    pub async fn get(&self, path: &str, api_version: ApiVersion) -> Result<Value, Error> {
        self.call(Method::GET, self.url(path, api_version)?).await?.json()
    }

    /// Reads a whole list, page after page.
    ///
    /// # Errors
    /// As [`Arm::get`]; `Untrusted` when a `nextLink` points elsewhere, `Unreadable` when a page links to one that was
    /// read already, or there are more than [`MAX_PAGES`].
    pub async fn list<T: DeserializeOwned>(
        &self,
        path: &str,
        api_version: ApiVersion,
    ) -> Result<Vec<T>, Error> {
        self.list_of(path, api_version, |item: T| Some(item)).await
    }

    /// The same, and of each item only what `read` takes from it. A page is gone before the next one is read: the resources of a
    /// subscription have kilobytes each, of which a client needs a few names.
    ///
    /// # Errors
    /// As [`Arm::list`].
    pub async fn list_of<I: DeserializeOwned, T>(
        &self,
        path: &str,
        api_version: ApiVersion,
        read: impl Fn(I) -> Option<T>,
    ) -> Result<Vec<T>, Error> {
        self.pages(self.url(path, api_version)?, read).await
    }

    /// [`Arm::list`] of the items that a filter lets through (`$filter`).
    ///
    /// # Errors
    /// As [`Arm::list`].
    pub async fn list_where<T: DeserializeOwned>(
        &self,
        path: &str,
        api_version: ApiVersion,
        filter: &str,
    ) -> Result<Vec<T>, Error> {
        let mut url = self.url(path, api_version)?;
        url.query_pairs_mut().append_pair("$filter", filter);
        self.pages(url, |item: T| Some(item)).await
    }

    async fn pages<I: DeserializeOwned, T>(
        &self,
        mut url: Url,
        read: impl Fn(I) -> Option<T>,
    ) -> Result<Vec<T>, Error> {
        let mut seen = HashSet::from([url.clone()]);
        let mut items = Vec::new();
        for _ in 0..MAX_PAGES {
            let answer = self.call(Method::GET, url.clone()).await?;
            let page: Page<I> = answer.json()?;
            items.extend(page.value.into_iter().filter_map(&read));
            let Some(link) = page.next_link.filter(|link| !link.is_empty()) else { return Ok(items) };
            url = url.join(&link).map_err(|_| answer.unreadable("its nextLink is not a URL"))?;
            if !seen.insert(url.clone()) {
                return Err(answer.unreadable("its nextLink leads to a page that was read already"));
            }
        }
        Err(Error::unreadable(
            attempted(&Method::GET, &url),
            format!("the list has more than {MAX_PAGES} pages"),
        ))
    }

    /// Starts an operation by a POST without a body. It is sent again only when it provably was not processed.
    ///
    /// # Errors
    /// Any [`ErrorKind`]; ask [`Error::may_have_taken_effect`] before starting another one. `Untrusted` with an answer
    /// ([`Sent::Yes`]) means that it was started but its address points outside the cloud.
    pub async fn post_long_running(
        &self,
        path: &str,
        api_version: ApiVersion,
    ) -> Result<LongRunningOperation, Error> {
        self.started(self.call(Method::POST, self.url(path, api_version)?).await?)
    }

    /// Writes a resource with a body: PUT makes or replaces it, PATCH changes what the body names. It is sent again only
    /// when it provably was not processed.
    ///
    /// # Errors
    /// As [`Arm::post_long_running`].
    pub async fn write(
        &self,
        method: Method,
        path: &str,
        api_version: ApiVersion,
        body: &Value,
    ) -> Result<LongRunningOperation, Error> {
        let url = self.url(path, api_version)?;
        self.started(self.send(method, url, Some(body)).await?)
    }

    /// The operation that an answer to a write names.
    fn started(&self, answer: Answer) -> Result<LongRunningOperation, Error> {
        let retry_after_seconds = answer.retry_after.map(|wait| wait.as_secs());
        let address = answer.header("azure-asyncoperation").or_else(|| answer.header("location"));
        let mut operation = LongRunningOperation {
            url: None,
            finished: false,
            retry_after_seconds,
            started_at: Some(self.http.clock().now()),
        };
        if let Some(address) = address {
            let url = self
                .cloud
                .arm_endpoint
                .join(address)
                .map_err(|_| answer.unreadable("the address of the operation is not a URL"))?;
            self.cloud.admit(Service::ResourceManager, &url).map_err(|error| error.with_sent(Sent::Yes))?;
            operation.url = Some(url);
            return Ok(operation);
        }
        match operation::state_of(&answer)? {
            OperationStatus::Succeeded => operation.finished = true,
            OperationStatus::Failed { code, message } => {
                return Err(Error::new(ErrorKind::Invalid, Sent::Yes, answer.attempted(), message)
                    .with_status(answer.status.as_u16())
                    .with_code(Some(code)));
            }
            // It runs, and the service names no place for its status: only its effect can be looked at.
            OperationStatus::Running { .. } | OperationStatus::Unknown => {}
        }
        Ok(operation)
    }

    /// Asks once how far an operation is.
    ///
    /// # Errors
    /// When the question could not be answered, which says nothing about the operation: no token, throttled, the
    /// service down, or an address outside the cloud.
    pub async fn operation_status(&self, operation: &LongRunningOperation) -> Result<OperationStatus, Error> {
        let Some(url) = &operation.url else {
            return Ok(if operation.finished {
                OperationStatus::Succeeded
            } else {
                OperationStatus::Unknown
            });
        };
        match self.call(Method::GET, url.clone()).await {
            Ok(answer) => operation::state_of(&answer),
            Err(error) => operation::state_of_refusal(error),
        }
    }

    async fn call(&self, method: Method, url: Url) -> Result<Answer, Error> {
        self.send(method, url, None).await
    }

    async fn send(&self, method: Method, url: Url, body: Option<&Value>) -> Result<Answer, Error> {
        self.cloud.admit(Service::ResourceManager, &url)?;
        let token = token_for(&*self.tokens, Service::ResourceManager).await?;
        let pace = self.budget.resource_manager(&method, &url);
        let call = Call::new(method.clone(), url).bearer(&token)?.paced(pace).deadline(self.deadline);
        let call = match body {
            Some(body) => call.json(body.to_string()),
            None if method == Method::GET => call,
            None => call.without_body(),
        };
        self.http.send(call).await
    }

    fn url(&self, path: &str, api_version: ApiVersion) -> Result<Url, Error> {
        let fits = path.starts_with('/') && !path.split('/').any(|segment| matches!(segment, "." | ".."));
        if !fits {
            return Err(Error::invalid("a call to Resource Manager", "the path is not one of a resource"));
        }
        let mut url = self.cloud.arm_endpoint.clone();
        let base = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{base}{path}"));
        url.query_pairs_mut().clear().append_pair("api-version", api_version.as_str());
        Ok(url)
    }
}

/// The path of a subscription, whose id comes from configuration.
///
/// # Errors
/// `Invalid` when the id holds anything but letters, digits and hyphens, so that it cannot change the path.
pub(crate) fn subscription_path(subscription: &str) -> Result<String, Error> {
    let fits = !subscription.is_empty()
        && subscription.len() <= 64
        && subscription.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    if fits {
        Ok(format!("/subscriptions/{subscription}"))
    } else {
        let shown: String = subscription.chars().take(64).collect();
        Err(Error::invalid("a list by subscription", format!("`{shown}` is not a subscription id")))
    }
}

impl fmt::Debug for Arm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Arm").field("endpoint", &self.cloud.arm_endpoint.as_str()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
