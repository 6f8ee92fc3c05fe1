//! How the stories end: the hubs accept the device, the same wish again does nothing, and the report shows it all.

use certificate_management::reason::Reason;
use certificate_management::report::{NamespaceReport, Report};
use certificate_management::request::Outcome;

use super::devices::Provisioned;
use super::operator::Operator;
use super::scene::Scene;
use super::steps::{follow, make_report, proof_row, tell_report, until_final};
use crate::commands::laptop::console::Story;
use crate::commands::laptop::local_world::LocalWorld;

/// Follows a request to its end, and lets the device knock at every hub that it was for.
pub async fn accepted_everywhere(
    operator: &Operator,
    story: &Story,
    scene: &Scene,
    device: &Provisioned,
    request_id: &str,
) -> Result<(), String> {
    let outcomes = follow(operator, story, request_id).await?;
    let state = operator.state().await?;
    let mut rows = Vec::new();
    for outcome in &outcomes {
        rows.push(proof_row(device, &state, scene, outcome).await?);
    }
    story.table(&["hub", "policy", "outcome", "thumbprint seen on the hub", "TLS handshake"], rows);
    story.proven("The same device is accepted, by every hub of the namespace");
    Ok(())
}

/// Asks for what is so already.
pub async fn same_wish_again(operator: &Operator, story: &mut Story, scene: &Scene) -> Result<(), String> {
    story.step("The same wish again");
    let before = operator.writes().await?;
    let id = operator.submit(scene.namespace_id.as_str(), "once more").await?;
    let again = until_final(operator, &id).await?;
    let wrote = operator.writes().await? - before;
    if again["outcome"] != Outcome::AlreadyTrusted.to_string() || wrote != 0 {
        return Err(format!("a second request ended {} with {wrote} writes", again["outcome"]));
    }
    story.proven("already-trusted, and not one write to Azure");
    Ok(())
}

/// Has a report made, tells it, and lets `judge` look at it before its findings are told.
pub async fn status_report(
    world: &LocalWorld,
    operator: &Operator,
    story: &mut Story,
    scene: &Scene,
    judge: impl FnOnce(&Story, &Report, &NamespaceReport) -> Result<(), String>,
) -> Result<(), String> {
    story.step("The status report");
    let report = make_report(world, operator).await?;
    let namespace = report.namespaces.iter().find(|namespace| namespace.id == scene.namespace_id);
    let namespace = namespace.ok_or("the report lacks the namespace")?;
    tell_report(story, namespace);
    judge(story, &report, namespace)?;
    for finding in &report.findings {
        story.tell(&format!("{}: {} ({})", finding.severity, finding.subject, finding.reason));
    }
    Ok(())
}

/// Every hub must trust every policy.
pub fn every_hub_trusts(story: &Story, namespace: &NamespaceReport) -> Result<(), String> {
    if !namespace.trust.iter().all(|pair| pair.trust.admits_current()) {
        return Err("the report shows a hub that does not trust a policy".to_owned());
    }
    story.proven(&format!("Every hub of {} trusts every policy", namespace.name));
    Ok(())
}

/// No group may name a policy that the report does not find.
pub fn every_policy_is_found(report: &Report) -> Result<(), String> {
    match report.findings.iter().find(|finding| finding.reason == Reason::PolicyNotFound) {
        Some(lost) => Err(format!("a policy that exists is not found: {} {}", lost.subject, lost.message)),
        None => Ok(()),
    }
}
