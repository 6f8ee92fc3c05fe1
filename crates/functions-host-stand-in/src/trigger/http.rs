//! The envelope of an HTTP request in default mode (`functions-host-protocol.md` §1.8).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use indexmap::IndexMap;

use crate::app::Function;
use crate::encoding::NetValue;
use crate::envelope::{Metadata, Payload};
use crate::newtonsoft::{Members, Token};
use crate::routes::RouteValues;
use crate::zone::Zone;

/// A client's request to an HTTP function.
#[derive(Debug, Clone, Default)]
pub struct HttpRequest {
    /// Upper-case method.
    pub method: String,
    /// Path and query as the client sent them.
    pub target: String,
    /// Headers as the client sent them.
    pub headers: Vec<(String, String)>,
    /// The body, however it was framed.
    pub body: Vec<u8>,
    /// Whether the client gave the body's length; the host loses the body of a chunked request.
    pub has_length: bool,
}

impl HttpRequest {
    /// The first header of that name, in any case of its letters.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The path without the query.
    #[must_use]
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// Query members in order, each with all of its values.
    #[must_use]
    pub fn query(&self) -> IndexMap<String, Vec<String>> {
        let query = self.target.split_once('?').map(|(_, query)| query).unwrap_or_default();
        let mut members: IndexMap<String, Vec<String>> = IndexMap::new();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            let known = members.keys().find(|known| known.eq_ignore_ascii_case(&name)).cloned();
            members.entry(known.unwrap_or_else(|| name.into_owned())).or_default().push(value.into_owned());
        }
        members
    }

    fn grouped_headers(&self) -> IndexMap<&str, Vec<String>> {
        let mut groups: IndexMap<&str, Vec<String>> = IndexMap::new();
        for (name, value) in &self.headers {
            let known = groups.keys().find(|known| known.eq_ignore_ascii_case(name)).copied();
            groups.entry(known.unwrap_or(name)).or_default().push(value.clone());
        }
        groups
    }
}

/// An invocation by an HTTP request.
#[must_use]
pub fn request(function: &Function, request: &HttpRequest, route: &RouteValues, zone: &Zone) -> Payload {
    let query = request.query();
    let headers = request.grouped_headers();
    let body = body(request);
    let texts = |pairs: &mut dyn Iterator<Item = (String, String)>| {
        Token::Object(pairs.map(|(name, value)| (name, Token::Text(value))).collect())
    };
    let mut value = Members::from([
        ("Url".to_owned(), Token::Text(url(request))),
        ("Method".to_owned(), Token::from(request.method.as_str())),
        ("Query".to_owned(), texts(&mut query.iter().map(|(name, values)| (name.clone(), values.join(","))))),
        (
            "Headers".to_owned(),
            Token::Object(
                headers
                    .iter()
                    .map(|(name, values)| {
                        (
                            (*name).to_owned(),
                            Token::Array(values.iter().map(|value| Token::from(value.as_str())).collect()),
                        )
                    })
                    .collect(),
            ),
        ),
        ("Params".to_owned(), texts(&mut route.iter().cloned())),
        ("Identities".to_owned(), Token::Array(vec![anonymous()])),
    ]);
    let mut metadata = Metadata::default();
    if let Some(text) = &body {
        metadata.shadow(text, zone);
        value.insert("Body".to_owned(), Token::from(text.as_str()));
    }
    let last = |values: &Vec<String>| values.last().cloned().unwrap_or_default();
    for (name, values) in &query {
        metadata.set(name, NetValue::text(last(values)));
    }
    for (name, value) in route {
        metadata.set(name, NetValue::text(value.clone()));
    }
    let query = texts(&mut query.iter().map(|(name, values)| (name.clone(), last(values))));
    let headers = texts(&mut headers.iter().map(|(name, values)| ((*name).to_owned(), values.join(","))));
    metadata.set("Query", NetValue::from_token(query));
    metadata.set("Headers", NetValue::from_token(headers));
    super::payload(function, NetValue::Object(value), metadata)
}

/// The body as text; bytes as base64. Absent when it has no length, so a chunked body is lost.
fn body(request: &HttpRequest) -> Option<String> {
    if !request.has_length || request.body.is_empty() {
        return None;
    }
    let kind = request.header("content-type").unwrap_or_default().trim_start().to_ascii_lowercase();
    let bytes = kind.starts_with("application/octet-stream") || kind.starts_with("multipart/");
    Some(if bytes {
        STANDARD.encode(&request.body)
    } else {
        String::from_utf8_lossy(&request.body).into_owned()
    })
}

fn url(request: &HttpRequest) -> String {
    format!("http://{}{}", request.header("host").unwrap_or("localhost"), request.target)
}

/// The identity of a caller without authentication.
fn anonymous() -> Token {
    let claims = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name";
    let roles = "http://schemas.microsoft.com/ws/2008/06/identity/claims/role";
    Token::Object(Members::from([
        ("AuthenticationType".to_owned(), Token::Null),
        ("IsAuthenticated".to_owned(), Token::from(false)),
        ("Actor".to_owned(), Token::Null),
        ("BootstrapContext".to_owned(), Token::Null),
        ("Claims".to_owned(), Token::Array(Vec::new())),
        ("Label".to_owned(), Token::Null),
        ("Name".to_owned(), Token::Null),
        ("NameClaimType".to_owned(), Token::from(claims)),
        ("RoleClaimType".to_owned(), Token::from(roles)),
    ]))
}
