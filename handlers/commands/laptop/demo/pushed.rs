//! The story where the service pushes certificate authorities by itself: a request cannot sync, so it verifies and explains.

use certificate_management::ArmId;
use certificate_management::reason::Reason;
use certificate_management::report::{NamespaceReport, Report};
use serde_json::Value;

use super::devices::{self, Verdict};
use super::endings::{
    accepted_everywhere, every_hub_trusts, every_policy_is_found, same_wish_again, status_report,
};
use super::operator::{CERTIFICATE_AUTHORITIES, Operator};
use super::scene::{self, Scene};
use super::steps::{
    PATIENCE, check_untouched, expect_accepted, make_report, overview, until_assigned, until_final,
};
use crate::commands::laptop::console::{Progress, Story};
use crate::commands::laptop::local_world::LocalWorld;

/// How long the fleet's pushes take, in seconds of the simulated clock. The story moves the clock by as much once it
/// has seen what holds before the push.
pub const PUSH_SECONDS: u32 = 600;

/// Tells the whole story.
pub async fn tell(world: &LocalWorld) -> Result<(), String> {
    let azure = world.simulator.url();
    let operator = Operator::new(azure, world.host.url(), CERTIFICATE_AUTHORITIES)?;
    let mut story = Story::default();

    story.step("A simulated Azure of the newer generation, a Functions host and the handler are running");
    let state = operator.state().await?;
    let report = make_report(world, &operator).await?;
    story.table(&["namespace", "policies", "hubs", "mode"], report.namespaces.iter().map(overview).collect());
    let scene = scene::find(&world.configuration, &report, &state, &operator).await?;

    story.step("A person creates an enrollment group, without a policy");
    operator.create_group(&scene.provisioning_service, &scene.enrollment_group).await?;
    let took = until_assigned(&operator, &scene).await?;
    story.proven(&format!(
        "It names namespace, certificate authority and policy, `{}/{}`, after {:.1} s: rule \"{}\" says so",
        scene.namespace_id.name(),
        scene.policy,
        took.as_secs_f64(),
        scene.rule
    ));
    check_untouched(&operator, &scene).await?;
    story.proven("Nothing else of the group was changed");
    let first = devices::provision(&operator, azure, &scene, "demo-device-1").await?;
    expect_accepted(&first, &state, &first.assigned_hub).await?;
    story.proven(&format!("A device of it gets a certificate, and {} accepts it", first.assigned_hub));

    story.step("The certificate authority is renewed, and the service has not pushed it yet");
    let authority = scene.policy.split('/').next().unwrap_or_default();
    operator.rotate(scene.namespace_id.child("certificateAuthorities", authority).as_str()).await?;
    let device = devices::provision(&operator, azure, &scene, "demo-device-2").await?;
    match device.knock(&state, &device.assigned_hub).await? {
        Verdict::Refused(why) => story.proven(&format!(
            "A device with a fresh certificate is refused by {}: {why}",
            device.assigned_hub
        )),
        Verdict::Accepted => return Err("the hub accepted a CA that was never pushed to it".to_owned()),
    }

    story.step(
        "A request goes through the queue. There is nothing to sync, so it looks for the push and explains",
    );
    let id = operator.submit(scene.namespace_id.as_str(), "the issuing CA was renewed").await?;
    let hubs = until_explained(&operator, &id, Reason::PushAwaited).await?;
    for hub in &hubs {
        story.tell(&format!("{}: {}", hub["reason"].as_str().unwrap_or_default(), detail(hub)));
    }
    story.proven("It says of each hub what is missing, and keeps looking");
    operator.advance(PUSH_SECONDS).await?;
    story.tell(&format!("{} minutes pass: the service pushes the certificate authority", PUSH_SECONDS / 60));
    accepted_everywhere(&operator, &story, &scene, &device, &id).await?;

    explain_failed_link(&operator, &mut story, &world.configuration.namespaces, &scene).await?;

    same_wish_again(&operator, &mut story, &scene).await?;
    let syncs = operator.synchronize_calls().await?;
    if syncs != 0 {
        return Err(format!("{syncs} synchronize calls were sent to a service that has none"));
    }
    story.proven("In the whole story not one synchronize call was sent");

    let judge = |story: &Story, report: &Report, namespace: &NamespaceReport| {
        every_hub_trusts(story, namespace)?;
        every_policy_is_found(report)
    };
    status_report(world, &operator, &mut story, &scene, judge).await
}

/// A request for a namespace with a hub that the service cannot push to.
async fn explain_failed_link(
    operator: &Operator,
    story: &mut Story,
    namespaces: &[certificate_management::configuration::NamespaceConfiguration],
    scene: &Scene,
) -> Result<(), String> {
    let other: Option<&ArmId> =
        namespaces.iter().map(|known| &known.id).find(|id| **id != scene.namespace_id);
    let Some(other) = other else { return Ok(()) };
    story.step(&format!("A request for {}, where the link of a hub has failed", other.name()));
    let id = operator.submit(other.as_str(), "why are its vans refused?").await?;
    let request = until_final(operator, &id).await?;
    let hubs = request["hubs"].as_array().cloned().unwrap_or_default();
    let failed = hubs.iter().find(|hub| hub["reason"] == Reason::LinkFailed.code());
    let Some(failed) = failed else {
        return Err(format!("the failed link is not explained: {request}"));
    };
    story.tell(&format!("{}: {}", Reason::LinkFailed, detail(failed)));
    story.proven(&format!("failed, at once, with the service's own words ({} of {} hubs)", 1, hubs.len()));
    Ok(())
}

fn detail(hub: &Value) -> String {
    let text = hub["detail"].as_str().map(str::to_owned);
    text.unwrap_or_else(|| format!("{} on {}", hub["policy"], hub["hub"]))
}

/// Waits until a request tells of hubs that lack something for this reason; answers them.
pub async fn until_explained(
    operator: &Operator,
    request_id: &str,
    reason: Reason,
) -> Result<Vec<Value>, String> {
    let progress = Progress::start("queued");
    loop {
        let request = operator.progress(request_id).await?;
        let hubs = request["hubs"].as_array().cloned().unwrap_or_default();
        let lacking: Vec<Value> = hubs.into_iter().filter(|hub| hub["reason"] == reason.code()).collect();
        if !lacking.is_empty() {
            return Ok(lacking);
        }
        if progress.elapsed() > PATIENCE {
            return Err(format!("request {request_id} never said {reason}: {request}"));
        }
        tokio::time::sleep(super::steps::GLANCE).await;
    }
}
