//! A reconcile over every group of every DPS when there is nothing to do.

use super::app::App;
use super::calls::{Calls, is_write};
use super::fleet::{self, Service};
use super::{Arguments, revert};
use crate::error::CampaignError;
use crate::progress::Progress;
use crate::verdict::{Verdict, seconds};

/// Two pages of 100 groups take two calls; the rest is room for a smaller page size.
const MOST_CALLS: usize = 4;

/// Runs it.
///
/// # Errors
/// When it could not be run; broken rules are in the verdict.
pub async fn run(
    arguments: &Arguments,
    progress: &Progress,
    verdict: &mut Verdict,
) -> Result<(), CampaignError> {
    let services: Vec<Service> = (0..arguments.provisioning_services)
        .map(|index| {
            let half = arguments.groups / 2;
            let groups =
                [fleet::groups("line-a-", half), fleet::groups("line-b-", arguments.groups - half - 1)];
            Service { name: fleet::service_name(index), groups: groups.concat() }
        })
        .collect();
    let fleet = fleet::fleet(&services)?;
    let app = App::start(arguments, fleet, &fleet::configuration(&services), false).await?;

    progress.phase("reconciling what is as it should be");
    let before = app.simulator.log().entries().len();
    let report = app.fire("reconcile-assignments").await?;
    let entries = app.simulator.log().entries();
    let entries = &entries[before..];
    let calls: Vec<usize> =
        services.iter().map(|service| Calls::to(entries, &service.name).count()).collect();
    let writes = entries.iter().filter(|entry| is_write(entry)).count();
    let reads = entries.iter().filter(|entry| entry.path.starts_with("/subscriptions/")).count();
    let most = calls.iter().max().copied().unwrap_or_default();
    verdict.figure(
        "full reconcile, nothing to do",
        format!("{} DPS with {} groups each, {}", services.len(), arguments.groups, seconds(report.duration)),
    );
    verdict.figure("  calls of a DPS, at the most", format!("{most} of {MOST_CALLS}"));
    verdict.figure("  ARM reads, writes to anything", format!("{reads}, {writes}"));
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
    revert::run(&app, &services[0], progress, verdict).await
}
