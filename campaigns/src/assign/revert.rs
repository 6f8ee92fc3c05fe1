//! Copies a policy to half of the groups of a DPS, and takes that run back with the records in a storage account.

use serde_json::Value;

use super::app::App;
use super::calls::Calls;
use super::fleet::{OTHER_POLICY, POLICY, SOURCE, Service};
use crate::error::CampaignError;
use crate::progress::Progress;
use crate::verdict::Verdict;

/// Runs it.
///
/// # Errors
/// When it could not be run; broken rules are in the verdict.
pub async fn run(
    app: &App,
    service: &Service,
    progress: &Progress,
    verdict: &mut Verdict,
) -> Result<(), CampaignError> {
    let name = service.name.as_str();
    let targets: Vec<&str> =
        service.groups.iter().map(String::as_str).filter(|id| id.starts_with("line-a-")).collect();
    let written = |document: &Value| {
        let rows = document["groups"].as_array().map(Vec::as_slice).unwrap_or_default();
        rows.iter().filter(|row| row["outcome"] == "written").count()
    };
    let carry = async |policy: &str| {
        let policies = app.policies(name).await?;
        let has = |id: &&&str| policies.get(**id).is_some_and(|own| own == policy);
        Ok::<usize, CampaignError>(targets.iter().filter(has).count())
    };
    let mut broken = Vec::new();
    let mut expect = |what: &str, is: usize, wanted: usize| {
        if is != wanted {
            broken.push(format!("{what}: {is} instead of {wanted}"));
        }
    };

    progress.phase("copying a policy to many groups");
    let (from, to) = (format!("{name}/{SOURCE}"), format!("{name}/line-a-*"));
    let (copied, _) = app.command(&["assign", "--from", &from, "--to", &to, "--apply"]).await?;
    expect("groups that a copy wrote", written(&copied), targets.len());
    expect("groups that carry the copy", carry(OTHER_POLICY).await?, targets.len());

    progress.phase("taking that run back");
    let run = copied["run"].as_str().unwrap_or_default();
    let revert = ["assign", "--revert", run, "--apply"];
    let (taken_back, exit) = app.command(&revert).await?;
    expect("groups that the way back wrote", written(&taken_back), targets.len());
    expect("groups as they were before", carry(POLICY).await?, targets.len());
    expect("exit code of the way back", usize::try_from(exit).unwrap_or(usize::MAX), 0);

    progress.phase("taking it back again");
    let entries = app.simulator.log().entries();
    let before = Calls::to(&entries, name).writes();
    let (again, exit) = app.command(&revert).await?;
    let entries = app.simulator.log().entries();
    expect("writes of a second way back", Calls::to(&entries, name).writes() - before, 0);
    expect("rows of a second way back", again["groups"].as_array().map_or(usize::MAX, Vec::len), 0);
    expect("exit code of a second way back", usize::try_from(exit).unwrap_or(usize::MAX), 0);
    verdict.figure(
        "copied to, taken back, taken back again",
        format!("{}, {}, {}", written(&copied), written(&taken_back), written(&again)),
    );
    verdict.broken(broken);
    Ok(())
}
