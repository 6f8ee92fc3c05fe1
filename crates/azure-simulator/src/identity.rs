//! The managed identity endpoint, as App Service and Functions offer it, and the tokens that it has issued.
//!
//! A token has the form of a real one (`messaging-and-state.md` §4.1): its claims name the identity, and its last part is random. Only
//! this simulator knows its audience, and decides nothing by its claims. Tokens live an hour by the time of the machine, since their
//! holder runs on that (`contracts.md` §4).

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::get;
use data_encoding::BASE64URL_NOPAD;
use http::{HeaderMap, StatusCode};
use serde_json::json;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::answer::json_answer;
use super::clock::Clock;
use super::service;

/// The value of `IDENTITY_HEADER`.
pub const SECRET: &str = "x";

/// The version that App Service offers.
const API_VERSION: &str = "2019-08-01";
const LIFETIME: Duration = Duration::hours(1);
/// The client id of the system-assigned identity.
const SYSTEM_ASSIGNED: &str = "11111111-2222-3333-4444-555555555555";
/// The query parameters that name a user-assigned identity.
const SELECTORS: [&str; 4] = ["client_id", "object_id", "principal_id", "mi_res_id"];

/// A token that this simulator issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issued {
    /// The resource it was asked for, as it was asked.
    pub audience: String,
    /// Client id of the identity that got it.
    pub client_id: String,
    /// By the time of the machine.
    pub expires_at: OffsetDateTime,
}

/// The tokens issued so far. Its `Debug` form shows none of them.
#[derive(Default)]
pub struct Tokens {
    issued: Mutex<HashMap<String, Issued>>,
}

impl fmt::Debug for Tokens {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Tokens").finish_non_exhaustive()
    }
}

impl Tokens {
    /// Makes a token for `audience`.
    pub fn issue(&self, audience: &str, client_id: &str, now: OffsetDateTime) -> (String, Issued) {
        let claims = json!({"oid": object_id(client_id), "appid": client_id, "idtyp": "app"});
        let claims = BASE64URL_NOPAD.encode(claims.to_string().as_bytes());
        let token = format!("simulated.{claims}.{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        let issued =
            Issued { audience: audience.into(), client_id: client_id.into(), expires_at: now + LIFETIME };
        let mut kept = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        // The simulator keeps a token for a while after its end, so that it can tell the holder that it expired.
        kept.retain(|_, old| old.expires_at + LIFETIME > now);
        kept.insert(token.clone(), issued.clone());
        (token, issued)
    }

    /// The record of a token; `None` for one that came from elsewhere.
    #[must_use]
    pub fn find(&self, token: &str) -> Option<Issued> {
        self.issued.lock().unwrap_or_else(PoisonError::into_inner).get(token).cloned()
    }
}

/// The object id of an identity: another than its client id, and always the same.
fn object_id(client_id: &str) -> String {
    client_id.chars().rev().collect()
}

/// The endpoint.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// Where issued tokens are remembered.
    pub tokens: Arc<Tokens>,
    /// Tokens live by the time of its machine.
    pub clock: Clock,
    /// The app has only user-assigned identities, so a request must name one.
    pub user_assigned: bool,
}

/// `GET /identity?api-version=2019-08-01&resource=...`
pub fn router(endpoint: Endpoint) -> Router {
    Router::new().route("/identity", get(token)).with_state(endpoint)
}

async fn token(
    State(endpoint): State<Endpoint>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    if headers.get("x-identity-header").is_none_or(|value| value.as_bytes() != SECRET.as_bytes()) {
        return service::identity(
            StatusCode::UNAUTHORIZED,
            "The header x-identity-header is absent or is not the value of IDENTITY_HEADER.",
        );
    }
    let given = |name: &str| query.get(name).map(String::as_str).filter(|value| !value.is_empty());
    if given("api-version") != Some(API_VERSION) {
        return service::identity(StatusCode::BAD_REQUEST, "The api-version must be 2019-08-01.");
    }
    let Some(resource) = given("resource") else {
        return service::identity(StatusCode::BAD_REQUEST, "The parameter resource is required.");
    };
    let selected = SELECTORS.into_iter().find_map(given);
    if endpoint.user_assigned && selected.is_none() {
        return service::identity(StatusCode::BAD_REQUEST, "Unable to load the proper Managed Identity.");
    }
    let client_id = selected.unwrap_or(SYSTEM_ASSIGNED);
    let (token, issued) = endpoint.tokens.issue(resource, client_id, endpoint.clock.callers_now());
    let body = json!({
        "access_token": token,
        "expires_on": issued.expires_at.unix_timestamp().to_string(),
        "resource": resource,
        "token_type": "Bearer",
        "client_id": client_id,
    });
    json_answer(StatusCode::OK, &body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_tokens_are_alike_and_debug_shows_none() {
        let tokens = Tokens::default();
        let now = OffsetDateTime::now_utc();
        let (first, issued) = tokens.issue("https://servicebus.azure.net", "client-1", now);
        let (second, _) = tokens.issue("https://servicebus.azure.net", "client-1", now);
        assert_ne!(first, second);
        assert_eq!(tokens.find(&first), Some(issued));
        assert!(!format!("{tokens:?}").contains(&first));
    }

    #[test]
    fn an_expired_token_is_still_known_to_have_expired() {
        let tokens = Tokens::default();
        let start = OffsetDateTime::now_utc();
        let (old, _) = tokens.issue("https://management.azure.com", "client-1", start);
        tokens.issue("https://management.azure.com", "client-1", start + Duration::minutes(90));
        assert!(tokens.find(&old).is_some());
        tokens.issue("https://management.azure.com", "client-1", start + Duration::hours(3));
        assert!(tokens.find(&old).is_none());
    }
}
