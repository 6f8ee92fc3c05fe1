//! The report as a page: one self-contained document, no script, nothing fetched from elsewhere.
//!
//! All names come from resources that others can write; the template escapes every one of them.

use askama::Template;
use certificate_management::configuration::Mode;
use certificate_management::report::{NamespaceReport, Report};
use certificate_management::trust::Trust;
use functions_host::HttpReply;
use http::{HeaderName, StatusCode};
use time::OffsetDateTime;
use time::macros::format_description;

#[derive(Template)]
#[template(path = "policy_status.html")]
struct Page<'a> {
    report: &'a Report,
    age: String,
}

#[derive(Template)]
#[template(path = "waiting.html")]
struct Waiting;

/// The page of a report.
#[must_use]
pub fn render(report: &Report, now: OffsetDateTime) -> HttpReply {
    page(&Page { report, age: age(now - report.generated_at) })
}

/// The page before there is a report.
#[must_use]
pub fn render_waiting() -> HttpReply {
    page(&Waiting)
}

fn page(template: &impl Template) -> HttpReply {
    match template.render() {
        Ok(html) => HttpReply::text(StatusCode::OK, "text/html; charset=utf-8", html).header(
            HeaderName::from_static("content-security-policy"),
            "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        ),
        Err(error) => {
            tracing::error!("the page could not be rendered: {error}");
            HttpReply::text(StatusCode::INTERNAL_SERVER_ERROR, "text/plain; charset=utf-8", "the page could not be rendered")
        }
    }
}

impl Page<'_> {
    fn time(&self, time: &OffsetDateTime) -> String {
        time.format(format_description!("[year]-[month]-[day] [hour]:[minute] UTC")).unwrap_or_default()
    }

    fn date(&self, time: &Option<OffsetDateTime>) -> String {
        time.and_then(|time| time.format(format_description!("[year]-[month]-[day]")).ok())
            .unwrap_or_else(|| "–".to_owned())
    }

    fn is_audit(&self, namespace: &NamespaceReport) -> bool {
        namespace.mode == Mode::Audit
    }

    fn hubs<'r>(&self, namespace: &'r NamespaceReport) -> Vec<&'r str> {
        let mut hubs: Vec<&str> = namespace.trust.iter().map(|pair| pair.hub.as_str()).collect();
        hubs.sort_unstable();
        hubs.dedup();
        hubs
    }

    fn cell(&self, namespace: &NamespaceReport, policy: &str, hub: &str) -> Cell {
        let Some(pair) = namespace.trust.iter().find(|pair| pair.policy == policy && pair.hub == hub) else {
            return Cell {
                state: "–".to_owned(),
                class: "unknown",
                detail: "the policy is not active".to_owned(),
            };
        };
        let class = match pair.trust {
            Trust::Trusted => "good",
            Trust::Leftover | Trust::Unreadable => "fair",
            Trust::Stale | Trust::Missing => "bad",
        };
        let thumbprint = pair.evidence.as_ref().and_then(|evidence| evidence.thumbprint.as_deref());
        let detail = thumbprint.map_or_else(|| pair.why.clone(), short);
        Cell { state: pair.trust.to_string(), class, detail }
    }
}

struct Cell {
    state: String,
    class: &'static str,
    detail: String,
}

/// The first half of a thumbprint is enough to compare by eye.
fn short(thumbprint: &str) -> String {
    let head: String = thumbprint.chars().take(16).collect();
    if head.len() < thumbprint.len() { format!("{head}…") } else { head }
}

fn age(age: time::Duration) -> String {
    match age.whole_minutes() {
        ..=0 => "less than a minute old".to_owned(),
        1 => "1 minute old".to_owned(),
        minutes @ 2..120 => format!("{minutes} minutes old"),
        minutes => format!("{} hours old", minutes / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use certificate_management::checks::CheckId;
    use certificate_management::configuration::Configuration;
    use certificate_management::finding::{Finding, Subject};
    use certificate_management::reason::Reason;
    use certificate_management::report::ReportInput;

    #[test]
    fn hostile_names_do_not_become_markup() {
        let hostile = "<script>alert(1)</script>\"'&";
        let input = ReportInput {
            surprises: Vec::new(),
            configuration: &Configuration::default(),
            kill_switch: false,
            namespaces: Vec::new(),
            records: None,
            now: OffsetDateTime::UNIX_EPOCH,
        };
        let subject = Subject::component(hostile);
        let finding = Finding::new(CheckId::HubUntrusting, Reason::PolicyMissing, subject, hostile);
        let report = Report {
            findings: vec![finding.with_next_step(hostile)],
            ..certificate_management::report::build(&input)
        };
        let html = Page { report: &report, age: String::new() }.render().unwrap();
        assert!(!html.contains("<script"), "{html}");
        assert_eq!(html.matches("alert(1)").count(), 3);
    }

    #[test]
    fn ages_are_told_in_the_unit_that_fits() {
        for (minutes, text) in
            [(0, "less than a minute old"), (1, "1 minute old"), (90, "90 minutes old"), (180, "3 hours old")]
        {
            assert_eq!(age(time::Duration::minutes(minutes)), text);
        }
    }
}
