//! The story, step by step. The first step that does not hold ends it with the reason.

use std::time::Duration;

use certificate_management::model::ProvisioningState;
use certificate_management::report::{NamespaceReport, Report};
use certificate_management::request::Outcome;
use serde_json::Value;

use super::devices::{self, Provisioned, Verdict};
use super::endings::{accepted_everywhere, every_hub_trusts, same_wish_again, status_report};
use super::operator::{CREDENTIALS, Operator};
use super::scene::{self, Scene};
use crate::commands::laptop::console::{Progress, Story};
use crate::commands::laptop::local_world::LocalWorld;

/// How long any one thing may take before the story gives up.
pub(super) const PATIENCE: Duration = Duration::from_secs(40);
/// How often the story looks.
pub(super) const GLANCE: Duration = Duration::from_millis(200);

/// Tells the whole story.
pub async fn tell(world: &LocalWorld) -> Result<(), String> {
    let azure = world.simulator.url();
    let operator = Operator::new(azure, world.host.url(), CREDENTIALS)?;
    let mut story = Story::default();

    story.step("A simulated Azure, a Functions host and the handler are running");
    let state = operator.state().await?;
    story.tell(&format!("Azure     {azure}"));
    story.tell(&format!("Host      {} ({} functions)", world.host.url(), world.host.functions().len()));
    story.tell("Handler   policysync serve, its own process, started by the host");
    let report = make_report(world, &operator).await?;
    story.table(&["namespace", "policies", "hubs", "mode"], report.namespaces.iter().map(overview).collect());
    let scene = scene::find(&world.configuration, &report, &state, &operator).await?;
    if !scene.is_trusted {
        story.step("Some hubs of this fleet do not trust a policy yet: sync first");
        let id = operator.submit(scene.namespace_id.as_str(), "before the demo").await?;
        follow(&operator, &story, &id).await?;
    }

    story.step("A person creates an enrollment group, without a policy");
    operator.create_group(&scene.provisioning_service, &scene.enrollment_group).await?;
    story.tell(&format!("{} in {}", scene.enrollment_group, scene.provisioning_service));
    let took = until_assigned(&operator, &scene).await?;
    story.proven(&format!(
        "It has the policy `{}` after {:.1} s: rule \"{}\" says so, and its hubs trust that policy",
        scene.policy,
        took.as_secs_f64(),
        scene.rule
    ));
    check_untouched(&operator, &scene).await?;
    story.proven("Nothing else of the group was changed");

    story.step("A device of that group gets a certificate and connects to its hub");
    let first = devices::provision(&operator, azure, &scene, "demo-device-1").await?;
    expect_accepted(&first, &state, &first.assigned_hub).await?;
    story.proven(&format!("TLS handshake with {}: accepted", first.assigned_hub));

    story.step("The service renews the policy's issuing CA, and no hub is told");
    let policy_id = scene.namespace_id.child("credentials", "default").child("policies", &scene.policy);
    operator.rotate(policy_id.as_str()).await?;
    let device = devices::provision(&operator, azure, &scene, "demo-device-2").await?;
    match device.knock(&state, &device.assigned_hub).await? {
        Verdict::Refused(why) => {
            story.proven(&format!(
                "A device with a fresh certificate is refused by {}: {why}",
                device.assigned_hub
            ));
        }
        Verdict::Accepted => {
            return Err("the hub accepted a certificate from a CA that it was never given".to_owned());
        }
    }

    story.step("A sync request goes through the queue");
    let id = operator.submit(scene.namespace_id.as_str(), "the issuing CA was renewed").await?;
    story.tell(&format!("request {id}"));
    accepted_everywhere(&operator, &story, &scene, &device, &id).await?;

    same_wish_again(&operator, &mut story, &scene).await?;

    status_report(world, &operator, &mut story, &scene, |story, _, namespace| {
        every_hub_trusts(story, namespace)
    })
    .await
}

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
        let days =
            |days: Option<i64>| days.map_or_else(|| "–".to_owned(), |days| format!("{days} days left"));
        let state = match policy.provisioning_state {
            ProvisioningState::Succeeded => "active".to_owned(),
            ref other => other.to_string(),
        };
        let leaf = policy.leaf_validity_days.map_or_else(|| "–".to_owned(), |days| format!("{days} days"));
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
