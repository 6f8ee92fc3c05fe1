//! The pages: the report, sync requests, what went wrong. Each is one self-contained document, no script, nothing fetched from elsewhere.
//!
//! A part of a page is a file here, which says what is shown, and a template of the same name, which says how. All names come from
//! resources that others can write: the templates escape every one of them, and `words` bounds them and shows what
//! would be invisible.

mod attention;
mod authorities;
mod changes;
mod figures;
mod grid;
mod groups;
mod lifetimes;
mod lines;
pub mod links;
mod namespaces;
mod one_request;
mod parked;
mod request_list;
mod requests;
mod runbook;
mod words;
mod writes;

use askama::Template;
use certificate_management::configuration::{Mode, Thresholds};
use certificate_management::reason::Reason;
use certificate_management::report::changes::Changes;
use certificate_management::report::{self, NamespaceLine, Report};
use certificate_management::request::RequestRecord;
use http::StatusCode;
use time::{Duration, OffsetDateTime};

use attention::Attention;
use figures::Figure;
use lifetimes::Lifetimes;
use lines::Lines;
use links::Links;
use namespaces::Namespace;
use parked::Parked;
use requests::Requests;
use runbook::Entry;
use words::Moment;
use writes::Writes;

use crate::reporting::tables::Table;
use crate::views::RequestList;

/// What a browser may do with the page: show it, with the style that is in it.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// The style of every page, in the program once.
const STYLE: &str = include_str!("templates/page/style.css");
/// The media type of every page.
pub const MEDIA_TYPE: &str = "text/html; charset=utf-8";
/// How many things that could not be read are named at the top.
const UNREAD_NAMED: usize = 8;
/// How many frozen namespaces are named at the top.
const FROZEN_NAMED: usize = 4;

#[derive(Template)]
#[template(path = "page/document.html")]
struct Document<'a> {
    report: &'a Report,
    made: Moment,
    is_old: bool,
    audited: Option<String>,
    frozen: Vec<String>,
    unread: Vec<Unread>,
    attention: Attention,
    all_is_well: &'static str,
    figures: Vec<Figure>,
    lines: Lines,
    /// To what changed, and to the tables.
    changes: String,
    tables: [(&'static str, String); 2],
    namespaces: Vec<Namespace>,
    /// The namespace, where the page is of one.
    alone: Option<Alone>,
    lifetimes: Option<Lifetimes>,
    requests: Option<Requests>,
    parked: Option<Parked>,
    writes: Option<Writes>,
    runbook: Vec<Entry>,
}

/// The one namespace of a page.
struct Alone {
    name: String,
    /// To all of them.
    overview: String,
}

#[derive(Template)]
#[template(path = "page/waiting.html")]
struct Waiting;

#[derive(Template)]
#[template(path = "page/problem.html")]
struct Problem {
    /// The status, in words.
    status: &'static str,
    message: Vec<words::Piece>,
    overview: String,
    list: String,
}

/// Something that could not be read.
struct Unread {
    subject: String,
    why: String,
}

/// The page of a report, as it is at `now`, with the thresholds of the checks. A report that is older than they allow says so.
///
/// # Errors
/// When memory for it is lacking.
pub fn document(
    report: &Report,
    now: OffsetDateTime,
    thresholds: &Thresholds,
    links: &Links,
) -> Result<String, askama::Error> {
    render(report, now, thresholds, links, None)
}

/// The page of one namespace: a report that has no other.
///
/// # Errors
/// When memory for it is lacking.
pub fn of_namespace(
    report: &Report,
    now: OffsetDateTime,
    thresholds: &Thresholds,
    links: &Links,
) -> Result<String, askama::Error> {
    let name = report.lines.first().map(|line| words::name(line.name())).unwrap_or_default();
    let alone = Alone { name, overview: links.overview() };
    render(report, now, thresholds, links, Some(alone))
}

fn render(
    report: &Report,
    now: OffsetDateTime,
    thresholds: &Thresholds,
    links: &Links,
    alone: Option<Alone>,
) -> Result<String, askama::Error> {
    let lifetimes = Lifetimes::of(report);
    let overdue = Duration::minutes(i64::from(thresholds.report_overdue.minutes));
    let document = Document {
        report,
        made: words::moment(report.oldest_data_at),
        // That of one namespace is made when it is asked for, and so never old.
        is_old: alone.is_none() && now - report.generated_at > overdue,
        audited: audited(report),
        frozen: frozen(report),
        unread: unread(report),
        attention: Attention::of(report, links),
        all_is_well: all_is_well(report),
        figures: figures::of(report, lifetimes.as_ref()),
        requests: Requests::of(report, links),
        parked: Parked::of(report),
        changes: links.changes(None),
        tables: [
            ("pairs of hub and policy", links.table(Table::Pairs)),
            ("enrollment groups", links.table(Table::Groups)),
        ],
        writes: Writes::of(report),
        runbook: runbook::of(report, thresholds),
        lines: Lines::of(report, links),
        namespaces: namespaces::of(report, alone.is_some()),
        alone,
        lifetimes,
    };
    document.render()
}

/// The page before there is a report.
///
/// # Errors
/// When memory for it is lacking.
pub fn waiting() -> Result<String, askama::Error> {
    Waiting.render()
}

/// The page of a sync request.
///
/// # Errors
/// When memory for it is lacking.
pub fn of_request(
    record: &RequestRecord,
    links: &Links,
    next_step: impl Fn(Reason) -> String,
) -> Result<String, askama::Error> {
    one_request::Document::of(record, links, next_step).render()
}

/// A page of the list of sync requests.
///
/// # Errors
/// When memory for it is lacking.
pub fn of_requests(list: &RequestList, links: &Links) -> Result<String, askama::Error> {
    request_list::Document::of(list, links).render()
}

/// The page of what changed between two reports.
///
/// # Errors
/// When memory for it is lacking.
pub fn of_changes(changes: &Changes, now: OffsetDateTime, links: &Links) -> Result<String, askama::Error> {
    changes::Document::of(changes, now, links).render()
}

/// The page that says what went wrong.
///
/// # Errors
/// When memory for it is lacking.
pub fn of_problem(status: StatusCode, message: &str, links: &Links) -> Result<String, askama::Error> {
    let problem = Problem {
        status: status.canonical_reason().unwrap_or("Error"),
        message: words::prose(&words::text(message)),
        overview: links.overview(),
        list: links.requests(),
    };
    problem.render()
}

/// That some namespaces are not written to, unless the kill switch says so of all.
fn audited(report: &Report) -> Option<String> {
    let audited = report.lines.iter().filter(|line| line.mode == Mode::Audit);
    let audited: Vec<&str> = audited.map(NamespaceLine::name).collect();
    match audited.as_slice() {
        _ if report.kill_switch => None,
        [] => None,
        [one] => Some(format!("{} is in audit mode: no function writes to it.", words::name(one))),
        all if all.len() == report.lines.len() => {
            Some("All namespaces are in audit mode: no function writes to them.".to_owned())
        }
        all => Some(format!(
            "{} are in audit mode: no function writes to them.",
            words::count(all.len(), "namespace")
        )),
    }
}

/// The namespaces that are frozen, a sentence each.
fn frozen(report: &Report) -> Vec<String> {
    let frozen = report.lines.iter().filter_map(|line| Some((line.name(), line.frozen.as_deref()?)));
    let mut told: Vec<String> = frozen
        .map(|(name, why)| format!("{} is {}. Nothing is written.", words::name(name), words::text(why)))
        .collect();
    let left_out = told.len().saturating_sub(FROZEN_NAMED);
    told.truncate(FROZEN_NAMED);
    if left_out > 0 {
        told.push(format!("{} more are frozen.", words::count(left_out, "namespace")));
    }
    told
}

fn unread(report: &Report) -> Vec<Unread> {
    let shown = |unread: &report::Unread| Unread {
        subject: words::text(&unread.subject.text),
        why: words::text(&unread.failure.message),
    };
    let mut unread: Vec<Unread> = report.unread.iter().take(UNREAD_NAMED).map(shown).collect();
    let left_out = report.summary.unread.saturating_sub(unread.len());
    if left_out > 0 {
        let subject = format!("{} more", words::thousands(left_out as u64));
        unread.push(Unread { subject, why: "which are among the findings".to_owned() });
    }
    unread
}

/// What may be said when there is no finding.
fn all_is_well(report: &Report) -> &'static str {
    if report.is_all_trusted() {
        "Every namespace was read, and every linked hub trusts every active policy."
    } else {
        "No check has found anything."
    }
}

#[cfg(test)]
mod tests;
