//! Takes each request before and after its service: the log, faults, authorization, throttling, and the headers that
//! every answer has.
//!
//! The order is that of the real front door: it logs a request when it arrives, the network may fail it, then the
//! request must prove who it is, then the front door charges its budget, and only then does the service see it.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode, Uri, header};
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use uuid::Uuid;

use super::arm_error::ArmError;
use super::authorization;
use super::clock::Clock;
use super::dates;
use super::faults::Faults;
use super::identity::Tokens;
use super::log::Log;
use super::permissions::Permissions;
use super::provisioning::error::ServiceError;
use super::roles;
use super::service::Service;
use super::throttle::{Operation, Taken, Throttle};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-ms-request-id");
const CORRELATION_ID: HeaderName = HeaderName::from_static("x-ms-correlation-request-id");
/// The sub-code that DPS gives to a throttled call (`azure-wire-facts.md` §3, unverified there).
const PROVISIONING_THROTTLED: u32 = 429_001;

/// A fault closes the connection with no answer.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("a fault closed the connection")]
pub struct NoAnswer;

/// The front door of the simulator.
pub struct Front {
    /// Dates log entries, answers and refusals; buckets fill by it.
    pub clock: Clock,
    /// Where requests are noted.
    pub log: Arc<Log>,
    /// The installed faults.
    pub faults: Arc<Faults>,
    /// The budgets of callers.
    pub throttle: Throttle,
    /// The permissions of callers.
    pub permissions: Arc<Permissions>,
    /// The tokens that were issued.
    pub tokens: Arc<Tokens>,
    /// The services.
    pub services: TowerToHyperService<Router>,
}

impl Front {
    /// Answers one request.
    ///
    /// # Errors
    /// When a fault wants the connection closed instead.
    pub async fn answer(&self, mut request: Request<Body>) -> Result<Response, NoAnswer> {
        let service = Service::of(request.uri().path());
        let correlation = request.headers().get(CORRELATION_ID).cloned();
        if service == Service::Control {
            lower_first_segment(request.uri_mut());
            let answer = self.route(request).await;
            return Ok(self.finish(service, correlation, answer));
        }
        let uri = request.uri();
        let number = self.log.arrived(
            request.method().as_str(),
            uri.path(),
            uri.query().unwrap_or_default(),
            self.clock.now(),
        );
        let fault = self.faults.strike(request.method().as_str(), uri.path());
        if service.has_fixed_prefix() {
            lower_first_segment(request.uri_mut());
        }
        let (answer, lost) = match fault {
            None => (Some(self.serve(service, request).await), false),
            Some(fault) => fault.act(service, &self.clock, self.serve(service, request)).await,
        };
        self.log.answered(number, answer.as_ref().map(|answer| answer.status().as_u16()), lost);
        answer.map(|answer| self.finish(service, correlation, answer)).ok_or(NoAnswer)
    }

    async fn serve(&self, service: Service, request: Request<Body>) -> Response {
        let now = self.clock.now();
        let principal = match authorization::check(service, request.headers(), &self.tokens, &self.clock) {
            Ok(principal) => principal,
            Err(refusal) => return *refusal,
        };
        let (method, path) = (request.method(), request.uri().path());
        if let Some(refusal) = roles::refuse(&self.permissions, service, method, path, request.headers(), now)
        {
            return refusal;
        }
        let second_segment = request.uri().path().split('/').nth(2).unwrap_or_default();
        match service {
            Service::ResourceManager => {
                let operation = Operation::of(request.method());
                match self.throttle.resource_manager(principal.as_str(), second_segment, operation, now) {
                    Taken::Allowed { remaining } => {
                        let mut answer = self.route(request).await;
                        set(answer.headers_mut(), operation, remaining);
                        answer
                    }
                    Taken::Refused { retry_after } => {
                        too_many_requests(second_segment, operation, retry_after)
                    }
                }
            }
            Service::Provisioning => match self.throttle.provisioning(second_segment, now) {
                Taken::Allowed { .. } => self.route(request).await,
                Taken::Refused { retry_after } => {
                    let error =
                        ServiceError::new(PROVISIONING_THROTTLED, "Too many operations in the last minute.");
                    retry_later(error.respond(now), retry_after)
                }
            },
            _ => self.route(request).await,
        }
    }

    async fn route(&self, request: Request<Body>) -> Response {
        let routed: Result<Response, Infallible> = self.services.call(request).await;
        match routed {
            Ok(answer) => answer,
            Err(never) => match never {},
        }
    }

    fn finish(&self, service: Service, correlation: Option<HeaderValue>, mut answer: Response) -> Response {
        let headers = answer.headers_mut();
        if let Ok(date) = HeaderValue::from_str(&dates::rfc_1123(self.clock.now())) {
            headers.insert(header::DATE, date);
        }
        if service == Service::ResourceManager {
            let request_id = identifier();
            let correlation = correlation.or_else(|| request_id.clone());
            for (name, value) in [(REQUEST_ID, request_id), (CORRELATION_ID, correlation)] {
                if let Some(value) = value {
                    headers.insert(name, value);
                }
            }
        }
        answer
    }
}

fn identifier() -> Option<HeaderValue> {
    HeaderValue::from_str(&Uuid::new_v4().to_string()).ok()
}

fn set(headers: &mut HeaderMap, operation: Operation, remaining: u64) {
    headers.insert(HeaderName::from_static(operation.header()), HeaderValue::from(remaining));
}

fn retry_later(mut answer: Response, seconds: u64) -> Response {
    answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    answer
}

fn too_many_requests(subscription: &str, operation: Operation, retry_after: u64) -> Response {
    let kind = match operation {
        Operation::Read => "read",
        Operation::Write => "write",
        Operation::Delete => "delete",
    };
    let message = format!(
        "The {kind} requests of this caller on subscription '{subscription}' are used up. \
         Try again after '{retry_after}' seconds."
    );
    let status = StatusCode::TOO_MANY_REQUESTS;
    let mut answer = ArmError::new(status, "SubscriptionRequestsThrottled", message).into_response();
    set(answer.headers_mut(), operation, 0);
    retry_later(answer, retry_after)
}

/// Azure reads paths in any case. The services match their own part of the path in any case; this segment routes to
/// them.
fn lower_first_segment(uri: &mut Uri) {
    let path = uri.path();
    let first = path.split('/').nth(1).unwrap_or_default();
    if !first.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return;
    }
    let rest = &path[1 + first.len()..];
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let lowered = format!("/{}{rest}{query}", first.to_ascii_lowercase());
    let mut parts = uri.clone().into_parts();
    if let Ok(lowered) = lowered.parse::<PathAndQuery>() {
        parts.path_and_query = Some(lowered);
        if let Ok(lowered) = Uri::from_parts(parts) {
            *uri = lowered;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_segment_is_routed_in_any_case_and_the_rest_is_kept() {
        for (given, routed) in [
            (
                "/Subscriptions/S/resourceGroups?api-version=1",
                "/subscriptions/S/resourceGroups?api-version=1",
            ),
            ("/dps/Contoso", "/dps/Contoso"),
            ("http://127.0.0.1:1/Identity?x=Y", "http://127.0.0.1:1/identity?x=Y"),
            ("/", "/"),
        ] {
            let mut uri: Uri = given.parse().unwrap();
            lower_first_segment(&mut uri);
            assert_eq!(uri.to_string(), routed);
        }
    }
}
