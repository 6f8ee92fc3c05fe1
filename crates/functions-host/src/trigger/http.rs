//! The HTTP trigger in the host's default mode, where a request arrives as data and the response is an output.
//!
//! A request carries secrets (function keys in `x-functions-key` or `?code=`, tokens, cookies), so `Debug` prints
//! header values of a short list only, and never the query or the body.

use base64::prelude::{BASE64_STANDARD, Engine};
use http::Method;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::encoding::{boolean, kind, member, object, text};
use crate::error::{DecodeError, ElementError};

/// A request to an HTTP function.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HttpRequest {
    /// The method of the client's request.
    pub method: Method,
    /// The whole URL as the client wrote it. It may carry a function key in its query: do not log it.
    pub url: String,
    /// The query. The host joins the values of a repeated name with a comma.
    pub query: Fields,
    /// The headers.
    pub headers: Fields,
    /// The parameters of the route.
    pub params: Fields,
    /// The body; `None` when the client sent none, or sent it chunked (the host then loses it). The host writes
    /// `application/octet-stream` and multipart bodies as base64: see [`body_bytes`](Self::body_bytes).
    pub body: Option<String>,
}

impl HttpRequest {
    /// The path of the URL, undecoded, without query and fragment; `/` when the URL has none.
    #[must_use]
    pub fn path(&self) -> &str {
        let after_scheme = match self.url.find("://") {
            Some(scheme) if !self.url.starts_with('/') => &self.url[scheme + 3..],
            _ => self.url.as_str(),
        };
        let end = after_scheme.find(['?', '#']).unwrap_or(after_scheme.len());
        let before_query = &after_scheme[..end];
        before_query.find('/').map_or("/", |start| &before_query[start..])
    }

    /// The body's bytes: decoded from base64 where the content type says that the host has encoded it.
    #[must_use]
    pub fn body_bytes(&self) -> Option<Vec<u8>> {
        let body = self.body.as_deref()?;
        let content_type = self.headers.get("content-type").unwrap_or_default().to_ascii_lowercase();
        let encoded =
            content_type.starts_with("application/octet-stream") || content_type.starts_with("multipart/");
        let decoded = encoded.then(|| BASE64_STANDARD.decode(body).ok()).flatten();
        Some(decoded.unwrap_or_else(|| body.as_bytes().to_vec()))
    }

    /// The body as JSON; an absent body is read as an empty text, which no JSON is.
    ///
    /// # Errors
    /// [`ElementError`] when it is not JSON or has other members than `T`.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, ElementError> {
        Ok(serde_json::from_str(self.body.as_deref().unwrap_or_default())?)
    }

    pub(crate) fn decode(binding: &str, value: &Value) -> Result<Self, DecodeError> {
        let shape = |expected, found| DecodeError::Shape { binding: binding.to_owned(), expected, found };
        let request = object(value).ok_or_else(|| shape("an object", kind(value)))?;
        let method = member(&request, "Method").and_then(text);
        Ok(Self {
            method: method
                .and_then(|method| Method::from_bytes(method.as_bytes()).ok())
                .ok_or_else(|| shape("an object with a valid Method", "one without"))?,
            url: member(&request, "Url").and_then(text).unwrap_or_default(),
            query: Fields::of(&request, "Query"),
            headers: Fields::of(&request, "Headers"),
            params: Fields::of(&request, "Params"),
            body: member(&request, "Body")
                .map(|body| body.as_str().map_or_else(|| body.to_string(), str::to_owned)),
        })
    }
}

/// Header values that are printed; every other is only named.
const PRINTED: [&str; 5] = ["accept", "content-length", "content-type", "host", "user-agent"];

impl std::fmt::Debug for HttpRequest {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let header = |(name, value)| {
            let printed = PRINTED.iter().any(|known| known.eq_ignore_ascii_case(name));
            (name, if printed { value } else { ".." })
        };
        formatter
            .debug_struct("HttpRequest")
            .field("method", &self.method)
            .field("path", &self.path())
            .field("query", &self.query.iter().map(|(name, _)| name).collect::<Vec<_>>())
            .field("headers", &self.headers.iter().map(header).collect::<Vec<_>>())
            .field("body_length", &self.body.as_ref().map(String::len))
            .finish_non_exhaustive()
    }
}

/// Names with values, in the order of the request. Names are found in any case, as the host itself does.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Fields(Vec<(String, String)>);

impl Fields {
    /// The first value of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// Every name with each of its values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Values may be texts, numbers, booleans or lists of them; others are left out.
    fn of(request: &Map<String, Value>, name: &str) -> Self {
        let scalar =
            |value: &Value| text(value).or_else(|| boolean(value).map(|boolean| boolean.to_string()));
        let fields = member(request, name).and_then(object).unwrap_or_default();
        let pairs = fields.iter().flat_map(|(name, value)| {
            let values = match value {
                Value::Array(values) => values.iter().filter_map(scalar).collect(),
                other => scalar(other).into_iter().collect::<Vec<_>>(),
            };
            values.into_iter().map(|value| (name.clone(), value))
        });
        Self(pairs.collect())
    }
}

impl std::fmt::Debug for Fields {
    /// Names only: values may be secrets.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_list().entries(self.iter().map(|(name, _)| name)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn request(url: &str) -> HttpRequest {
        HttpRequest::decode("req", &json!({"Method": "GET", "Url": url})).unwrap()
    }

    #[test]
    fn the_path_is_that_of_the_url() {
        for (url, path) in [
            ("http://127.0.0.1:7071/api/jobs/42?dry=1&to=/elsewhere", "/api/jobs/42"),
            ("https://contoso.azurewebsites.net", "/"),
            ("https://contoso.azurewebsites.net?code=abc", "/"),
            ("/api/jobs#top", "/api/jobs"),
            ("/api/redirect/http://fabrikam", "/api/redirect/http://fabrikam"),
            ("", "/"),
            ("http://é/ü?ß", "/ü"),
        ] {
            assert_eq!(request(url).path(), path, "{url}");
        }
    }

    #[test]
    fn a_binary_body_is_decoded_by_its_content_type() {
        let value = json!({"Method": "POST", "Headers": {"content-TYPE": ["application/octet-stream"]}, "Body": "AP/+"});
        let request = HttpRequest::decode("req", &value).unwrap();
        assert_eq!(request.body_bytes().unwrap(), [0, 0xff, 0xfe]);
    }
}
