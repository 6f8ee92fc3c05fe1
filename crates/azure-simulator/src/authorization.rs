//! Checks bearer tokens and shared access signatures.
//!
//! The simulated services have no keys of their own, so they take any well-formed signature that has not expired, and
//! any bearer token that did not come from `/identity` (the official clients are tested with static ones). They refuse
//! the mistakes of a client: no credentials at all, a signature whose time is over, a token of `/identity` that was
//! issued for another audience or has expired. Expiry is judged by the time of the machine, on which the clients run
//! (`contracts.md` §4).

use std::fmt;

use axum::response::{IntoResponse, Response};
use data_encoding::HEXLOWER;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

use super::arm_error::ArmError;
use super::clock::Clock;
use super::identity::Tokens;
use super::provisioning::error::ServiceError;
use super::service::{self, Service};

/// The audiences that ARM takes, each with or without a slash at its end.
const RESOURCE_MANAGER: [&str; 2] = ["https://management.azure.com", "https://management.core.windows.net"];
const SERVICE_BUS: [&str; 1] = ["https://servicebus.azure.net"];
const STORAGE: [&str; 1] = ["https://storage.azure.com"];
const EVENT_GRID: [&str; 1] = ["https://eventgrid.azure.net"];
/// A DPS takes any token of `/identity` (`contracts.md` §4).
const ANY: [&str; 0] = [];

/// The caller, in a form that holds no secret. Throttling counts by it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Principal(String);

impl Principal {
    /// A text that is the same for each request of one caller.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn anonymous() -> Self {
        Self("anonymous".into())
    }
}

/// Admits a request, or refuses it as its service would.
///
/// The simulated time of `clock` only dates the refusal.
pub fn check(
    service: Service,
    headers: &HeaderMap,
    tokens: &Tokens,
    clock: &Clock,
) -> Result<Principal, Box<Response>> {
    let (now, machine) = (clock.now(), clock.callers_now());
    match service {
        Service::ResourceManager => bearer(headers, tokens, &RESOURCE_MANAGER, machine)
            .map_err(|refusal| Box::new(refusal.answer_of_arm())),
        Service::Provisioning => signature_or_bearer(headers, tokens, &ANY, machine)
            .map_err(|refusal| Box::new(ServiceError::unauthorized(&refusal.to_string()).respond(now))),
        Service::ServiceBus => {
            signature_or_bearer(headers, tokens, &SERVICE_BUS, machine).map_err(|refusal| {
                let detail = format!("{}: {refusal}", refusal.service_bus_code());
                Box::new(service::service_bus(StatusCode::UNAUTHORIZED, &detail, now))
            })
        }
        Service::Storage => match storage(headers, tokens, machine) {
            Ok(principal) => Ok(principal),
            Err(_) => Err(Box::new(Service::Storage.refuse(StatusCode::UNAUTHORIZED, now))),
        },
        Service::EventGrid => event_grid(headers, tokens, machine).map_err(|refusal| {
            let error = ArmError::new(StatusCode::UNAUTHORIZED, "Unauthorized", refusal.to_string());
            Box::new(error.into_response())
        }),
        // The device API checks devices, and the identity endpoint checks apps; the others need no credentials.
        Service::DeviceProvisioning | Service::Identity | Service::Control | Service::Unknown => {
            Ok(Principal::anonymous())
        }
    }
}

/// Why a caller is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Refusal {
    Missing,
    Malformed,
    Expired,
    Audience { got: String, wanted: String },
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => formatter.write_str("the request carries no credentials."),
            Self::Malformed => formatter.write_str("the Authorization header cannot be read."),
            Self::Expired => formatter.write_str("the token or signature has expired."),
            Self::Audience { got, wanted } => {
                write!(formatter, "the token was issued for '{got}'; this service takes {wanted}.")
            }
        }
    }
}

impl Refusal {
    fn answer_of_arm(&self) -> Response {
        let code = match self {
            Self::Missing => "AuthenticationFailed",
            Self::Malformed => "InvalidAuthenticationToken",
            Self::Expired => "ExpiredAuthenticationToken",
            Self::Audience { .. } => "InvalidAuthenticationTokenAudience",
        };
        let message = format!("Authentication failed: {self}");
        let mut answer = ArmError::new(StatusCode::UNAUTHORIZED, code, message).into_response();
        let challenge = HeaderValue::from_static(r#"Bearer error="invalid_token""#);
        answer.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        answer
    }

    fn service_bus_code(&self) -> &'static str {
        match self {
            Self::Missing => "MissingToken",
            Self::Malformed => "MalformedToken",
            Self::Expired => "ExpiredToken",
            Self::Audience { .. } => "InvalidAudience",
        }
    }
}

/// The credentials in the `Authorization` header.
enum Credentials<'a> {
    Bearer(&'a str),
    Signature(&'a str),
}

fn credentials(headers: &HeaderMap) -> Result<Credentials<'_>, Refusal> {
    let value = headers.get(header::AUTHORIZATION).ok_or(Refusal::Missing)?;
    let value = value.to_str().map_err(|_| Refusal::Malformed)?.trim();
    let (scheme, rest) = value.split_once(' ').ok_or(Refusal::Malformed)?;
    let rest = rest.trim();
    if rest.is_empty() {
        return Err(Refusal::Malformed);
    }
    match scheme.to_ascii_lowercase().as_str() {
        "bearer" => Ok(Credentials::Bearer(rest)),
        "sharedaccesssignature" => Ok(Credentials::Signature(rest)),
        _ => Err(Refusal::Malformed),
    }
}

fn bearer(
    headers: &HeaderMap,
    tokens: &Tokens,
    audiences: &[&str],
    machine: OffsetDateTime,
) -> Result<Principal, Refusal> {
    match credentials(headers)? {
        Credentials::Bearer(token) => judge_token(token, tokens, audiences, machine),
        Credentials::Signature(_) => Err(Refusal::Malformed),
    }
}

fn signature_or_bearer(
    headers: &HeaderMap,
    tokens: &Tokens,
    audiences: &[&str],
    machine: OffsetDateTime,
) -> Result<Principal, Refusal> {
    match credentials(headers)? {
        Credentials::Bearer(token) => judge_token(token, tokens, audiences, machine),
        Credentials::Signature(signature) => judge_signature(signature, machine),
    }
}

/// `SharedKey {account}:{signature}`, or a token.
fn storage(headers: &HeaderMap, tokens: &Tokens, machine: OffsetDateTime) -> Result<Principal, Refusal> {
    let value = headers.get(header::AUTHORIZATION).ok_or(Refusal::Missing)?;
    match value.to_str().map_err(|_| Refusal::Malformed)?.split_once(' ') {
        Some(("SharedKey", key)) => match key.split_once(':') {
            Some((account, signature)) if !signature.is_empty() => {
                Ok(Principal(format!("account:{account}")))
            }
            _ => Err(Refusal::Malformed),
        },
        _ => bearer(headers, tokens, &STORAGE, machine),
    }
}

fn event_grid(headers: &HeaderMap, tokens: &Tokens, machine: OffsetDateTime) -> Result<Principal, Refusal> {
    let key = headers.get("aeg-sas-key").or_else(|| headers.get("aeg-sas-token"));
    match key {
        Some(key) if key.is_empty() => Err(Refusal::Malformed),
        Some(_) => Ok(Principal("aeg-sas".into())),
        None => bearer(headers, tokens, &EVENT_GRID, machine),
    }
}

fn judge_token(
    token: &str,
    tokens: &Tokens,
    audiences: &[&str],
    machine: OffsetDateTime,
) -> Result<Principal, Refusal> {
    let Some(issued) = tokens.find(token) else {
        let digest = Sha256::digest(token.as_bytes());
        return Ok(Principal(format!("bearer:{}", HEXLOWER.encode(&digest[..8]))));
    };
    if issued.expires_at <= machine {
        return Err(Refusal::Expired);
    }
    let audience = issued.audience.trim_end_matches('/');
    if audiences.is_empty() || audiences.iter().any(|known| known.eq_ignore_ascii_case(audience)) {
        return Ok(Principal(format!("identity:{}", issued.client_id)));
    }
    Err(Refusal::Audience { got: issued.audience, wanted: audiences.join(", ") })
}

/// `sr=..&sig=..&se=<unix seconds>[&skn=..]`, in any order.
fn judge_signature(signature: &str, now: OffsetDateTime) -> Result<Principal, Refusal> {
    let part = |wanted: &str| {
        let parts = signature.split('&').filter_map(|part| part.split_once('='));
        parts.filter(|(name, value)| *name == wanted && !value.is_empty()).map(|(_, value)| value).next()
    };
    let (Some(scope), Some(_), Some(end)) = (part("sr"), part("sig"), part("se")) else {
        return Err(Refusal::Malformed);
    };
    let end: i64 = end.parse().map_err(|_| Refusal::Malformed)?;
    if end <= now.unix_timestamp() {
        return Err(Refusal::Expired);
    }
    Ok(Principal(format!("signature:{scope}:{}", part("skn").unwrap_or_default())))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

    fn with(authorization: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, HeaderValue::from_str(authorization).unwrap());
        headers
    }

    #[test]
    fn a_signature_needs_its_parts_and_an_end_in_the_future() {
        let now = OffsetDateTime::from_unix_timestamp(1_000).unwrap();
        let judge = |signature| judge_signature(signature, now).map(|_| ());
        assert_eq!(judge("sr=contoso&sig=c2ln&se=1001&skn=owner"), Ok(()));
        assert_eq!(judge("se=1001&sig=c2ln%3D&sr=contoso"), Ok(()));
        assert_eq!(judge("sr=contoso&sig=c2ln&se=1000"), Err(Refusal::Expired));
        assert_eq!(judge("sr=contoso&se=1001"), Err(Refusal::Malformed));
        assert_eq!(judge("sr=contoso&sig=&se=1001"), Err(Refusal::Malformed));
        assert_eq!(judge("sr=contoso&sig=c2ln&se=soon"), Err(Refusal::Malformed));
    }

    #[test]
    fn a_token_of_ours_is_good_for_its_audience_only() {
        let tokens = Tokens::default();
        let (token, _) = tokens.issue("https://management.azure.com/", "client-1", NOW);
        let headers = with(&format!("Bearer {token}"));
        let judge = |audiences| bearer(&headers, &tokens, audiences, NOW);
        assert_eq!(judge(&RESOURCE_MANAGER), Ok(Principal("identity:client-1".into())));
        assert!(matches!(judge(&SERVICE_BUS), Err(Refusal::Audience { .. })));
    }

    #[test]
    fn a_token_of_ours_ends_after_its_hour() {
        let tokens = Tokens::default();
        let (token, _) = tokens.issue("https://management.azure.com", "client-1", NOW);
        let headers = with(&format!("Bearer {token}"));
        let after = |minutes| {
            let now = NOW + time::Duration::minutes(minutes);
            bearer(&headers, &tokens, &RESOURCE_MANAGER, now).map(|_| ())
        };
        assert_eq!((after(59), after(61)), (Ok(()), Err(Refusal::Expired)));
    }

    #[test]
    fn a_token_from_elsewhere_is_good_and_its_principal_does_not_show_it() {
        let principal =
            bearer(&with("Bearer fabrikam-token"), &Tokens::default(), &RESOURCE_MANAGER, NOW).unwrap();
        assert!(!principal.as_str().contains("fabrikam-token"));
        assert_eq!(bearer(&with("Bearer "), &Tokens::default(), &ANY, NOW), Err(Refusal::Malformed));
        assert_eq!(bearer(&with("Basic YTpi"), &Tokens::default(), &ANY, NOW), Err(Refusal::Malformed));
        assert_eq!(bearer(&HeaderMap::new(), &Tokens::default(), &ANY, NOW), Err(Refusal::Missing));
    }
}
