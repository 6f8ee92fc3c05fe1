//! `policies csr` and `policies lint` as a person runs them, and docs/authorities.md to the letter.

use std::path::Path;
use std::process::Output;

use azure_simulator::fleet::Fleet;
use policysync::commands::laptop::local_world::{Schedules, app_settings};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::generations::{AUTHORITIES, AUTHORITIES_RULES};
use crate::operator::{code, document, told};
use crate::world::{World, clock};

/// `az rest` against the simulator: the token of its managed identity instead of a login.
const AZ: &str = r#"#!/usr/bin/env python3
import os, sys, urllib.request
arguments = sys.argv[1:]
assert arguments.pop(0) == "rest", arguments
given = dict(zip(arguments[::2], arguments[1::2]))
body = given.get("--body")
if body and body.startswith("@"):
    body = open(body[1:]).read()
request = urllib.request.Request(os.environ["POLICYSYNC_ARM_ENDPOINT"] + given["--url"], method=given["--method"].upper(), data=(body or "").encode())
request.add_header("Authorization", "Bearer " + os.environ["TOKEN"])
request.add_header("Content-Type", "application/json")
print(urllib.request.urlopen(request).read().decode())
"#;

/// A folder, as that of a person who follows the page, with the programs that the page names.
struct Desk {
    world: World,
    folder: tempfile::TempDir,
    token: String,
}

impl Desk {
    async fn new() -> Self {
        let world = World::of(&Fleet::from_toml(AUTHORITIES).unwrap(), AUTHORITIES_RULES).await;
        let folder = tempfile::tempdir().unwrap();
        let programs = folder.path().join("programs");
        std::fs::create_dir(&programs).unwrap();
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_policysync"), programs.join("policysync")).unwrap();
        std::fs::write(programs.join("az"), AZ).unwrap();
        std::fs::set_permissions(programs.join("az"), std::os::unix::fs::PermissionsExt::from_mode(0o755))
            .unwrap();
        let token = token(&world).await;
        Self { world, folder, token }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Runs a script as a person does whose exports are those of `dev`.
    async fn run(&self, script: &str) -> Output {
        let path = format!("{}:{}", self.path().join("programs").display(), std::env::var("PATH").unwrap());
        tokio::process::Command::new("sh")
            .args(["-eu", "-c", script])
            .current_dir(self.path())
            .env_clear()
            .envs(clock())
            .envs(app_settings(self.world.local.simulator.url(), Schedules::default()))
            .env("POLICYSYNC_CONFIG", self.world.local.folder.path().join("policysync.toml"))
            .env("PATH", path)
            .env("TOKEN", &self.token)
            .output()
            .await
            .unwrap()
    }

    /// The same; it must succeed.
    async fn done(&self, script: &str) -> String {
        let output = self.run(script).await;
        assert!(output.status.success(), "{script}\n{}", told(&output));
        told(&output)
    }

    async fn namespace(&self) -> String {
        self.world.namespace("contoso-plants").await["id"].as_str().unwrap().to_owned()
    }

    async fn authority(&self) -> Value {
        let path =
            format!("{}/certificateAuthorities/partner-ica?api-version=2026-11-01", self.namespace().await);
        let request = self.world.client.get(self.world.azure(&path)).bearer_auth(&self.token);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        answer.json().await.unwrap()
    }

    async fn until_status(&self, wanted: &str) {
        let look = async || {
            let authority = self.authority().await;
            (authority["properties"]["issuer"]["status"] == wanted
                && authority["properties"]["provisioningState"] == "Succeeded")
                .then_some(())
        };
        self.world.until(wanted, look).await;
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
fn documented() -> Vec<String> {
    let (_, section) = PAGE.split_once("## Bring your own root in ten minutes").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    section.split("```sh\n").skip(1).map(|rest| rest.split_once("```").unwrap().0.to_owned()).collect()
}

#[tokio::test]
async fn the_page_leads_from_nothing_to_an_active_authority() {
    let desk = Desk::new().await;
    let blocks = documented();
    let [create, fetch, compare, recipe, activate, look] = blocks.as_slice() else { panic!("{blocks:?}") };
    // The namespace of this world instead of that of the page.
    let (named, create) = create.split_once('\n').unwrap();
    assert!(named.starts_with("NAMESPACE=/subscriptions/"), "{named}");
    let with_namespace = format!("NAMESPACE={}\n", desk.namespace().await);

    desk.done(&format!("{with_namespace}{create}")).await;
    desk.until_status("PendingActivation").await;
    let shown = desk.done(fetch).await;
    let json = document(&desk.run("policysync policies csr partner-ica --output json").await);
    assert_eq!(json["recipe"].as_str(), Some(recipe.as_str()), "the page shows what the command prints");
    assert!(shown.contains(recipe.trim_end()), "{shown}");
    let key = desk.done(compare).await;
    assert!(shown.contains(key.split(' ').next().unwrap()), "{shown} {key}");

    let judged = desk.done(recipe).await;
    assert!(judged.contains("Nothing is wrong with this chain for partner-ica."), "{judged}");
    desk.done(&format!("{with_namespace}{activate}")).await;
    desk.until_status("Active").await;
    assert!(desk.done(&format!("{with_namespace}{look}")).await.contains("partner-ica"));

    let output = desk.run("policysync policies csr partner-ica").await;
    assert_eq!(code(&output), 1, "{}", told(&output));
    assert!(told(&output).contains("its status is `Active`"), "{}", told(&output));
    desk.world.stop().await;
}

/// A desk with a pending authority, its request, and a signed chain.
async fn signed() -> Desk {
    let desk = Desk::new().await;
    let blocks = documented();
    let create = blocks[0].split_once('\n').unwrap().1;
    desk.done(&format!("NAMESPACE={}\n{create}", desk.namespace().await)).await;
    desk.until_status("PendingActivation").await;
    desk.done(&blocks[1]).await;
    desk.done(&blocks[3]).await;
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
        ("policysync policies csr lines-ica", 64, "partner-ica in contoso-plants"),
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
        "{}/certificateAuthorities/partner-ica/certificatePolicies/gates?api-version=2026-11-01",
        desk.namespace().await
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
