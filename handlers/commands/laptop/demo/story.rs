//! The story, step by step. The first step that does not hold ends it with the reason.

use super::devices::{self, Verdict};
use super::endings::{accepted_everywhere, every_hub_trusts, same_wish_again, status_report};
use super::operator::{CREDENTIALS, Operator};
use super::scene;
use super::steps::{check_untouched, expect_accepted, follow, make_report, overview, until_assigned};
use crate::commands::laptop::console::Story;
use crate::commands::laptop::local_world::LocalWorld;

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
