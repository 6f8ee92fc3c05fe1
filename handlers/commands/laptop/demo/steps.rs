//! Steps that the stories share. One that does not hold ends its story with the reason.

use std::time::Duration;

use certificate_management::model::ProvisioningState;
use certificate_management::plural;
use certificate_management::report::{NamespaceReport, Report};
use certificate_management::request::Outcome;
use serde_json::Value;

use super::devices::{Provisioned, Verdict};
use super::operator::Operator;
use super::scene::Scene;
use crate::commands::laptop::console::{Progress, Story};
use crate::commands::laptop::local_world::LocalWorld;

/// How long any one thing may take before the story gives up.
pub(super) const PATIENCE: Duration = Duration::from_secs(40);
/// How often the story looks.
pub(super) const GLANCE: Duration = Duration::from_millis(200);

pub(super) async fn make_report(world: &LocalWorld, operator: &Operator) -> Result<Report, String> {
    let fired = world.host.fire("report-policy-status", None).await.map_err(|error| error.to_string())?;
    if !fired.succeeded() {
        return Err(format!("the report failed: {}", fired.error.unwrap_or_default()));
    }
    operator.report().await
}

pub(super) fn overview(namespace: &NamespaceReport) -> Vec<String> {
    let mut hubs: Vec<&str> = namespace.trust.iter().map(|pair| pair.hub.as_str()).collect();
    hubs.sort_unstable();
    hubs.dedup();
    let policies: Vec<&str> = namespace.policies.iter().map(|policy| policy.name.as_str()).collect();
    let mode = if namespace.mode == certificate_management::configuration::Mode::Audit {
        "audit"
    } else {
        "enforce"
    };
    vec![namespace.name.clone(), policies.join(", "), hubs.len().to_string(), mode.to_owned()]
}

pub(super) async fn until_assigned(operator: &Operator, scene: &Scene) -> Result<Duration, String> {
    let progress = Progress::start("waiting for the event and the assignment");
    loop {
        let named = operator.policy_of(&scene.provisioning_service, &scene.enrollment_group).await?;
        match named.as_deref() {
            Some(policy) if policy == scene.policy => return Ok(progress.elapsed()),
            Some(other) => {
                return Err(format!("the group has the policy `{other}` instead of `{}`", scene.policy));
            }
            None if progress.elapsed() > PATIENCE => {
                return Err(format!("the group has no policy after {} s", PATIENCE.as_secs()));
            }
            None => tokio::time::sleep(GLANCE).await,
        }
    }
}

/// The rest of the group must be as it was created.
pub(super) async fn check_untouched(operator: &Operator, scene: &Scene) -> Result<(), String> {
    let group = operator.read_group(&scene.provisioning_service, &scene.enrollment_group).await?;
    let tag = &group["initialTwin"]["tags"]["madeBy"];
    let interval = &group["initialTwin"]["properties"]["desired"]["interval"];
    if tag != "policysync demo" || interval.as_f64() != Some(1.5) || group["provisioningStatus"] != "enabled"
    {
        return Err(format!("the assignment changed more than the policy: {group}"));
    }
    Ok(())
}

pub(super) async fn expect_accepted(device: &Provisioned, state: &Value, hub: &str) -> Result<(), String> {
    match device.knock(state, hub).await? {
        Verdict::Accepted => Ok(()),
        Verdict::Refused(why) => Err(format!("{hub} refused the device: {why}")),
    }
}

/// Follows a request with a progress line; every hub must end trusted.
pub(super) async fn follow(
    operator: &Operator,
    story: &Story,
    request_id: &str,
) -> Result<Vec<Value>, String> {
    let request = until_final(operator, request_id).await?;
    let trusted = [Outcome::Trusted.to_string(), Outcome::AlreadyTrusted.to_string()];
    if !trusted.iter().any(|outcome| request["outcome"] == outcome.as_str()) {
        return Err(format!(
            "request {request_id} ended {}: {} {}",
            request["outcome"], request["reason"], request["detail"]
        ));
    }
    story.proven("Every hub shows the current issuing CA");
    Ok(request["hubs"].as_array().cloned().unwrap_or_default())
}

pub(super) async fn until_final(operator: &Operator, request_id: &str) -> Result<Value, String> {
    let progress = Progress::start("queued");
    loop {
        let request = operator.progress(request_id).await?;
        let outcome = request["outcome"].as_str().unwrap_or_default().to_owned();
        if outcome != Outcome::Queued.to_string() && outcome != Outcome::Syncing.to_string() {
            return Ok(request);
        }
        if progress.elapsed() > PATIENCE {
            return Err(format!("request {request_id} is still {outcome} after {} s", PATIENCE.as_secs()));
        }
        let hubs = request["hubs"].as_array().map(Vec::as_slice).unwrap_or_default();
        let done = hubs.iter().filter(|hub| hub["outcome"] != Outcome::Syncing.to_string()).count();
        progress.update(format!("{outcome}: {done} of {} hubs and policies trusted", hubs.len()));
        tokio::time::sleep(GLANCE).await;
    }
}

/// One hub and policy of a request; a device with a certificate from that policy knocks at the hub.
pub(super) async fn proof_row(
    device: &Provisioned,
    state: &Value,
    scene: &Scene,
    outcome: &Value,
) -> Result<Vec<String>, String> {
    let text = |value: &Value| value.as_str().unwrap_or("–").to_owned();
    let (hub, policy) = (text(&outcome["hub"]), text(&outcome["policy"]));
    let handshake = if policy == scene.policy {
        expect_accepted(device, state, &format!("{hub}.azure-devices.net")).await?;
        "accepted"
    } else {
        "–"
    };
    let thumbprint = text(&outcome["evidence"]["thumbprint"]);
    Ok(vec![hub, policy, text(&outcome["outcome"]), thumbprint, handshake.to_owned()])
}

pub(super) fn tell_report(story: &Story, namespace: &NamespaceReport) {
    let rows = namespace.policies.iter().map(|policy| {
        let trusting = namespace.trust.iter().filter(|pair| pair.policy == policy.name);
        let (hubs, trusted) = trusting.fold((0, 0), |(hubs, trusted), pair| {
            (hubs + 1, trusted + usize::from(pair.trust.admits_current()))
        });
        let days = |days: Option<i64>| {
            days.map_or_else(|| "–".to_owned(), |days| format!("{} left", plural::count(days, "day")))
        };
        let state = match policy.provisioning_state {
            ProvisioningState::Succeeded => "active".to_owned(),
            ref other => other.to_string(),
        };
        let leaf =
            policy.leaf_validity_days.map_or_else(|| "–".to_owned(), |days| plural::count(days, "day"));
        vec![
            policy.name.clone(),
            state,
            days(policy.issuing_ca_days_left),
            leaf,
            format!("{trusted} of {hubs}"),
        ]
    });
    story.table(
        &["policy", "state", "issuing CA", "device certificates", "hubs that trust it"],
        rows.collect(),
    );
}
