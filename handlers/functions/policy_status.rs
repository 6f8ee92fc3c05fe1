//! `policy-status`: the newest report, as a page for people or as JSON, by `Accept`.

use certificate_management::report::Report;
use functions_host::{Definition, Failure, HttpReply, HttpRequest, Invocation, Reply, Trigger};
use http::{StatusCode, header};
use serde_json::json;
use time::Duration;

use crate::application::Application;
use crate::{cache, page, reporting};

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
    let response = answer(application, &request).await.unwrap_or_else(|error| {
        tracing::error!("the page could not be rendered: {error}");
        HttpReply::text(
            StatusCode::INTERNAL_SERVER_ERROR,
            "text/plain; charset=utf-8",
            "the page could not be rendered",
        )
    });
    tracing::info!(http.response.status_code = response.status().as_u16(), "answered");
    Ok(Reply::success().http("res", response.header(header::VARY, "Accept")))
}

async fn answer(application: &Application, request: &HttpRequest) -> Result<HttpReply, askama::Error> {
    let is_page = wants_page(request);
    let report = match application.store.get::<Report>(reporting::LATEST).await {
        Ok(report) => report,
        Err(error) => {
            tracing::warn!("the report cannot be read: {error}");
            let body = json!({"error": {"message": "the report cannot be read just now"}});
            let reply = HttpReply::json(StatusCode::SERVICE_UNAVAILABLE, &body);
            return Ok(reply.header(header::RETRY_AFTER, "5").header(header::CACHE_CONTROL, "no-store"));
        }
    };
    Ok(match report {
        Some(report) if is_page => {
            let overdue =
                Duration::minutes(i64::from(application.fleet.configuration.checks.report_overdue.minutes));
            let document = page::document(&report.value, application.fleet.now(), overdue)?;
            cache::reply(request, "text/html; charset=utf-8", document)
        }
        Some(report) => {
            cache::reply(request, "application/json; charset=utf-8", json!(report.value).to_string())
        }
        None if is_page => HttpReply::text(StatusCode::OK, "text/html; charset=utf-8", page::waiting()?)
            .header(header::CACHE_CONTROL, "no-store"),
        None => {
            let body =
                json!({"error": {"message": "there is no report yet; report-policy-status makes the first"}});
            HttpReply::json(StatusCode::NOT_FOUND, &body).header(header::CACHE_CONTROL, "no-store")
        }
    })
}

/// A browser names `text/html`; whoever names JSON before it, or neither, gets JSON.
fn wants_page(request: &HttpRequest) -> bool {
    let accept = request.headers.get("Accept").unwrap_or_default().to_ascii_lowercase();
    match (accept.find("text/html"), accept.find("application/json")) {
        (Some(page), Some(data)) => page < data,
        (page, _) => page.is_some(),
    }
}
