//! A CA that is rotated while hubs are on their way to the one before: the end is the same, and the report tells the story.

use certificate_management::ArmId;
use reqwest::Method;
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use crate::operator::{code, policysync, told};
use crate::own_root::{connect, declared, declared_of_credential, empty};
use crate::world::World;

/// Days that device certificates are valid.
const LEAF: i64 = 30;

/// A namespace whose policy Microsoft's root signs, made by `policies apply`.
async fn made(generation: &str, configuration: &str) -> World {
    let mut fleet = empty(generation);
    // Long enough to rotate meanwhile.
    (fleet.synchronize_seconds, fleet.push_seconds) = (3, 3);
    let world = World::of(&fleet, configuration).await;
    let output = policysync(&world, &["policies", "apply", "--apply"], &[]).await;
    assert_eq!(code(&output), 0, "{}", told(&output));
    world
}

/// The namespace's part of a report, once its hubs trust and its group is assigned.
async fn settled(world: &World, version: &str, member: &str) -> Value {
    world
        .until("every hub trusts and the group is assigned", async || {
            world.fire("reconcile-assignments").await;
            let namespace = world.report().await["namespaces"][0].clone();
            let pairs = namespace["trust"].as_array().unwrap();
            let trusts = pairs.len() == 2 && pairs.iter().all(|pair| pair["trust"] == "trusted");
            let (_, group) = world.group_by(version, "contoso-plants-dps", "gates", Method::GET, None).await;
            (trusts && group[member] == json!("gates")).then_some(namespace)
        })
        .await
}

fn time(value: &Value) -> OffsetDateTime {
    OffsetDateTime::parse(value.as_str().unwrap(), &Rfc3339).unwrap()
}

/// The report says which CA there was before, since when there is another one, and how long leaves of the old one may last.
fn tells_the_story(before: &Value, after: &Value) {
    let (old, new) = (&before["policies"][0], &after["policies"][0]);
    assert_ne!(old["issuingCaNotAfter"], new["issuingCaNotAfter"]);
    let previous = new["previousCas"].as_array().unwrap();
    let told = previous.iter().find(|ca| time(&ca["notAfter"]) == time(&old["issuingCaNotAfter"]));
    let told = told.unwrap_or_else(|| panic!("the CA before is not told: {new}"));
    let (seen, since) = (time(&told["lastSeenAt"]), time(&new["issuingCaSeenSince"]));
    assert!(time(&told["firstSeenAt"]) <= seen && seen < since, "{new}");
    let replaced =
        previous.iter().map(|ca| time(&ca["firstSeenAt"])).chain([since]).filter(|at| *at > seen).min();
    assert_eq!(time(&told["leavesEndBy"]), replaced.unwrap() + Duration::days(LEAF), "{new}");
    for pair in after["trust"].as_array().unwrap() {
        let end = time(&pair["evidence"]["expiry"]).unix_timestamp();
        assert_eq!(
            end,
            time(&new["issuingCaNotAfter"]).unix_timestamp(),
            "each hub shows the new CA: {pair}"
        );
    }
}

#[tokio::test]
async fn a_ca_rotated_in_the_middle_of_a_sync_ends_in_the_same_place() {
    let configuration = declared_of_credential().replace("own_root = true\n", "");
    let world = made("credentials", &configuration).await;
    let member = "credentialPolicyName";
    let before = settled(&world, "2025-07-01-preview", member).await;
    let namespace = ArmId::parse(before["id"].as_str().unwrap()).unwrap();
    let policy = namespace.child("credentials", "default").child("policies", "gates");
    let syncs = async || world.writes().await.iter().filter(|write| write.ends_with("/synchronize")).count();
    // A POST that is not known to have had its effect keeps the next one back for minutes.
    world
        .until("the sync before is known to be over", async || {
            let requests = world.report().await["requests"].clone();
            requests["inFlight"].as_array().unwrap().is_empty().then_some(())
        })
        .await;
    let synced = syncs().await;

    world.rotate(policy.as_str()).await;
    let stale = world.report().await["namespaces"][0]["trust"].clone();
    let states: Vec<&Value> = stale.as_array().unwrap().iter().map(|pair| &pair["trust"]).collect();
    assert_eq!(states, ["stale", "stale"], "a changed CA is noticed: {stale}");
    world
        .until("a sync has begun", async || {
            world.fire("report-policy-status").await;
            (syncs().await > synced).then_some(())
        })
        .await;
    world.rotate(policy.as_str()).await;

    let after = settled(&world, "2025-07-01-preview", member).await;
    tells_the_story(&before, &after);
    let findings = world.report().await["findings"].clone();
    let early = findings.as_array().unwrap().iter().filter(|finding| finding["check"] == "ca-removed-early");
    assert!(
        early.count() >= 2,
        "the sync took the CA before from both hubs, and its leaves are valid: {findings}"
    );
    connect(&world, "2025-07-01-preview").await;
    world.stop().await;
}

#[tokio::test]
async fn a_ca_rotated_in_the_middle_of_a_push_ends_in_the_same_place() {
    let root = "[[namespace.authority]]\nname = \"plants-root\"\ntype = \"root\"\n\n[[namespace.authority]]\nname = \"partner-ica\"\n";
    let (before, after) =
        declared().split_once("[[namespace.authority]]").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    let (_, policy) = after.split_once("[[namespace.policy]]").unwrap();
    let world =
        made("certificate-authorities", &format!("{before}{root}\n[[namespace.policy]]{policy}")).await;
    let member = "certificatePolicyName";
    let before = settled(&world, "2026-11-01", member).await;
    let namespace = ArmId::parse(before["id"].as_str().unwrap()).unwrap();
    let authority = namespace.child("certificateAuthorities", "partner-ica");

    world.rotate(authority.as_str()).await;
    let stale = world.report().await["namespaces"][0]["trust"].clone();
    let states: Vec<&Value> = stale.as_array().unwrap().iter().map(|pair| &pair["trust"]).collect();
    assert_eq!(states, ["stale", "stale"], "a changed CA is noticed: {stale}");
    world.rotate(authority.as_str()).await;

    let after = settled(&world, "2026-11-01", member).await;
    tells_the_story(&before, &after);
    connect(&world, "2026-11-01").await;
    world.stop().await;
}
