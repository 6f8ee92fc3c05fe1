//! Publishes to an Event Grid custom topic whose input schema is CloudEvents 1.0 (HTTP protocol binding, structured
//! mode). A key in `aeg-sas-key`, or a token, authorizes the call.

use std::fmt;
use std::sync::Arc;

use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderName};
use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;
use url::Url;

use crate::cloud::{Cloud, Service};
use crate::credential::{Credential, token_for};
use crate::error::Error;
use crate::http::{Call, Http};
use crate::secret::Secret;

const KEY: HeaderName = HeaderName::from_static("aeg-sas-key");
const CLOUD_EVENTS: &str = "application/cloudevents+json; charset=utf-8";
const CONNECTION: &str = "the connection to the Event Grid topic";

/// The endpoint of a topic, and the key if there is one. `Debug` does not show the key.
#[derive(Debug, Clone)]
pub struct TopicConnection {
    endpoint: Url,
    key: Option<Secret>,
}

impl TopicConnection {
    /// A topic by its endpoint, such as `https://contoso.westeurope-1.eventgrid.azure.net/api/events`; without a key by
    /// the identity of this process.
    ///
    /// # Errors
    /// `Invalid` when the endpoint is not a URL.
    pub fn new(endpoint: &str, key: Option<&str>) -> Result<Self, Error> {
        let endpoint = Url::parse(endpoint.trim())
            .map_err(|_| Error::invalid(CONNECTION, "its endpoint is not a URL"))?;
        Ok(Self { endpoint, key: key.map(Secret::new) })
    }
}

/// An event in the form of CloudEvents 1.0.
#[derive(Debug, Clone, Serialize)]
pub struct CloudEvent {
    /// Always `1.0`.
    pub specversion: &'static str,
    /// Unique within its source; the same event again has the same id.
    pub id: String,
    /// What it comes from, a URI reference.
    pub source: String,
    /// What happened.
    pub r#type: String,
    /// The part of the source that it is about.
    pub subject: String,
    /// When it happened.
    #[serde(with = "time::serde::rfc3339")]
    pub time: OffsetDateTime,
    /// `application/json`.
    pub datacontenttype: &'static str,
    /// The particulars.
    pub data: Value,
}

/// A publisher to one topic. Cheap to clone.
#[derive(Clone)]
pub struct EventGridTopic {
    http: Http,
    tokens: Credential,
    connection: TopicConnection,
}

impl EventGridTopic {
    /// A publisher; does no I/O.
    ///
    /// # Errors
    /// `Untrusted` when the endpoint is outside the cloud: neither key nor token may go there.
    pub fn new(
        http: Http,
        cloud: Arc<Cloud>,
        tokens: Credential,
        connection: TopicConnection,
    ) -> Result<Self, Error> {
        cloud.admit(Service::EventGrid, &connection.endpoint)?;
        Ok(Self { http, tokens, connection })
    }

    /// Publishes one event. Subscribers may get it more than once, so the client sends it again when the answer is
    /// lost.
    ///
    /// # Errors
    /// Any [`crate::ErrorKind`].
    pub async fn publish(&self, event: &CloudEvent) -> Result<(), Error> {
        let TopicConnection { endpoint, key } = &self.connection;
        let body = serde_json::to_string(event)
            .map_err(|_| Error::invalid("publishing an event", "it cannot be written as JSON"))?;
        let call = Call::new(Method::POST, endpoint.clone())
            .body(body)
            .header(CONTENT_TYPE, CLOUD_EVENTS)?
            .repeatable();
        let call = match key {
            Some(key) => call.header(KEY, key.expose())?,
            None => call.bearer(&token_for(&*self.tokens, Service::EventGrid).await?)?,
        };
        self.http.send(call).await.map(|_| ())
    }
}

impl fmt::Debug for EventGridTopic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventGridTopic").field("connection", &self.connection).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use time::macros::datetime;

    use super::*;
    use crate::error::ErrorKind;
    use crate::fake::{Fake, Reply, TOKEN};

    fn event() -> CloudEvent {
        CloudEvent {
            specversion: "1.0",
            id: "e-1".to_owned(),
            source: "https://contoso-dps.azure-devices-provisioning.net".to_owned(),
            r#type: "Contoso.Created".to_owned(),
            subject: "enrollmentGroups/line-7".to_owned(),
            time: datetime!(2026-11-23 05:00 UTC),
            datacontenttype: "application/json",
            data: json!({"enrollmentGroupId": "line-7"}),
        }
    }

    #[tokio::test]
    async fn an_event_is_published_by_key_or_by_token() {
        let fake = Fake::start(|_, _| Reply::status(200)).await;
        let endpoint = format!("{}/eventgrid/t/api/events", fake.origin);
        for key in [None, Some("a2V5")] {
            let connection = TopicConnection::new(&endpoint, key).unwrap();
            assert!(!format!("{connection:?}").contains("a2V5"));
            fake.azure().topic(connection).unwrap().publish(&event()).await.unwrap();
        }
        let seen = fake.seen();
        assert_eq!(seen[0].header("authorization"), Some(format!("Bearer {TOKEN}").as_str()));
        assert_eq!((seen[1].header("authorization"), seen[1].header("aeg-sas-key")), (None, Some("a2V5")));
        assert_eq!(seen[0].header("content-type"), Some(CLOUD_EVENTS));
        let body: Value = serde_json::from_str(&seen[0].body).unwrap();
        assert_eq!((&body["specversion"], &body["time"]), (&json!("1.0"), &json!("2026-11-23T05:00:00Z")));
        assert_eq!(body["data"]["enrollmentGroupId"], "line-7");
    }

    #[tokio::test]
    async fn neither_key_nor_token_goes_outside_the_cloud() {
        let fake = Fake::start(|_, _| Reply::status(200)).await;
        let connection =
            TopicConnection::new("https://fabrikam.example.org/api/events", Some("a2V5")).unwrap();
        assert_eq!(fake.azure().topic(connection).unwrap_err().kind(), ErrorKind::Untrusted);
        assert!(TopicConnection::new("contoso", None).is_err());
    }
}
