//! `policy-status`: the newest report, and what was seen last of one namespace, as a page for people or as JSON, by `Accept`.

use certificate_management::configuration::Addresses;
use certificate_management::report::Report;
use functions_host::{Definition, Failure, HttpReply, HttpRequest, Invocation, Reply, Trigger};
use http::{Method, StatusCode, header};
use serde_json::json;

use crate::api::accept::Media;
use crate::api::problem::{Code, Problem};
use crate::api::{self, Operation};
use crate::application::Application;
use crate::page::links::{From, Links};
use crate::reporting::pages;
use crate::{cache, page, reporting};

/// What the code expects of `function.json`.
pub const DEFINITION: Definition = Definition {
    name: "policy-status",
    trigger: Trigger::Http {
        binding: "req",
        response: "res",
        // All: the host answers 404 for a method that is not listed, and the caller is told 405 instead.
        methods: &[],
        route: Some("policy-status/{namespace?}"),
    },
    outputs: &[],
};

/// What both of its addresses have.
pub const OPERATIONS: [Operation; 1] =
    [Operation { method: Method::GET, media: &[Media::Json, Media::Page] }];

/// Answers one HTTP request.
///
/// # Errors
/// Only when the trigger's data cannot be understood.
pub async fn run(application: &Application, invocation: Invocation) -> Result<Reply, Failure> {
    let request = invocation.http("req")?;
    let response = answer(application, &request).await;
    tracing::info!(http.response.status_code = response.status().as_u16(), "answered");
    Ok(Reply::success().http("res", response.header(header::VARY, "Accept")))
}

async fn answer(application: &Application, request: &HttpRequest) -> HttpReply {
    let address = request.params.get("namespace").filter(|address| !address.is_empty());
    let from = if address.is_some() { From::Below } else { From::Top };
    let links = Links::with_key(request.query.get("code")).from(from);
    let media = match api::admit(request, &OPERATIONS) {
        Ok(media) => media,
        Err(problem) => return problem.reply(Media::Json, &links),
    };
    let answered = match address {
        Some(address) => of_namespace(application, request, address, media, &links).await,
        None => overview(application, request, media, &links).await,
    };
    answered.unwrap_or_else(|problem| problem.reply(media, &links))
}

async fn overview(
    application: &Application,
    request: &HttpRequest,
    media: Media,
    links: &Links,
) -> Result<HttpReply, Problem> {
    let number = api::page_number(request)?;
    let report = pages::read(&application.store, number).await.map_err(unreadable)?;
    match (report, media) {
        (Some(report), Media::Page) => {
            let thresholds = &application.fleet.configuration.checks;
            let page = page::document(&report, application.fleet.now(), thresholds, links)?;
            Ok(cache::reply(request, page::MEDIA_TYPE, page))
        }
        (Some(report), Media::Json) => Ok(as_json(request, &report)),
        (None, _) if number > 1 => {
            let message = format!("the newest report has no page {number} of findings");
            Err(Problem::new(Code::NoSuchPage, "page", message))
        }
        (None, Media::Page) => Ok(HttpReply::text(StatusCode::OK, page::MEDIA_TYPE, page::waiting()?)
            .header(header::CACHE_CONTROL, "no-store")),
        (None, Media::Json) => {
            let message = "there is no report yet; report-policy-status makes the first";
            Err(Problem::new(Code::NoReport, "report", message))
        }
    }
}

async fn of_namespace(
    application: &Application,
    request: &HttpRequest,
    address: &str,
    media: Media,
    links: &Links,
) -> Result<HttpReply, Problem> {
    let configuration = &application.fleet.configuration;
    let addresses = Addresses::of(configuration.namespaces.iter().map(|namespace| &namespace.id));
    let found = addresses.find(address);
    let none = || {
        let message = "policysync.toml names no namespace of this name";
        Problem::new(Code::NoSuchNamespace, "namespace", message)
    };
    let id = match found.as_slice() {
        [id] => id,
        [] => return Err(none()),
        several => {
            let of: Vec<String> =
                several.iter().map(|id| format!("{} ({id})", addresses.address(id))).collect();
            let message = format!("several namespaces have this name: {}", of.join(", "));
            return Err(Problem::new(Code::AmbiguousNamespace, "namespace", message));
        }
    };
    let configuration = configuration.namespace(id).ok_or_else(none)?;
    let report = reporting::of_namespace(application, configuration).await.map_err(unreadable)?;
    Ok(match media {
        Media::Page => {
            let page = page::of_namespace(
                &report,
                application.fleet.now(),
                &application.fleet.configuration.checks,
                links,
            )?;
            cache::reply(request, page::MEDIA_TYPE, page)
        }
        Media::Json => as_json(request, &report),
    })
}

fn as_json(request: &HttpRequest, report: &Report) -> HttpReply {
    cache::reply(request, "application/json; charset=utf-8", json!(report).to_string())
}

fn unreadable(error: state::Error) -> Problem {
    tracing::warn!("the report cannot be read: {error}");
    Problem::new(Code::RecordsUnavailable, "records", "the report cannot be read just now; ask again")
}
