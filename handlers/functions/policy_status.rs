//! `policy-status`: the newest report, what changed since an earlier one, and what was seen last of one namespace, as a page for
//! people or as JSON, by `Accept`; and tables of all pairs and groups as CSV.

use certificate_management::configuration::{Addresses, RESERVED};
use certificate_management::report::Report;
use functions_host::{Definition, Failure, HttpReply, HttpRequest, Invocation, Reply, Trigger};
use http::{Method, StatusCode, header};
use serde_json::json;
use time::format_description::well_known::Rfc3339;
use time::macros::{datetime, format_description};
use time::{Date, Duration, OffsetDateTime};

use crate::api::accept::Media;
use crate::api::problem::{Code, Problem};
use crate::api::{self, Operation};
use crate::application::Application;
use crate::page::links::{From, Links};
use crate::reporting::tables::Table;
use crate::reporting::{history, pages};
use crate::{cache, csv, page, reporting};

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

/// The media type of JSON.
const JSON: &str = "application/json; charset=utf-8";
/// How far back changes go where the caller does not say.
const SINCE: Duration = Duration::days(1);

/// What the addresses of reports have.
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

/// What the addresses of the tables have.
pub const OF_TABLES: [Operation; 1] = [Operation { method: Method::GET, media: &[Media::Csv] }];
/// The names of the addresses that stand beside those of namespaces; no namespace has one of them.
pub const BESIDE: [&str; 3] = [RESERVED, Table::Pairs.name(), Table::Groups.name()];

/// What an address means.
enum Place<'a> {
    All,
    Changes,
    Table(Table),
    Namespace(&'a str),
}

impl<'a> Place<'a> {
    /// By what stands in the place of a namespace.
    fn of(address: Option<&'a str>) -> Self {
        match address.filter(|address| !address.is_empty()) {
            None => Self::All,
            Some(address) if address.eq_ignore_ascii_case(RESERVED) => Self::Changes,
            Some(address) => Table::named(address).map_or(Self::Namespace(address), Self::Table),
        }
    }

    fn operations(&self) -> &'static [Operation] {
        if matches!(self, Self::Table(_)) { &OF_TABLES } else { &OPERATIONS }
    }
}

async fn answer(application: &Application, request: &HttpRequest) -> HttpReply {
    let place = Place::of(request.params.get("namespace"));
    let from = if matches!(place, Place::All) { From::Top } else { From::Below };
    let links = Links::with_key(request.query.get("code")).from(from);
    let media = match api::admit(request, place.operations()) {
        Ok(media) => media,
        Err(problem) => return problem.reply(Media::Json, &links),
    };
    let answered = match place {
        Place::All => overview(application, request, media, &links).await,
        Place::Changes => changes(application, request, media, &links).await,
        Place::Table(of) => table(application, request, of, &links).await,
        Place::Namespace(address) => of_namespace(application, request, address, media, &links).await,
    };
    answered.unwrap_or_else(|problem| problem.reply(media, &links))
}

async fn changes(
    application: &Application,
    request: &HttpRequest,
    media: Media,
    links: &Links,
) -> Result<HttpReply, Problem> {
    let now = application.fleet.now();
    let since = match request.query.get("since") {
        None => now - SINCE,
        Some(text) => parse_since(text).ok_or_else(|| {
            let problem = "it must be a time such as 2026-11-30T08:00:00Z, or a day such as 2026-11-30";
            Problem::of_field("since", problem)
        })?,
    };
    let changes = history::changes(&application.store, since).await.map_err(unreadable)?;
    let changes = changes.ok_or_else(|| {
        let message = "no report is kept yet to compare with; each run of report-policy-status keeps one";
        Problem::new(Code::NoReport, "report", message)
    })?;
    Ok(match media {
        Media::Page => {
            let page = page::of_changes(&changes, now, links)?;
            cache::reply(request, page::MEDIA_TYPE, page)
        }
        _ => cache::reply(request, JSON, json!(changes).to_string()),
    })
}

/// A time, or the beginning of a day in UTC. In an address `+` may have become a space. What no report can be as old as, or as new, is
/// as good as the nearest time that is within reason.
fn parse_since(text: &str) -> Option<OffsetDateTime> {
    let text = text.replace(' ', "+");
    let day = || Date::parse(&text, format_description!("[year]-[month]-[day]")).ok();
    let at = OffsetDateTime::parse(&text, &Rfc3339).ok();
    let at = at.or_else(|| day().map(|day| day.midnight().assume_utc()))?;
    Some(at.clamp(datetime!(1970-01-01 00:00 UTC), datetime!(9000-01-01 00:00 UTC)))
}

async fn table(
    application: &Application,
    request: &HttpRequest,
    table: Table,
    links: &Links,
) -> Result<HttpReply, Problem> {
    let number = api::page_number(request)?;
    let page = table.page(application, number).await.map_err(unreadable)?;
    let page = page
        .ok_or_else(|| Problem::new(Code::NoSuchPage, "page", format!("the table has no page {number}")))?;
    let file = format!("attachment; filename=\"policysync-{}\"", table.name());
    let reply = cache::reply(request, csv::MEDIA_TYPE, page.text).header(header::CONTENT_DISPOSITION, file);
    Ok(match number < page.of {
        true => reply.header(header::LINK, format!("<{}>; rel=\"next\"", links.page_of_list(number + 1))),
        false => reply,
    })
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
        (Some(report), _) => Ok(as_json(request, &report)),
        (None, _) if number > 1 => {
            let message = format!("the newest report has no page {number} of findings");
            Err(Problem::new(Code::NoSuchPage, "page", message))
        }
        (None, Media::Page) => Ok(HttpReply::text(StatusCode::OK, page::MEDIA_TYPE, page::waiting()?)
            .header(header::CACHE_CONTROL, "no-store")),
        (None, _) => {
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
        _ => as_json(request, &report),
    })
}

fn as_json(request: &HttpRequest, report: &Report) -> HttpReply {
    cache::reply(request, JSON, json!(report).to_string())
}

fn unreadable(error: state::Error) -> Problem {
    tracing::warn!("the report cannot be read: {error}");
    Problem::new(Code::RecordsUnavailable, "records", "the report cannot be read just now; ask again")
}
