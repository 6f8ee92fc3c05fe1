//! `policy-status`: the newest report, as a page for people or as JSON, by `Accept`.

use certificate_management::report::Report;
use functions_host::{Definition, Failure, HttpReply, HttpRequest, Invocation, Reply, Trigger};
use http::{StatusCode, header};
use serde_json::json;

use crate::application::Application;
use crate::{page, reporting};

/// What the code expects of `function.json`.
pub const DEFINITION: Definition = Definition {
    name: "policy-status",
    trigger: Trigger::Http {
        binding: "req",
        response: "res",
        methods: &["get"],
        route: Some("policy-status"),
    },
    outputs: &[],
};

/// Answers one HTTP request.
///
/// # Errors
/// Only when the trigger's data cannot be understood.
pub async fn run(application: &Application, invocation: Invocation) -> Result<Reply, Failure> {
    let request = invocation.http("req")?;
    let response = match application.store.get::<Report>(reporting::LATEST).await {
        Ok(Some(stored)) if wants_page(&request) => page::render(&stored.value, application.now()),
        Ok(Some(stored)) => HttpReply::json(StatusCode::OK, &json!(stored.value)),
        Ok(None) if wants_page(&request) => page::render_waiting(),
        Ok(None) => {
            let body =
                json!({"error": {"message": "there is no report yet; report-policy-status makes the first"}});
            HttpReply::json(StatusCode::NOT_FOUND, &body)
        }
        Err(error) => {
            tracing::warn!("the report cannot be read: {error}");
            let body = json!({"error": {"message": "the report cannot be read just now"}});
            HttpReply::json(StatusCode::SERVICE_UNAVAILABLE, &body).header(header::RETRY_AFTER, "5")
        }
    };
    tracing::info!(http.response.status_code = response.status().as_u16(), "answered");
    let response = response.header(header::CACHE_CONTROL, "no-store").header(header::VARY, "Accept");
    Ok(Reply::success().http("res", response))
}

/// A browser names `text/html`; whoever names JSON before it, or neither, gets JSON.
fn wants_page(request: &HttpRequest) -> bool {
    let accept = request.headers.get("Accept").unwrap_or_default().to_ascii_lowercase();
    match (accept.find("text/html"), accept.find("application/json")) {
        (Some(page), Some(data)) => page < data,
        (page, _) => page.is_some(),
    }
}
