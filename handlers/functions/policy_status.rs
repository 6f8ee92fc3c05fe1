//! `policy-status`: the newest report, and what was seen last of one namespace, as a page for people or as JSON, by `Accept`.

use certificate_management::configuration::Addresses;
use certificate_management::report::Report;
use functions_host::{Definition, Failure, HttpReply, HttpRequest, Invocation, Reply, Trigger};
use http::{StatusCode, header};
use serde_json::json;

use crate::application::Application;
use crate::page::links::Links;
use crate::reporting::pages;
use crate::{cache, page, reporting};

const PAGE: &str = "text/html; charset=utf-8";

/// What the code expects of `function.json`.
pub const DEFINITION: Definition = Definition {
    name: "policy-status",
    trigger: Trigger::Http {
        binding: "req",
        response: "res",
        methods: &["get"],
        route: Some("policy-status/{namespace?}"),
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
    let found = match request.params.get("namespace").filter(|address| !address.is_empty()) {
        Some(address) => namespace(application, address).await,
        None => overview(application, request.query.get("page")).await,
    };
    let links = Links::with_key(request.query.get("code"));
    let thresholds = &application.fleet.configuration.checks;
    let (now, is_page) = (application.fleet.now(), wants_page(request));
    Ok(match found {
        Ok(Found::Overview(report)) if is_page => {
            cache::reply(request, PAGE, page::document(&report, now, thresholds, &links)?)
        }
        Ok(Found::Namespace(report)) if is_page => {
            cache::reply(request, PAGE, page::of_namespace(&report, now, thresholds, &links)?)
        }
        Ok(Found::Overview(report) | Found::Namespace(report)) => {
            cache::reply(request, "application/json; charset=utf-8", json!(report).to_string())
        }
        Ok(Found::NoReport) if is_page => {
            HttpReply::text(StatusCode::OK, PAGE, page::waiting()?).header(header::CACHE_CONTROL, "no-store")
        }
        Ok(Found::NoReport) => {
            error(StatusCode::NOT_FOUND, "there is no report yet; report-policy-status makes the first")
        }
        Ok(Found::Nothing(message)) => error(StatusCode::NOT_FOUND, &message),
        Err(failure) => {
            tracing::warn!("the report cannot be read: {failure}");
            error(StatusCode::SERVICE_UNAVAILABLE, "the report cannot be read just now")
                .header(header::RETRY_AFTER, "5")
        }
    })
}

/// What there is under an address.
enum Found {
    Overview(Box<Report>),
    Namespace(Box<Report>),
    /// No report was made yet.
    NoReport,
    /// What the address names is not there.
    Nothing(String),
}

async fn overview(application: &Application, page: Option<&str>) -> Result<Found, state::Error> {
    let number = match page.map(str::parse::<usize>) {
        None => 1,
        Some(Ok(number)) => number,
        Some(Err(_)) => return Ok(Found::Nothing("`page` is a number, from 1 on".to_owned())),
    };
    match pages::read(&application.store, number).await? {
        Some(report) => Ok(Found::Overview(Box::new(report))),
        None if number == 1 => Ok(Found::NoReport),
        None => Ok(Found::Nothing(format!("the newest report has no page {number} of findings"))),
    }
}

async fn namespace(application: &Application, address: &str) -> Result<Found, state::Error> {
    let configuration = &application.fleet.configuration;
    let addresses = Addresses::of(configuration.namespaces.iter().map(|namespace| &namespace.id));
    let found = addresses.find(address);
    let [id] = found.as_slice() else {
        let of: Vec<String> = found.iter().map(|id| format!("{} ({id})", addresses.address(id))).collect();
        return Ok(Found::Nothing(match of.as_slice() {
            [] => "policysync.toml names no namespace of this name".to_owned(),
            _ => format!("several namespaces have this name: {}", of.join(", ")),
        }));
    };
    let Some(configuration) = configuration.namespace(id) else {
        return Ok(Found::Nothing("policysync.toml names no namespace of this name".to_owned()));
    };
    Ok(Found::Namespace(Box::new(reporting::of_namespace(application, configuration).await?)))
}

fn error(status: StatusCode, message: &str) -> HttpReply {
    HttpReply::json(status, &json!({"error": {"message": message}})).header(header::CACHE_CONTROL, "no-store")
}

/// A browser names `text/html`. A client that names JSON before it, or neither, gets JSON.
fn wants_page(request: &HttpRequest) -> bool {
    let accept = request.headers.get("Accept").unwrap_or_default().to_ascii_lowercase();
    match (accept.find("text/html"), accept.find("application/json")) {
        (Some(page), Some(data)) => page < data,
        (page, _) => page.is_some(),
    }
}
