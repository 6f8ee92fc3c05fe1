//! A reconcile over every group of every DPS when there is nothing to do, for fleets of growing size.

use super::app::App;
use super::calls::{Calls, is_write};
use super::fleet::{self, Service};
use super::{Arguments, revert};
use crate::error::CampaignError;
use crate::page::Table;
use crate::progress::Progress;
use crate::verdict::Verdict;

/// Two pages of 100 groups take two calls; the rest is room for a smaller page size.
const MOST_CALLS: usize = 4;

/// Runs it, and takes back a run in the first of the fleets.
///
/// # Errors
/// When it could not be run; broken rules are in the verdict.
pub async fn run(
    arguments: &Arguments,
    progress: &Progress,
    verdict: &mut Verdict,
) -> Result<(), CampaignError> {
    let mut table = Table::new([
        "DPS, groups each",
        "seconds of a reconcile",
        "calls of a DPS, at the most",
        "ARM reads",
        "writes",
    ]);
    for (number, &count) in arguments.provisioning_services.iter().enumerate() {
        let services = services(count, arguments.groups);
        let fleet = fleet::fleet(&services)?;
        let app = App::start(arguments, fleet, &fleet::configuration(&services), false).await?;
        progress.phase(&format!("reconciling {count} DPS that are as they should be"));
        table.row(reconciled(&app, &services, arguments.groups, verdict).await?);
        if number == 0 {
            revert::run(&app, &services[0], progress, verdict).await?;
        }
    }
    verdict.page(&table);
    Ok(())
}

fn services(count: usize, groups: usize) -> Vec<Service> {
    let half = groups / 2;
    let service = |index: usize| {
        let groups = [fleet::groups("line-a-", half), fleet::groups("line-b-", groups - half - 1)];
        Service { name: fleet::service_name(index), groups: groups.concat() }
    };
    (0..count).map(service).collect()
}

/// One reconcile, as a row.
async fn reconciled(
    app: &App,
    services: &[Service],
    groups: usize,
    verdict: &mut Verdict,
) -> Result<Vec<String>, CampaignError> {
    let before = app.simulator.log().entries().len();
    let report = app.fire("reconcile-assignments").await?;
    let entries = app.simulator.log().entries();
    let entries = &entries[before..];
    let calls: Vec<usize> =
        services.iter().map(|service| Calls::to(entries, &service.name).count()).collect();
    let writes = entries.iter().filter(|entry| is_write(entry)).count();
    let reads = entries.iter().filter(|entry| entry.path.starts_with("/subscriptions/")).count();
    let most = calls.iter().max().copied().unwrap_or_default();
    let mut broken = Vec::new();
    if !report.succeeded() {
        broken.push(format!("the reconcile failed: {}", report.error.unwrap_or_default()));
    }
    if most > MOST_CALLS {
        broken.push(format!("a DPS was called {most} times in a reconcile, more than {MOST_CALLS}"));
    }
    if calls.contains(&0) {
        broken.push("a DPS was not looked at".to_owned());
    }
    if writes > 0 {
        broken.push(format!("a reconcile with nothing to do wrote {writes} times"));
    }
    verdict.broken(broken);
    Ok(vec![
        format!("{}, {groups}", services.len()),
        format!("{:.1}", report.duration.as_secs_f64()),
        format!("{most} of {MOST_CALLS}"),
        reads.to_string(),
        writes.to_string(),
    ])
}
