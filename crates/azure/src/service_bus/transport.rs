//! The HTTP client that `azure_messaging_servicebus` sends through: ours, with what that crate lacks.
//!
//! The crate knows one host, signs with a key only, drops the detail of an error and never repeats a call
//! (`messaging-and-state.md` §1.2). This transport replaces the host by the configured one, and the signature by a
//! token where the app uses an identity, and returns every failure as our own [`Error`] inside the crate's.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use azure_core_021::error::{Error as CoreError, ErrorKind as CoreKind};
use azure_core_021::headers::{AUTHORIZATION, Headers, LOCATION};
use azure_core_021::{Body, HttpClient, Request, Response, StatusCode};
use futures::stream;
use reqwest::Method;
use reqwest::header::HeaderName;
use serde_json::{Map, Value};
use url::Url;

use crate::cloud::{Cloud, Service};
use crate::credential::{TokenSource, token_for};
use crate::error::Error;
use crate::http::{Answer, Call, Http};

const ATTEMPTED: &str = "a call to Service Bus";
/// Name of the header under which the broker properties of a received message are passed on. Under their own name the
/// crate reads them itself, in types too narrow for what the service may send, and then loses the message with its lock.
pub(super) const RECEIVED_PROPERTIES: &str = "received-broker-properties";
/// Name of the header that says of a received message that its body is not UTF-8.
pub(super) const RECEIVED_ODD_BYTES: &str = "received-odd-bytes";

pub(super) struct BusTransport {
    http: Http,
    cloud: Arc<Cloud>,
    base: Url,
    tokens: Option<Arc<dyn TokenSource>>,
}

impl BusTransport {
    pub(super) fn new(
        http: Http,
        cloud: Arc<Cloud>,
        base: Url,
        tokens: Option<Arc<dyn TokenSource>>,
    ) -> Self {
        Self { http, cloud, base, tokens }
    }

    async fn send(&self, request: &Request) -> Result<Answer, Error> {
        let url = rehost(request.url(), &self.base);
        let method = Method::from_bytes(request.method().as_ref().as_bytes())
            .map_err(|_| Error::invalid(ATTEMPTED, "the method is unknown"))?;
        let Body::Bytes(body) = request.body().clone() else {
            return Err(Error::invalid(ATTEMPTED, "a streamed body is not expected"));
        };
        let mut call = Call::new(method, url.clone()).body(body);
        for (name, value) in request.headers().iter() {
            let (name, value) = (name.as_str(), value.as_str());
            if name == AUTHORIZATION.as_str() && self.tokens.is_some() {
                continue;
            }
            let value = if name == "brokerproperties" {
                let properties = broker_properties(value)?;
                if properties.contains_key("MessageId") {
                    // The queue drops a second copy, or the receiver does nothing new with it (`contracts.md` §1).
                    call = call.repeatable();
                }
                Value::Object(properties).to_string()
            } else {
                value.to_owned()
            };
            let name = HeaderName::from_bytes(name.as_bytes())
                .map_err(|_| Error::invalid(ATTEMPTED, "a header name cannot be sent"))?;
            call = call.header(name, &ascii(&value))?;
        }
        if let Some(tokens) = &self.tokens {
            self.cloud.admit(Service::ServiceBus, &url)?;
            call = call.bearer(&token_for(&**tokens, Service::ServiceBus).await?)?;
        }
        self.http.send(call).await
    }
}

#[async_trait]
impl HttpClient for BusTransport {
    async fn execute_request(&self, request: &Request) -> azure_core_021::Result<Response> {
        let answer = self.send(request).await.map_err(|error| CoreError::new(CoreKind::Other, error))?;
        let status = StatusCode::try_from(answer.status.as_u16())
            .map_err(|_| CoreError::new(CoreKind::Other, answer.unreadable("the status is unknown")))?;
        let mut headers = received_headers(&answer, request.url(), &self.base);
        // The crate takes text only, and a message whose body is none must not stay locked for that.
        let text = String::from_utf8_lossy(&answer.body);
        if matches!(text, Cow::Owned(_)) {
            headers.insert(RECEIVED_ODD_BYTES, "true");
        }
        let text = text.into_owned();
        let body = stream::once(async { Ok(bytes::Bytes::from(text)) });
        Ok(Response::new(status, headers, Box::pin(body)))
    }
}

/// The path of `url` below `base`, on the host of `base`.
fn rehost(url: &Url, base: &Url) -> Url {
    let mut rehosted = base.clone();
    rehosted.set_path(&format!("{}{}", base.path().trim_end_matches('/'), url.path()));
    rehosted.set_query(url.query());
    rehosted
}

/// The headers of an answer, as the crate can use them: the address of a lock on the host that the crate knows and signs
/// for, and the broker properties under [`RECEIVED_PROPERTIES`].
fn received_headers(answer: &Answer, asked: &Url, base: &Url) -> Headers {
    let mut headers = Headers::new();
    for (name, value) in &answer.headers {
        let Ok(value) = value.to_str() else { continue };
        match name.as_str() {
            "brokerproperties" => headers.insert(RECEIVED_PROPERTIES, value.to_owned()),
            "location" => {
                let address = numbered_lock(answer, asked).or_else(|| unhost(value, asked, base));
                headers.insert(LOCATION, address.unwrap_or_default());
            }
            // A sender may give its properties these names, so such headers are dropped.
            RECEIVED_PROPERTIES | RECEIVED_ODD_BYTES => {}
            name => headers.insert(name.to_owned(), value.to_owned()),
        }
    }
    headers
}

/// The opposite of [`rehost`]. A service may name any host; calls go to the configured one only.
fn unhost(location: &str, asked: &Url, base: &Url) -> Option<String> {
    let location = Url::parse(location).ok()?;
    let path = location.path();
    let mut own = asked.clone();
    own.set_path(path.strip_prefix(base.path().trim_end_matches('/')).unwrap_or(path));
    own.set_query(None);
    Some(own.into())
}

/// The address of a lock by the number of its message, where the message's id cannot be a segment of a path: an empty
/// id, or dots, which every URL library removes. The service takes either ("Delete Message" in the REST reference:
/// `messages/{messageId|sequenceNumber}/{lockToken}`).
fn numbered_lock(answer: &Answer, asked: &Url) -> Option<String> {
    let properties: Value = serde_json::from_str(answer.header("brokerproperties")?).ok()?;
    let number = properties.get("SequenceNumber")?.as_i64()?;
    let token = properties.get("LockToken")?.as_str()?;
    let id = properties.get("MessageId").and_then(Value::as_str).unwrap_or_default();
    if !matches!(id, "" | "." | "..") {
        return None;
    }
    let mut own = asked.clone();
    own.path_segments_mut().ok()?.pop_if_empty().pop().push(&number.to_string()).push(token);
    own.set_query(None);
    Some(own.into())
}

/// The broker properties, with the scheduled time as the service documents it: the crate writes `+0000` for `GMT`.
fn broker_properties(json: &str) -> Result<Map<String, Value>, Error> {
    let mut properties: Map<String, Value> = serde_json::from_str(json)
        .map_err(|_| Error::invalid(ATTEMPTED, "the broker properties are not JSON"))?;
    if let Some(Value::String(time)) = properties.get_mut("ScheduledEnqueueTimeUtc")
        && let Some(rest) = time.strip_suffix("+0000")
    {
        *time = format!("{rest}GMT");
    }
    Ok(properties)
}

/// JSON in a header, with everything beyond ASCII escaped, since a header is ASCII.
fn ascii(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        if c.is_ascii() && c != '\u{7f}' {
            text.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                text.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    text
}

impl fmt::Debug for BusTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BusTransport").field("base", &self.base.as_str()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_path_is_kept_below_the_configured_endpoint() {
        let made = Url::parse("https://emulator.servicebus.windows.net/q/messages?timeout=5").unwrap();
        for (base, expected) in [
            ("http://127.0.0.1:9000/servicebus", "http://127.0.0.1:9000/servicebus/q/messages?timeout=5"),
            ("http://127.0.0.1:9000", "http://127.0.0.1:9000/q/messages?timeout=5"),
        ] {
            assert_eq!(rehost(&made, &Url::parse(base).unwrap()).as_str(), expected);
        }
    }

    #[test]
    fn the_address_of_a_lock_comes_back_to_where_it_was_asked_for() {
        let asked = "https://contoso.servicebus.windows.net/q/messages/head?timeout=1";
        let signed = "https://contoso.servicebus.windows.net/q/messages/a%2Fb/token";
        for (base, location) in [
            ("http://127.0.0.1:9000/servicebus", "http://127.0.0.1:9000/servicebus/q/messages/a%2Fb/token"),
            ("http://127.0.0.1:9000", "http://127.0.0.1:9000/q/messages/a%2Fb/token"),
            (
                "https://contoso.servicebus.windows.net",
                "https://contoso.servicebus.windows.net:443/q/messages/a%2Fb/token",
            ),
            (
                "https://contoso.servicebus.windows.net",
                "https://elsewhere.example.org/q/messages/a%2Fb/token",
            ),
        ] {
            let found = unhost(location, &Url::parse(asked).unwrap(), &Url::parse(base).unwrap());
            assert_eq!(found.as_deref(), Some(signed), "{location}");
        }
    }

    proptest! {
        #[test]
        fn escaped_json_is_ascii_and_reads_as_the_same_text(text in ".{0,40}") {
            let json = ascii(&Value::from(text.as_str()).to_string());
            prop_assert!(json.bytes().all(|b| (32..127).contains(&b)));
            prop_assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
        }
    }
}
