//! `policies csr` and `policies lint` as a person runs them, and docs/authorities.md to the letter.
//! `tests/app/activate.rs` has what goes wrong with `policies activate`.

use std::path::Path;
use std::process::Output;

use azure_simulator::device::Device;
use azure_simulator::fleet::Fleet;
use policysync::commands::laptop::local_world::{Schedules, app_settings};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::operator::{code, document, told};
use crate::world::{World, clock};

const NAMESPACE: &str = "/subscriptions/6f1c2a94-7d53-4b0e-9a28-c3d5e8b71f40/resourceGroups/rg-contoso-plants/providers/\
                         Microsoft.DeviceRegistry/namespaces/contoso-plants";
const DPS: &str = "contoso-plants-dps";

/// A namespace that is linked to two hubs and a DPS, with the group of the page, and without any authority or policy.
pub fn empty(generation: &str) -> Fleet {
    let text = format!(
        r#"
subscription = "6f1c2a94-7d53-4b0e-9a28-c3d5e8b71f40"
location = "westeurope"
synchronize_seconds = 1
push_seconds = 1

[[namespace]]
name = "contoso-plants"
resource_group = "rg-contoso-plants"
generation = "{generation}"
credential = false

[[namespace.hub]]
name = "contoso-plants-hub-1"

[[namespace.hub]]
name = "contoso-plants-hub-2"

[[namespace.provisioning_service]]
name = "{DPS}"

[[namespace.provisioning_service.enrollment_group]]
name = "gates"
"#
    );
    Fleet::from_toml(&text).unwrap()
}

/// The file of the page, with the namespace of this world.
pub fn declared() -> String {
    declared_under("## Bring your own root in ten minutes")
}

fn declared_under(heading: &str) -> String {
    let (_, section) = PAGE.split_once(heading).unwrap();
    let (_, rest) = section.split_once("```toml\n").unwrap();
    let (text, _) = rest.split_once("```").unwrap();
    let (before, after) = text.split_once("\"/subscriptions/").unwrap();
    let (_, after) = after.split_once('"').unwrap();
    format!("{before}\"{NAMESPACE}\"{after}")
}

/// The same in the older generation.
pub fn declared_of_credential() -> String {
    let (namespace, rest) =
        declared().split_once("[[namespace.authority]]").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    let (_, policy) = rest.split_once("[[namespace.policy]]").unwrap();
    let policy = policy.replace("authority = \"partner-ica\"", "own_root = true");
    let dps = NAMESPACE.replace(
        "Microsoft.DeviceRegistry/namespaces/contoso-plants",
        &format!("Microsoft.Devices/provisioningServices/{DPS}"),
    );
    format!(
        "{namespace}provisioning_services = [\"{dps}\"]\n\n[[namespace.policy]]{}",
        policy.replace("partner-ica/gates", "gates")
    )
}

/// A folder, as that of a person who follows the page, with the programs that the page names.
pub struct Desk {
    pub world: World,
    folder: tempfile::TempDir,
    token: String,
}

impl Desk {
    pub async fn new(fleet: &Fleet, configuration: &str) -> Self {
        let world = World::of(fleet, configuration).await;
        let folder = tempfile::tempdir().unwrap();
        let programs = folder.path().join("programs");
        std::fs::create_dir(&programs).unwrap();
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_policysync"), programs.join("policysync")).unwrap();
        let token = token(&world).await;
        Self { world, folder, token }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Runs a script as a person does whose exports are those of `dev`.
    pub async fn run(&self, script: &str) -> Output {
        let path = format!("{}:{}", self.path().join("programs").display(), std::env::var("PATH").unwrap());
        tokio::process::Command::new("sh")
            .args(["-eu", "-c", script])
            .current_dir(self.path())
            .env_clear()
            .envs(clock())
            .envs(app_settings(self.world.local.simulator.url(), Schedules::default()))
            .env("POLICYSYNC_CONFIG", &self.world.local.configured)
            .env("PATH", path)
            .env("TOKEN", &self.token)
            .output()
            .await
            .unwrap()
    }

    /// The same; it must succeed.
    pub async fn done(&self, script: &str) -> String {
        let output = self.run(script).await;
        assert!(output.status.success(), "{script}\n{}", told(&output));
        told(&output)
    }

    /// The authority of the page, as the service shows it.
    pub async fn authority(&self) -> Value {
        let path = format!("{NAMESPACE}/certificateAuthorities/partner-ica?api-version=2026-11-01");
        let request = self.world.client.get(self.world.azure(&path)).bearer_auth(&self.token);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        answer.json().await.unwrap()
    }

    pub async fn until_status(&self, wanted: &str) {
        let look = async || {
            let authority = self.authority().await;
            (authority["properties"]["issuer"]["status"] == wanted
                && authority["properties"]["provisioningState"] == "Succeeded")
                .then_some(())
        };
        self.world.until(wanted, look).await;
    }

    /// Requests that changed something in the registry, so far.
    pub async fn registry_writes(&self) -> Vec<String> {
        let writes = self.world.writes().await.into_iter();
        writes.map(|write| write.replace(NAMESPACE, "")).filter(|write| !write.contains("/dps/")).collect()
    }

    /// What the page's file declares is made, but for what waits for the signature; the request is fetched and signed.
    pub async fn sign(&self, name: &str) {
        let made = self.run(&documented()[0]).await;
        assert_eq!(code(&made), 3, "it waits for the signature: {}", told(&made));
        self.sign_again(name).await;
    }

    /// The request that waits is fetched and signed, under the name of the page.
    pub async fn sign_again(&self, name: &str) {
        self.done(&format!("policysync policies csr {name} --out partner-ica.csr")).await;
        let (recipe, _) =
            documented()[3].split_once("# 5.").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
        self.done(&recipe).await;
    }
}

async fn token(world: &World) -> String {
    let url = world.azure("/identity?api-version=2019-08-01&resource=https://management.azure.com/");
    let answer: Value =
        world.client.get(url).header("x-identity-header", "x").send().await.unwrap().json().await.unwrap();
    answer["access_token"].as_str().unwrap().to_owned()
}

const PAGE: &str = include_str!("../../docs/authorities.md");

/// The blocks of commands of the page's section, in order.
pub fn documented() -> Vec<String> {
    documented_under("## Bring your own root in ten minutes")
}

fn documented_under(heading: &str) -> Vec<String> {
    let (_, section) = PAGE.split_once(heading).unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    section.split("```sh\n").skip(1).map(|rest| rest.split_once("```").unwrap().0.to_owned()).collect()
}

#[tokio::test]
async fn the_page_leads_from_an_empty_namespace_to_a_device_that_connects() {
    const HEADING: &str = "## From nothing to a device that connects";
    let newer = declared_under(HEADING);
    // As the page says: without the authorities, and what names them.
    let (before, rest) = newer.split_once("[[namespace.authority]]").unwrap();
    let (_, policy) = rest.split_once("[[namespace.policy]]").unwrap();
    let policy = policy.replace("authority = \"lines-ica\"\n", "").replace("lines-ica/", "");
    let dps = NAMESPACE.replace(
        "Microsoft.DeviceRegistry/namespaces/contoso-plants",
        &format!("Microsoft.Devices/provisioningServices/{DPS}"),
    );
    let older = format!("{before}provisioning_services = [\"{dps}\"]\n\n[[namespace.policy]]{policy}");
    for (generation, version, configuration) in [
        ("certificate-authorities", "2026-11-01", newer.clone()),
        ("credentials", "2025-07-01-preview", older),
    ] {
        let desk = Desk::new(&empty(generation), &configuration).await;
        let blocks = documented_under(HEADING);
        let [make, explain] = blocks.as_slice() else { panic!("{blocks:?}") };
        desk.done(make).await;
        let has_policy = async || {
            desk.world.fire("reconcile-assignments").await;
            let (_, group) = desk.world.group_by(version, DPS, "gates", Method::GET, None).await;
            let policy = [&group["certificatePolicyName"], &group["credentialPolicyName"]];
            policy.contains(&&json!("short-lived")).then_some(())
        };
        desk.world.until("the group is assigned", has_policy).await;
        let explained = desk.done(explain).await;
        assert!(explained.contains("short-lived"), "{explained}");
        connect(&desk.world, version).await;
        desk.world.stop().await;
    }
}

#[tokio::test]
async fn the_page_leads_from_a_root_of_your_own_to_a_device_that_connects() {
    let desk = Desk::new(&empty("certificate-authorities"), &declared()).await;
    let blocks = documented();
    let [make, fetch, compare, recipe, plan, activate, policy, explain] = blocks.as_slice() else {
        panic!("{blocks:?}")
    };
    let made = desk.run(make).await;
    assert_eq!(code(&made), 3, "it waits for the signature: {}", told(&made));
    assert_eq!(waits_for(&desk).await, json!("created"), "its policy is made when the authority works");
    let shown = desk.done(fetch).await;
    let json = document(&desk.run("policysync policies csr partner-ica --output json").await);
    assert_eq!(json["recipe"].as_str(), Some(recipe.as_str()), "the page shows what the command prints");
    assert!(shown.contains(recipe.trim_end()), "{shown}");
    let key = desk.done(compare).await;
    assert!(shown.contains(key.split(' ').next().unwrap()), "{shown} {key}");
    let judged = desk.done(recipe).await;
    assert!(judged.contains("Nothing is wrong with this chain for partner-ica."), "{judged}");

    let planned = desk.done(plan).await;
    assert!(planned.contains("Nothing was sent"), "{planned}");
    assert_eq!(desk.registry_writes().await, ["PUT /certificateAuthorities/partner-ica"]);
    let activated = desk.done(activate).await;
    assert!(activated.contains("every hub trusts it"), "{activated}");
    desk.done(policy).await;
    desk.world
        .until("the group is assigned", async || {
            desk.world.fire("reconcile-assignments").await;
            let (_, group) = desk.world.group_by("2026-11-01", DPS, "gates", Method::GET, None).await;
            (group["certificatePolicyName"] == json!("gates")).then_some(())
        })
        .await;
    let explained = desk.done(explain).await;
    assert!(explained.contains("partner-ica/gates") && explained.contains("pushed"), "{explained}");
    assert_eq!(waits_for(&desk).await, Value::Null);
    connect(&desk.world, "2026-11-01").await;
    desk.world.stop().await;
}

#[tokio::test]
async fn an_authority_without_a_policy_is_in_the_report_with_the_request_that_waits() {
    let desk = Desk::new(&empty("certificate-authorities"), &declared()).await;
    let made = desk.run(&documented()[0]).await;
    assert_eq!(code(&made), 3, "{}", told(&made));
    desk.until_status("PendingActivation").await;
    let report = desk.world.report().await;
    let namespace = &report["namespaces"][0];
    assert_eq!(namespace["policies"], json!([]), "{namespace}");
    let authority = &namespace["authorities"][0];
    assert_eq!((&authority["name"], &authority["waitsFor"]), (&json!("partner-ica"), &json!("signature")));
    let told = report["findings"].as_array().unwrap().iter().filter(|finding| {
        finding["check"] == "bring-your-own-root" && finding["subject"]["policy"] == "partner-ica"
    });
    assert_eq!(told.count(), 1, "{}", report["findings"]);
    let page = desk.world.client.get(desk.world.app("/api/policy-status")).header("accept", "text/html");
    let page = page.send().await.unwrap().text().await.unwrap();
    assert!(page.contains("policysync policies csr partner-ica"), "{page}");
    desk.world.stop().await;
}

/// The step that the page's group waits for.
async fn waits_for(desk: &Desk) -> Value {
    document(&desk.run("policysync explain gates --output json").await)["waitsFor"].clone()
}

/// A new device of the page's group provisions, and its hub accepts it by TLS.
pub async fn connect(world: &World, version: &str) {
    let state = world.get(&world.azure("/simulator/state")).await;
    let attestation = world.group_by(version, DPS, "gates/attestationmechanism", Method::POST, None).await.1;
    let key = attestation["symmetricKey"]["primaryKey"].as_str().unwrap();
    let scope = state["idScopes"][DPS].as_str().unwrap();
    let device = Device::new("gate-1").unwrap();
    let registered = device.register(world.local.simulator.url(), scope, key).await.unwrap();
    let hubs = state["hubs"].as_array().unwrap();
    let hub = hubs.iter().find(|hub| hub["hostName"] == json!(registered.assigned_hub)).unwrap();
    let endpoint = hub["deviceEndpoint"].as_str().unwrap().parse().unwrap();
    let authority = state["deviceServerCertificateAuthority"].as_str().unwrap();
    device.connect(endpoint, &registered.assigned_hub, authority, &registered.chain).await.unwrap();
}

/// A desk with a pending authority, its request, and a signed chain.
async fn signed() -> Desk {
    let desk = Desk::new(&empty("certificate-authorities"), &declared()).await;
    desk.sign("partner-ica").await;
    desk
}

#[tokio::test]
async fn a_chain_is_judged_with_the_request_of_azure_and_without_azure_alike() {
    let desk = signed().await;
    let live =
        desk.run("policysync policies lint partner-ica --chain partner-ica-chain.pem --output json").await;
    assert_eq!(code(&live), 0, "{}", told(&live));
    let offline = desk
        .run("unset POLICYSYNC_CONFIG POLICYSYNC_ARM_ENDPOINT; policysync policies lint partner-ica --request partner-ica.csr --chain partner-ica-chain.pem --output json")
        .await;
    let judged = document(&live);
    assert_eq!(judged, document(&offline));
    assert_eq!(
        (&judged["schema"], &judged["passed"], &judged["faults"]),
        (&json!("chain-lint/v1"), &json!(true), &json!([]))
    );
    assert_eq!(judged["certificates"][1]["subject"], "CN=partner-ica root");

    let wrong = desk.run("cat root.pem partner-ica.pem > wrong.pem; policysync policies lint partner-ica --request partner-ica.csr --chain wrong.pem --output json").await;
    assert_eq!(code(&wrong), 2);
    let fault = document(&wrong)["faults"][0].clone();
    assert_eq!((&fault["code"], &fault["certificate"]), (&json!("wrong-order"), &Value::Null));
    let members: Vec<&String> = fault.as_object().unwrap().keys().collect();
    assert_eq!(members, ["code", "certificate", "message", "nextStep"]);
    let table =
        desk.run("policysync policies lint partner-ica --request partner-ica.csr --chain wrong.pem").await;
    let table = told(&table);
    assert!(
        table.contains("FAULT") && table.contains("wrong-order") && table.contains("would refuse this chain"),
        "{table}"
    );
    desk.world.stop().await;
}

#[tokio::test]
async fn a_private_key_in_a_file_is_refused_loudly_and_never_shown() {
    let desk = signed().await;
    let before = desk.world.writes().await;
    let key = std::fs::read_to_string(desk.path().join("root.key")).unwrap();
    let secret: Vec<&str> = key.lines().filter(|line| !line.starts_with('-')).collect();
    for (script, expected) in [
        (
            "cat partner-ica-chain.pem root.key > all.pem; policysync policies lint partner-ica --chain all.pem",
            2,
        ),
        ("policysync policies lint partner-ica --request partner-ica.csr --chain root.key --output json", 2),
        ("policysync policies lint partner-ica --request root.key --chain partner-ica-chain.pem", 1),
    ] {
        let output = desk.run(script).await;
        assert_eq!(code(&output), expected, "{}", told(&output));
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(complaint.contains("holds a private key"), "{complaint}");
        assert!(!secret.iter().any(|line| told(&output).contains(line)), "{}", told(&output));
    }
    let output = desk.run("policysync policies csr partner-ica --out root.key").await;
    assert_eq!(code(&output), 1, "{}", told(&output));
    assert_eq!(std::fs::read_to_string(desk.path().join("root.key")).unwrap(), key, "it is not written over");
    assert_eq!(desk.world.writes().await, before);
    desk.world.stop().await;
}

#[tokio::test]
async fn what_is_not_there_is_told_with_what_is() {
    let desk = signed().await;
    for (script, expected, words) in [
        ("policysync policies csr nothing", 64, "partner-ica in contoso-plants: PendingActivation"),
        ("policysync policies csr partner-ica --namespace nowhere", 64, "contoso-plants"),
        ("policysync policies csr PARTNER-ICA --namespace contoso-plants", 0, "PendingActivation"),
        ("policysync policies lint partner-ica", 64, "--chain"),
        (
            "policysync policies lint partner-ica --chain nothing.pem --request partner-ica.csr",
            1,
            "nothing.pem",
        ),
        ("policysync policies lint partner-ica --chain root.pem --request root.pem", 1, "no signing request"),
        ("policysync policies lint '' --chain root.pem --request partner-ica.csr", 64, "NAME"),
    ] {
        let output = desk.run(script).await;
        assert_eq!(code(&output), expected, "{script}: {}", told(&output));
        assert!(told(&output).contains(words), "{script}: {}", told(&output));
    }
    // Its policy is a name for it too.
    let policy = format!(
        "{NAMESPACE}/certificateAuthorities/partner-ica/certificatePolicies/gates?api-version=2026-11-01"
    );
    let body = json!({"properties": {"certificate": {"validityPeriodInDays": 30}}});
    let request = desk.world.client.put(desk.world.azure(&policy)).bearer_auth(&desk.token).json(&body);
    assert!(request.send().await.unwrap().status().is_success());
    for name in ["gates", "partner-ica/gates", "contoso-plants/partner-ica/gates"] {
        let json = document(&desk.run(&format!("policysync policies csr {name} --output json")).await);
        assert_eq!(
            (&json["schema"], &json["name"]),
            (&json!("signing-request/v1"), &json!("partner-ica")),
            "{name}"
        );
    }
    desk.world.stop().await;
}
