//! An ARM request, its path taken apart without regard to case.

use bytes::Bytes;
use http::{HeaderMap, Method, Uri};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use crate::arm_error::ArmError;

/// `/subscriptions/{s}[/resourceGroups/{g}]/providers/{provider}/{type}/{name}/{type}/{name}...`
#[derive(Debug)]
pub(crate) struct ArmRequest {
    pub method: Method,
    /// As it was sent, without the query.
    pub path: String,
    pub query: Vec<(String, String)>,
    pub headers: HeaderMap,
    pub body: Bytes,
    pub subscription: String,
    pub resource_group: Option<String>,
    /// Lower case.
    pub provider: String,
    /// Resource types, and at the end perhaps a collection or an action; lower case.
    pub types: Vec<String>,
    /// Resource names, decoded, as they were sent.
    pub names: Vec<String>,
    /// Empty when it was not sent.
    pub api_version: String,
}

impl ArmRequest {
    /// Takes a request apart.
    ///
    /// # Errors
    /// 404 for a path that is not one of ARM's.
    pub(crate) fn parse(
        method: Method,
        uri: &Uri,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Self, ArmError> {
        let path = uri.path().to_owned();
        let mut segments = Vec::new();
        for segment in path.trim_matches('/').split('/') {
            match percent_decode_str(segment).decode_utf8() {
                Ok(text) if !text.is_empty() => segments.push(text.into_owned()),
                _ => return Err(ArmError::not_found(&path)),
            }
        }
        let mut rest = segments.into_iter().peekable();
        let mut follows = |keyword: &str| {
            rest.next_if(|segment: &String| segment.eq_ignore_ascii_case(keyword)).and_then(|_| rest.next())
        };
        let subscription = follows("subscriptions");
        let resource_group = follows("resourceGroups");
        let (Some(subscription), Some(provider)) = (subscription, follows("providers")) else {
            return Err(ArmError::not_found(&path));
        };
        let (mut types, mut names) = (Vec::new(), Vec::new());
        while let Some(kind) = rest.next() {
            types.push(kind.to_ascii_lowercase());
            names.extend(rest.next());
        }
        let query: Vec<(String, String)> =
            url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
        let api_version = query
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case("api-version"))
            .map(|(_, value)| value.clone())
            .unwrap_or_default();
        let provider = provider.to_ascii_lowercase();
        Ok(Self {
            method,
            path,
            query,
            headers,
            body,
            subscription,
            resource_group,
            provider,
            types,
            names,
            api_version,
        })
    }

    /// The provider and the first resource type, both lower case.
    pub(crate) fn provider_and_type(&self) -> (&str, &str) {
        (&self.provider, self.types.first().map_or("", String::as_str))
    }

    /// Verb, types and names, for a `match`.
    pub(crate) fn shape(&self) -> (&str, Vec<&str>, Vec<&str>) {
        (
            self.method.as_str(),
            self.types.iter().map(String::as_str).collect(),
            self.names.iter().map(String::as_str).collect(),
        )
    }

    /// The body as a JSON object. An empty body is an empty object, since actions and some clients send none.
    ///
    /// # Errors
    /// 400 when it is something else.
    pub(crate) fn json(&self) -> Result<Map<String, Value>, ArmError> {
        if self.body.is_empty() {
            return Ok(Map::new());
        }
        match serde_json::from_slice(&self.body) {
            Ok(Value::Object(object)) => Ok(object),
            Ok(_) => Err(ArmError::bad_request(
                "InvalidRequestContent",
                "The request content is not a JSON object.",
            )),
            Err(error) => Err(ArmError::bad_request(
                "InvalidRequestContent",
                format!("The request content was invalid and could not be deserialized: '{error}'."),
            )),
        }
    }

    /// A header as text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// A query parameter.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(path: &str) -> Result<ArmRequest, ArmError> {
        ArmRequest::parse(Method::GET, &path.parse().unwrap(), HeaderMap::new(), Bytes::new())
    }

    #[test]
    fn keywords_and_types_match_in_any_case_and_names_keep_theirs() {
        let request = parse(
            "/SUBSCRIPTIONS/S/resourcegroups/R/Providers/microsoft.DEVICES/iotHUBS/Hub-A/Certificates?Api-Version=1",
        )
        .unwrap();
        assert_eq!((request.subscription.as_str(), request.resource_group.as_deref()), ("S", Some("R")));
        assert_eq!(request.provider_and_type(), ("microsoft.devices", "iothubs"));
        assert_eq!(request.shape(), ("GET", vec!["iothubs", "certificates"], vec!["Hub-A"]));
        assert_eq!(request.api_version, "1");
    }

    #[test]
    fn a_path_that_is_not_arms_is_not_found() {
        for path in [
            "/subscriptions",
            "/subscriptions/S",
            "/subscriptions/S/x/y",
            "/subscriptions/S/providers/",
            "/a//b",
        ] {
            assert_eq!(parse(path).unwrap_err().status, http::StatusCode::NOT_FOUND, "{path}");
        }
    }
}
