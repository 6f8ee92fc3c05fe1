//! `policysync submit`, as a person or a pipeline runs it against a world in other processes.

use std::process::Output;

use serde_json::{Value, json};

use crate::operator::{document, policysync, told};
use crate::world::World;

/// One namespace with two policies where nothing is synced by itself, and one in audit mode.
const CONFIGURATION: &str = r#"
[[namespace]]
id = "/subscriptions/6f1c2a94-7d53-4b0e-9a28-c3d5e8b71f40/resourceGroups/rg-contoso-plants/providers/Microsoft.DeviceRegistry/namespaces/contoso-plants"
mode = "enforce"
sync = "ask"

[[namespace]]
id = "/subscriptions/6f1c2a94-7d53-4b0e-9a28-c3d5e8b71f40/resourceGroups/rg-fabrikam-energy/providers/Microsoft.DeviceRegistry/namespaces/fabrikam-energy"
"#;

struct Plants {
    world: World,
    id: String,
}

impl Plants {
    /// A world in which the hubs of `contoso-plants` trust these policies no more.
    async fn with_rotated(policies: &[&str]) -> Self {
        let world = World::configured(CONFIGURATION).await;
        let id = world.namespace("contoso-plants").await["id"].as_str().unwrap().to_owned();
        for policy in policies {
            world.rotate(&format!("{id}/credentials/default/policies/{policy}")).await;
        }
        Self { world, id }
    }

    async fn submit(&self, arguments: &[&str]) -> Output {
        let arguments = [&["submit", "--namespace", &self.id], arguments].concat();
        policysync(&self.world, &arguments, &[]).await
    }

    /// The same without shared records, so that only the hubs can show the outcome.
    async fn submit_without_records(&self, arguments: &[&str]) -> Output {
        let arguments = [&["submit", "--namespace", &self.id], arguments].concat();
        policysync(&self.world, &arguments, &[("POLICYSYNC_STATE", "memory")]).await
    }

    async fn syncs(&self) -> usize {
        self.world.writes().await.iter().filter(|write| write.ends_with("/synchronize")).count()
    }

    async fn fault(&self, fault: Value) {
        let body = json!({"faults": [fault]});
        let answer = self.world.client.put(self.world.azure("/simulator/faults")).json(&body).send().await;
        assert!(answer.unwrap().status().is_success());
    }
}

#[tokio::test]
async fn a_dry_run_says_what_would_happen_and_writes_nothing() {
    let plants = Plants::with_rotated(&["default"]).await;
    let sent = plants.world.sends().await;
    let output = plants.submit(&["--dry-run"]).await;
    let told = told(&output);
    assert_eq!(output.status.code(), Some(0), "{told}");
    for expected in [
        "contoso-plants-north",
        "stale",
        "would sync",
        "nothing, already-trusted",
        "One sync of the namespace would run",
    ] {
        assert!(told.contains(expected), "`{expected}` is missing in:\n{told}");
    }
    let plan = document(&plants.submit(&["--dry-run", "--output", "json", "--policy", "short-lived"]).await);
    assert_eq!((plan["plan"].as_str(), &plan["dryRun"]), (Some("already-trusted"), &json!(true)), "{plan}");
    let output = plants.submit(&["--dry-run", "--hub", "nowhere"]).await;
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(plants.world.writes().await, Vec::<String>::new());
    assert_eq!(plants.world.sends().await, sent);
    plants.world.stop().await;
}

#[tokio::test]
async fn a_dry_run_tells_beforehand_what_would_be_refused() {
    let plants = Plants::with_rotated(&["default", "short-lived"]).await;
    let flags = ["--dry-run", "--output", "json", "--policy", "default"];
    let output = plants.submit(&flags).await;
    let plan = document(&output);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        (plan["plan"].as_str(), plan["reason"].as_str()),
        (Some("refuse"), Some("sync-covers-whole-namespace"))
    );
    let would = |plan: &Value| -> Vec<String> {
        let hubs = plan["hubs"].as_array().unwrap();
        hubs.iter()
            .map(|hub| format!("{} {}", hub["policy"].as_str().unwrap(), hub["would"].as_str().unwrap()))
            .collect()
    };
    let refused = would(&plan);
    assert_eq!(refused.iter().filter(|would| *would == "default refuse").count(), 3, "{refused:?}");
    assert_eq!(
        refused.iter().filter(|would| *would == "short-lived not-asked-for").count(),
        3,
        "{refused:?}"
    );
    let output = plants.submit(&[&flags[..], &["--allow-whole-namespace"]].concat()).await;
    assert_eq!(output.status.code(), Some(0));
    let allowed = would(&document(&output));
    assert_eq!(allowed.iter().filter(|would| *would == "default sync").count(), 3, "{allowed:?}");
    assert_eq!(allowed.iter().filter(|would| *would == "short-lived sync-too").count(), 3, "{allowed:?}");

    let arguments = ["submit", "--namespace", &plants.id, "--dry-run"];
    let output = policysync(&plants.world, &arguments, &[("POLICYSYNC_MODE", "audit")]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(told(&output).contains("POLICYSYNC_MODE=audit"), "{}", told(&output));
    let fabrikam = plants.world.namespace("fabrikam-energy").await["id"].clone();
    let arguments = ["submit", "--dry-run", "--namespace", fabrikam.as_str().unwrap()];
    let output = policysync(&plants.world, &arguments, &[]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(told(&output).contains("audit-mode"), "{}", told(&output));
    plants.world.stop().await;
}

#[tokio::test]
async fn waiting_ends_well_when_every_hub_trusts_and_the_same_id_is_one_request() {
    let plants = Plants::with_rotated(&["default"]).await;
    let flags = ["--id", "release-42", "--wait", "--timeout", "60"];
    let output = plants.submit_without_records(&flags).await;
    let text = told(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    for hub in ["north", "south", "test"] {
        assert!(
            text.contains(&format!("contoso-plants-{hub}  default  trusted")),
            "{hub} is missing in:\n{text}"
        );
    }
    assert!(text.contains("POLICYSYNC_STATE=memory") && text.contains("trace   "), "{text}");
    assert!(!text.contains('\u{1b}'), "no bar where there is no terminal: {text}");
    let record = plants.world.outcome("release-42").await;
    assert_eq!((record["outcome"].as_str(), plants.syncs().await), (Some("trusted"), 1), "{record}");

    let again = plants.submit(&[&flags[..], &["--output", "json"]].concat()).await;
    assert_eq!(again.status.code(), Some(0), "{}", told(&again));
    let again = document(&again);
    assert_eq!(
        (again["requestId"].as_str(), again["outcome"].as_str()),
        (Some("release-42"), Some("trusted")),
        "what its record says, as everybody sees it"
    );
    for hub in again["hubs"].as_array().unwrap() {
        assert!(hub["evidence"]["thumbprint"].is_string(), "no outcome without proof: {hub}");
    }
    assert_eq!(plants.syncs().await, 1);
    plants.world.stop().await;
}

#[tokio::test]
async fn without_waiting_it_says_how_to_ask() {
    let plants = Plants::with_rotated(&[]).await;
    let output = plants.submit(&["--output", "json", "--reason", "a new line"]).await;
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    let taken = document(&output);
    let id = taken["requestId"].as_str().unwrap();
    assert_eq!((taken["outcome"].as_str(), taken["traceId"].as_str().unwrap().len()), (Some("queued"), 32));
    assert_eq!(plants.world.outcome(id).await["outcome"], "already-trusted");
    let text = told(&plants.submit(&["--id", "release-43"]).await);
    for expected in ["release-43", "GET /api/sync-requests/release-43", "--id release-43 --wait"] {
        assert!(text.contains(expected), "`{expected}` is missing in:\n{text}");
    }
    plants.world.stop().await;
}

#[tokio::test]
async fn a_refused_request_ends_with_its_reason() {
    let plants = Plants::with_rotated(&["default"]).await;
    let output = plants.submit(&["--id", "r-1", "--hub", "nowhere", "--wait", "--timeout", "30"]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(told(&output).contains("unknown-hub"), "{}", told(&output));
    let record = plants.world.outcome("r-1").await;
    assert_eq!(
        (record["outcome"].as_str(), record["reason"].as_str()),
        (Some("refused"), Some("unknown-hub"))
    );
    plants.world.stop().await;
}

#[tokio::test]
async fn what_is_not_done_in_time_is_told_apart_from_what_cannot_be_learnt() {
    let plants = Plants::with_rotated(&["default"]).await;
    plants
        .fault(
            json!({"method": "POST", "path": "*/synchronize", "status": 429, "retryAfter": 30, "times": 100}),
        )
        .await;
    let output = plants.submit_without_records(&["--wait", "--timeout", "3"]).await;
    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
    assert!(told(&output).contains("not done within 3 s"), "{}", told(&output));
    plants.fault(json!({"method": "GET", "path": "*/certificates", "status": 403, "times": 1000})).await;
    let output = plants.submit_without_records(&["--wait", "--timeout", "3"]).await;
    assert_eq!(output.status.code(), Some(3), "{}", told(&output));
    plants.fault(json!({"method": "GET", "path": "*/policies", "status": 403, "times": 1000})).await;
    let output = plants.submit_without_records(&["--wait", "--timeout", "60"]).await;
    assert_eq!(output.status.code(), Some(3), "{}", told(&output));
    let output = plants.submit(&["--dry-run"]).await;
    assert_eq!(output.status.code(), Some(3), "{}", told(&output));
    plants.world.stop().await;
}

#[tokio::test]
async fn wrong_flags_are_named_and_nothing_is_submitted() {
    let plants = Plants::with_rotated(&[]).await;
    for (flags, named) in [
        (&["--id", "a b"][..], "--id"),
        (&["--hub", ""], "--hub, number 1"),
        (&["--timeout", "5"], "--wait"),
        (&["--wait", "--timeout", "0"], "--timeout"),
        (&["--dry-run", "--wait"], "--wait"),
    ] {
        let output = plants.submit(flags).await;
        assert_eq!(output.status.code(), Some(64), "{flags:?}: {}", told(&output));
        assert!(told(&output).contains(named), "{flags:?}: {}", told(&output));
    }
    let output = policysync(&plants.world, &["submit", "--namespace", "nowhere"], &[]).await;
    assert_eq!(output.status.code(), Some(64));
    assert!(
        told(&output).contains("--namespace: ") && told(&output).contains("contoso-plants"),
        "{}",
        told(&output)
    );
    // A name is enough.
    let output =
        policysync(&plants.world, &["submit", "--namespace", "contoso-plants", "--dry-run"], &[]).await;
    assert!(told(&output).contains("The plan for contoso-plants"), "{}", told(&output));
    assert_eq!(plants.world.sends().await, Vec::<String>::new());
    plants.world.stop().await;
}

#[tokio::test]
async fn a_queue_that_does_not_take_it_is_told_with_the_way_to_try_again() {
    let plants = Plants::with_rotated(&[]).await;
    let arguments = ["submit", "--namespace", &plants.id, "--id", "r-9"];
    let output = policysync(&plants.world, &arguments, &[("POLICYSYNC_QUEUE", "no-such-queue")]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(
        told(&output).contains("no-such-queue") && told(&output).contains("--id r-9"),
        "{}",
        told(&output)
    );
    plants.world.stop().await;
}

#[tokio::test]
async fn a_namespace_is_named_as_everywhere_else() {
    let plants = Plants::with_rotated(&["default"]).await;
    for name in ["contoso-plants", "CONTOSO-PLANTS"] {
        let output = policysync(&plants.world, &["submit", "--namespace", name, "--dry-run"], &[]).await;
        assert_eq!(output.status.code(), Some(0), "{}", told(&output));
        assert!(told(&output).contains("would sync"), "{}", told(&output));
    }
    let output =
        policysync(&plants.world, &["submit", "--namespace", "contoso-plant", "--dry-run"], &[]).await;
    assert_eq!(output.status.code(), Some(64));
    assert!(told(&output).contains("no namespace `contoso-plant`"), "{}", told(&output));
    assert!(told(&output).contains("fabrikam-energy"), "it says which there are: {}", told(&output));
    plants.world.stop().await;
}
