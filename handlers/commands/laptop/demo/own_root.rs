//! The story of a root of the customer's own: from a namespace that has nothing to a device that connects. The functions make
//! what the file declares; a person fetches the signing request, has OpenSSL sign it by the printed recipe, and hands it back.

use std::path::PathBuf;
use std::process::Output;

use certificate_management::report::{NamespaceReport, Report};
use tempfile::TempDir;
use tokio::process::Command;

use super::devices;
use super::endings::{every_hub_trusts, every_policy_is_found, status_report};
use super::operator::{CERTIFICATE_AUTHORITIES, Operator};
use super::scene::Scene;
use super::steps::{GLANCE, PATIENCE, expect_accepted};
use crate::commands::laptop::console::{Progress, Story};
use crate::commands::laptop::local_world::{LocalWorld, Schedules, app_settings};
use crate::settings::CONFIGURATION_FILE;

/// Names of the world that comes with the program.
const SERVICE: &str = "contoso-plants-dps";
const GROUP: &str = "gates";
const POLICY: &str = "partner-ica/gates";

/// Tells the whole story.
pub async fn tell(world: &LocalWorld) -> Result<(), String> {
    let azure = world.simulator.url();
    let operator = Operator::new(azure, world.host.url(), CERTIFICATE_AUTHORITIES)?;
    let desk = Desk::new(world)?;
    let mut story = Story::default();
    let [namespace] = world.configuration.namespaces.as_slice() else {
        return Err("this story has one namespace".to_owned());
    };

    story.step("A namespace with hubs and a DPS, no certificate authority, and a file that declares one");
    story.tell("[[namespace.authority]] partner-ica, issuer = \"external\": a root of yours signs it");
    let version = desk.run("openssl version").await?;
    if !version.status.success() {
        return Err(
            "this story needs OpenSSL 3 on the PATH: install the package `openssl`, and run it again"
                .to_owned(),
        );
    }
    story.tell(&format!("Signed by {}", said(&version).trim()));

    story.step("The functions make the authority, and its signing request waits for your root");
    let fetch = "policysync policies csr partner-ica --out partner-ica.csr --output json";
    let request = reconciled_until(world, "the signing request", async || {
        let fetched = desk.run(fetch).await?;
        Ok(fetched.status.success().then_some(fetched))
    });
    let request: serde_json::Value = serde_json::from_slice(&request.await?.stdout)
        .map_err(|error| format!("`policies csr` printed no JSON: {error}"))?;
    let recipe = request["recipe"].as_str().ok_or("the request comes without its recipe")?;
    story.proven("`policysync policies csr partner-ica` fetched it, with the recipe for OpenSSL");

    story.step("OpenSSL signs it, by the recipe to the letter");
    let signed = desk.done(recipe).await?;
    // The recipe ends with the judgement about the chain, whose verdict stands above its table.
    let verdict = signed.lines().find(|line| line.starts_with("Nothing is wrong"));
    story.tell(verdict.unwrap_or_else(|| last_line(&signed)).trim());
    let wrong = "cat root.pem partner-ica.pem > wrong.pem; \
                 policysync policies lint partner-ica --request partner-ica.csr --chain wrong.pem";
    if desk.run(wrong).await?.status.code() != Some(2) {
        return Err("a chain in the wrong order was not refused".to_owned());
    }
    story.proven("The same chain in the wrong order is refused before Azure hears of it");

    story.step("The chain is handed back, and every hub shows this very certificate");
    let activate = "policysync policies activate partner-ica --chain partner-ica-chain.pem --apply";
    let activated = desk.done(activate).await?;
    let proof = activated.lines().find(|line| line.contains("every hub trusts it"));
    let proof = proof.ok_or_else(|| format!("not every hub is proven:\n{activated}"))?;
    story.proven(proof.trim());

    story.step("The functions make the policy, and give it to the group");
    reconciled_until(world, "the policy of the group", async || {
        let named = operator.policy_of(SERVICE, GROUP).await?;
        Ok((named.as_deref() == Some(POLICY)).then_some(()))
    })
    .await?;
    story.proven(&format!("{GROUP} has {POLICY}"));

    story.step("A device of that group gets a certificate and connects to its hub");
    let scene = Scene {
        namespace_id: namespace.id.clone(),
        provisioning_service: SERVICE.to_owned(),
        enrollment_group: GROUP.to_owned(),
        rule: GROUP.to_owned(),
        policy: POLICY.to_owned(),
        is_trusted: true,
    };
    let device = devices::provision(&operator, azure, &scene, "gate-1").await?;
    expect_accepted(&device, &operator.state().await?, &device.assigned_hub).await?;
    story.proven(&format!("TLS handshake with {}: accepted", device.assigned_hub));

    story.step("The same again");
    let before = operator.writes().await?;
    reconcile(world).await?;
    desk.done("policysync policies apply --apply").await?;
    desk.done(activate).await?;
    let writes = operator.writes().await? - before;
    if writes != 0 {
        return Err(format!("the same again made {writes} writes"));
    }
    story.proven("Not one write to Azure");

    let judge = |story: &Story, report: &Report, namespace: &NamespaceReport| {
        every_hub_trusts(story, namespace)?;
        every_policy_is_found(report)
    };
    status_report(world, &operator, &mut story, &scene, judge).await
}

async fn reconcile(world: &LocalWorld) -> Result<(), String> {
    let fired = world.host.fire("reconcile-assignments", None).await.map_err(|error| error.to_string())?;
    match fired.succeeded() {
        true => Ok(()),
        false => Err(format!("the reconcile failed: {}", fired.error.unwrap_or_default())),
    }
}

/// Lets the timer fire until something shows.
async fn reconciled_until<T>(
    world: &LocalWorld,
    what: &str,
    look: impl AsyncFn() -> Result<Option<T>, String>,
) -> Result<T, String> {
    let progress = Progress::start(format!("waiting for {what}"));
    loop {
        reconcile(world).await?;
        if let Some(seen) = look().await? {
            return Ok(seen);
        }
        if progress.elapsed() > PATIENCE {
            return Err(format!("{what} did not come within {} s", PATIENCE.as_secs()));
        }
        tokio::time::sleep(GLANCE).await;
    }
}

/// A person's folder, in which this program is `policysync`.
struct Desk {
    folder: TempDir,
    settings: Vec<(String, String)>,
}

impl Desk {
    fn new(world: &LocalWorld) -> Result<Self, String> {
        let failed = |error: std::io::Error| format!("no folder for the person of the story: {error}");
        let folder = TempDir::with_prefix("policysync-").map_err(failed)?;
        let programs = folder.path().join("programs");
        std::fs::create_dir(&programs).map_err(failed)?;
        let program = std::env::current_exe().map_err(failed)?;
        std::os::unix::fs::symlink(program, programs.join("policysync")).map_err(failed)?;
        let mut settings: Vec<_> =
            app_settings(world.simulator.url(), Schedules::default()).into_iter().collect();
        let configuration = world.folder.path().join(CONFIGURATION_FILE);
        settings.push(("POLICYSYNC_CONFIG".to_owned(), configuration.display().to_string()));
        let paths = std::env::var_os("PATH").unwrap_or_default();
        let paths: Vec<PathBuf> = std::iter::once(programs).chain(std::env::split_paths(&paths)).collect();
        let path = std::env::join_paths(paths).map_err(|error| format!("PATH cannot be used: {error}"))?;
        settings.push(("PATH".to_owned(), path.to_string_lossy().into_owned()));
        Ok(Self { folder, settings })
    }

    /// Runs a script in the folder, as a person does.
    async fn run(&self, script: &str) -> Result<Output, String> {
        let mut shell = Command::new("sh");
        shell.args(["-eu", "-c", script]).current_dir(self.folder.path());
        shell.envs(self.settings.iter().map(|(name, value)| (name, value))).kill_on_drop(true);
        shell.output().await.map_err(|error| format!("no shell: {error}"))
    }

    /// The same; it has to succeed. Answers what it printed.
    async fn done(&self, script: &str) -> Result<String, String> {
        let output = self.run(script).await?;
        match output.status.success() {
            true => Ok(said(&output)),
            false => Err(format!(
                "{script}\nended with {}:\n{}{}",
                output.status,
                said(&output),
                String::from_utf8_lossy(&output.stderr)
            )),
        }
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn last_line(text: &str) -> &str {
    text.trim_end().lines().next_back().unwrap_or_default()
}
