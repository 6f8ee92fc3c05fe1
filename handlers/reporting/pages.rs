//! The report as it is kept: the overview with the first page of the findings, and a record for each page after it.
//!
//! The pages of a report stand under the time at which it was made, so that a reader who turns the page while the next report is
//! written gets a page of one of the two, and never of both.

use certificate_management::report::{Finding, Report};
use futures::stream::{self, StreamExt};
use state::Store;

use super::LATEST;

/// Where the further pages are.
pub const FINDINGS: &str = "findings";
/// How many of them are written at once.
const AT_ONCE: usize = 8;

fn place(report: &Report, number: usize) -> String {
    format!("{FINDINGS}/{}/{number}", report.generated_at.unix_timestamp_nanos())
}

/// Writes a report down; the overview last, which names the others.
///
/// # Errors
/// When a record cannot be written.
pub async fn write(store: &Store, report: &Report) -> Result<(), state::Error> {
    let further: Vec<_> = report
        .further_pages()
        .enumerate()
        .map(|(before, findings)| {
            let place = place(report, before + 2);
            async move { store.put(&place, &findings).await }
        })
        .collect();
    let mut written = stream::iter(further).buffer_unordered(AT_ONCE);
    while let Some(page) = written.next().await {
        page?;
    }
    let (made, overview) = (report.generated_at, report.overview());
    store.put(&format!("reports/{}/{:02}", made.date(), made.hour()), &overview).await?;
    store.put(LATEST, &overview).await.map(drop)
}

/// The newest report with this page of its findings; `None` when there is no report of this version yet, or it has no such page.
///
/// # Errors
/// When the records cannot be read.
pub async fn read(store: &Store, number: usize) -> Result<Option<Report>, state::Error> {
    let overview = match store.get::<Report>(LATEST).await {
        // The release before wrote another version. The next run of the report replaces it.
        Err(error) if error.kind() == state::ErrorKind::Corrupt => {
            tracing::warn!("the newest report is not of this version: {error}");
            return Ok(None);
        }
        read => read?.map(|stored| stored.value),
    };
    let Some(overview) = overview else { return Ok(None) };
    if number == 1 {
        return Ok(Some(overview));
    }
    if !(2..=overview.page.of).contains(&number) {
        return Ok(None);
    }
    let findings = store.get::<Vec<Finding>>(&place(&overview, number)).await?;
    Ok(findings.map(|findings| overview.with_page(number, findings.value)))
}

#[cfg(test)]
mod tests {
    use certificate_management::checks::CheckId;
    use certificate_management::configuration::Configuration;
    use certificate_management::finding::Subject;
    use certificate_management::reason::Reason;
    use certificate_management::report::{FINDINGS_ON_PAGE, Fold};
    use time::macros::datetime;

    use super::*;

    fn report(findings: usize) -> Report {
        let id = |n| {
            format!("/subscriptions/S/resourceGroups/R/providers/Microsoft.DeviceRegistry/namespaces/n{n}")
        };
        let tables = (0..11).map(|n| format!("[[namespace]]\nid = \"{}\"\n", id(n))).collect::<String>();
        let configuration = Configuration::parse(&tables).unwrap();
        let mut fold = Fold::new(&configuration, false, None, datetime!(2026-11-29 14:05 UTC));
        for namespace in &configuration.namespaces {
            let input = certificate_management::section::Section::new(&namespace.id).into_input(namespace);
            fold.add(certificate_management::facts::NamespaceFacts::of(&input), Vec::new());
        }
        let mut report = fold.finish(None, &[]);
        report.findings = (0..findings)
            .map(|n| {
                let subject = Subject::component(&format!("part {n:04}"));
                Finding::new(CheckId::CaLeftover, Reason::CaLeftover, subject, "")
            })
            .collect();
        report
    }

    #[tokio::test]
    async fn a_report_of_the_release_before_counts_as_none_until_the_next_run() {
        let store = Store::memory();
        let before = serde_json::json!({"schema": "policy-status/v1", "generatedAt": "2026-11-29T14:05:00Z",
            "findings": [], "namespaces": []});
        store.put(LATEST, &before).await.unwrap();
        assert!(read(&store, 1).await.unwrap().is_none());
        write(&store, &report(1)).await.unwrap();
        assert!(read(&store, 1).await.unwrap().is_some());
    }

    #[tokio::test]
    async fn every_finding_is_on_one_page_in_its_order() {
        for findings in [0, 1, FINDINGS_ON_PAGE, FINDINGS_ON_PAGE + 1, FINDINGS_ON_PAGE * 3] {
            let store = Store::memory();
            let whole = report(findings);
            write(&store, &whole).await.unwrap();
            let first = read(&store, 1).await.unwrap().unwrap();
            let mut found = Vec::new();
            for number in 1..=first.page.of {
                let page = read(&store, number).await.unwrap().unwrap();
                assert_eq!(
                    (page.page.number, page.page.of),
                    (number, findings.div_ceil(FINDINGS_ON_PAGE).max(1))
                );
                found.extend(page.findings);
            }
            assert_eq!(found, whole.findings);
            assert!(read(&store, 0).await.unwrap().is_none());
            assert!(read(&store, first.page.of + 1).await.unwrap().is_none());
        }
    }
}
