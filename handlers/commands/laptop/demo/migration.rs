//! The story of a namespace that moves from credential policies to certificate authorities while groups are being created.

use std::path::Path;

use certificate_management::reason::Reason;
use tokio::process::Command;

use super::devices::{self};
use super::endings::{every_policy_is_found, status_report};
use super::operator::{CREDENTIALS, Operator};
use super::pushed::{PUSH_SECONDS, until_explained};
use super::scene::{self, Scene};
use super::steps::{check_untouched, expect_accepted, follow, make_report, overview, until_assigned};
use crate::commands::laptop::console::Story;
use crate::commands::laptop::local_world::{LocalWorld, Schedules, app_settings};

/// The issuing CA that is made in the story, and its policy: what `[[namespace.migration]]` names.
const AUTHORITY: &str = "lines-ica";
const POLICY: &str = "short-lived";

/// Tells the whole story.
pub async fn tell(world: &LocalWorld) -> Result<(), String> {
    let azure = world.simulator.url();
    let operator = Operator::new(azure, world.host.url(), CREDENTIALS)?;
    let mut story = Story::default();
    let successor = format!("{AUTHORITY}/{POLICY}");

    story.step("A namespace with credential policies, a root certificate authority, and no issuing one yet");
    let state = operator.state().await?;
    let report = make_report(world, &operator).await?;
    story.table(&["namespace", "policies", "hubs", "mode"], report.namespaces.iter().map(overview).collect());
    let scene = scene::find(&world.configuration, &report, &state, &operator).await?;
    story.tell(&format!("[[namespace.migration]] says that `{}` becomes `{successor}`", scene.policy));

    story.step("A group is created before its new policy exists");
    create(&operator, &story, &scene).await?;

    story.step(
        "A person makes the issuing certificate authority and its policy, as Azure's documentation says",
    );
    operator.make_authority(&scene.namespace_id, "plants-root", AUTHORITY, POLICY).await?;
    story.proven(&format!("{successor} exists, and no hub has been given it yet"));

    story.step("A group is created while no hub trusts the new policy");
    let between = next(&scene, 1);
    create(&operator, &story, &between).await?;

    story.step("A request explains what is missing, and the service pushes");
    let id = operator.submit(scene.namespace_id.as_str(), "the new certificate authority").await?;
    let hubs = until_explained(&operator, &id, Reason::PushAwaited).await?;
    for hub in &hubs {
        story.tell(&format!("{}: {}", Reason::PushAwaited, hub["detail"].as_str().unwrap_or_default()));
    }
    operator.advance(PUSH_SECONDS).await?;
    follow(&operator, &story, &id).await?;

    story.step("A group is created after that");
    let after = Scene { policy: successor.clone(), ..next(&scene, 2) };
    create(&operator, &story, &after).await?;

    story.step("The plan of the migration, as `policysync assign --migrate` prints it");
    let plan = command(world, azure, &["assign", "--migrate"]).await?;
    tell_lines(&story, &plan);

    story.step("The same with --apply: group by group, each with the proof that nothing else of it moves");
    let done = command(world, azure, &["assign", "--migrate", "--apply"]).await?;
    tell_lines(&story, &done);
    for id in ["line-1", "line-2", &scene.enrollment_group, &between.enrollment_group] {
        let named = operator.policy_of(&scene.provisioning_service, id).await?;
        if named.as_deref() != Some(successor.as_str()) {
            return Err(format!("group {id} names {named:?} after the migration"));
        }
    }
    check_untouched(&operator, &scene).await?;
    let left = operator.policy_of(&scene.provisioning_service, "offices").await?;
    if left.as_deref() != Some("default") {
        return Err(format!("a group that was not meant was moved too: offices names {left:?}"));
    }
    story.proven("Every group of `short-lived` names its successor, and `offices` was left alone");
    let moved = Scene { policy: successor, ..scene.clone() };
    let device = devices::provision(&operator, azure, &moved, "demo-device-1").await?;
    expect_accepted(&device, &state, &device.assigned_hub).await?;
    story.proven(&format!("A device of a moved group is accepted by {}", device.assigned_hub));

    story.step("All of it once more");
    let before = operator.writes().await?;
    command(world, azure, &["assign", "--migrate", "--apply"]).await?;
    let fired = world.host.fire("reconcile-assignments", None).await.map_err(|error| error.to_string())?;
    if !fired.succeeded() {
        return Err(format!("the reconcile failed: {}", fired.error.unwrap_or_default()));
    }
    let wrote = operator.writes().await? - before;
    let syncs = operator.synchronize_calls().await?;
    if wrote != 0 || syncs != 0 {
        return Err(format!("the second run wrote {wrote} times, and {syncs} syncs were started"));
    }
    story.proven("Not one write to Azure, and in the whole story no sync");

    status_report(world, &operator, &mut story, &scene, |_, report, _| every_policy_is_found(report)).await
}

/// Another group of the same rule.
fn next(scene: &Scene, number: u32) -> Scene {
    let enrollment_group = format!("{}-{number}", scene.enrollment_group);
    Scene { enrollment_group, ..scene.clone() }
}

async fn create(operator: &Operator, story: &Story, scene: &Scene) -> Result<(), String> {
    operator.create_group(&scene.provisioning_service, &scene.enrollment_group).await?;
    let took = until_assigned(operator, scene).await?;
    story.proven(&format!(
        "{} names `{}` after {:.1} s: what its hubs trust today",
        scene.enrollment_group,
        scene.policy,
        took.as_secs_f64()
    ));
    Ok(())
}

fn tell_lines(story: &Story, text: &str) {
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        story.tell(line);
    }
}

/// This very program as a person runs it, pointed at the simulated Azure.
async fn command(world: &LocalWorld, azure: &str, arguments: &[&str]) -> Result<String, String> {
    let program = std::env::current_exe().map_err(|error| format!("cannot find this program: {error}"))?;
    let configuration: &Path = world.folder.path();
    let output = Command::new(program)
        .args(arguments)
        .envs(app_settings(azure, Schedules::default()))
        .env("POLICYSYNC_CONFIG", configuration.join("policysync.toml"))
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|error| format!("policysync {} did not run: {error}", arguments.join(" ")))?;
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(told);
    }
    let error = String::from_utf8_lossy(&output.stderr);
    Err(format!("policysync {} ended {}: {told}{error}", arguments.join(" "), output.status))
}
