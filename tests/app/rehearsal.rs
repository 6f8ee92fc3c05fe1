//! A rehearsal, as `dev` lets a person have it: the clock of the simulated Azure is that of the app, of the host's timers and of the
//! commands too, so an expiry is seen before it comes.

use azure_simulator::fleet::Fleet;
use policysync::commands::laptop::local_world::{DEFAULT_CONFIGURATION, LocalOptions, Schedules};
use serde_json::{Value, json};

use crate::operator::{code, document, policysync, told};
use crate::world::{World, files};

const DAY: i64 = 86_400;
/// Sixty days hold the first of a month, whatever day it is.
const SCHEDULES: Schedules = Schedules { reconcile: "0 0 0 1 * *", report: "0 10 0 1 * *" };

/// The default fleet, whose issuing CAs end after a hundred days, and one clock.
async fn world() -> World {
    let mut fleet = Fleet::default_fleet();
    for policy in fleet.namespaces.iter_mut().flat_map(|namespace| &mut namespace.policies) {
        policy.issuing_ca_validity_days = Some(100);
    }
    let (world, folder) = files(&fleet, DEFAULT_CONFIGURATION);
    let options = LocalOptions { world, one_clock: true, schedules: SCHEDULES, ..LocalOptions::default() };
    World::run(options, folder).await
}

impl World {
    async fn push(&self, days: i64) {
        let step = json!({"advanceSeconds": days * DAY});
        let answer = self.post(&self.azure("/simulator/clock"), &step).await;
        assert!(answer.status().is_success(), "{}", answer.status());
    }

    /// The first report that a timer makes by itself after `earlier`.
    async fn next_report(&self, earlier: &Value) -> Value {
        self.until("a report of a timer", async || {
            let report = self.get(&self.app("/api/policy-status")).await;
            (report["generatedAt"] != earlier["generatedAt"]).then_some(report)
        })
        .await
    }
}

fn ends<'a>(report: &'a Value, reason: &str) -> Vec<&'a Value> {
    let findings = report["findings"].as_array().unwrap().iter();
    findings.filter(|finding| finding["reason"] == reason).collect()
}

#[tokio::test]
async fn an_expiry_is_seen_on_the_page_and_by_commands_once_the_clock_is_pushed_to_it() {
    let world = world().await;
    let first = world.report().await;
    assert_eq!(ends(&first, "ca-expiring"), [&json!(null); 0], "100 days are none of the days that are told");

    world.push(60).await;
    let second = world.next_report(&first).await;
    let told_ends = ends(&second, "ca-expiring");
    assert!(!told_ends.is_empty(), "40 days are left: {second}");
    let page = world.client.get(world.app("/api/policy-status")).header("Accept", "text/html").send().await;
    let page = page.unwrap().text().await.unwrap();
    assert!(page.contains("ca-expiring"), "{page}");

    // A command goes by the same clock, or it would tell of a hundred days.
    let clock = world.local.settings["POLICYSYNC_CLOCK"].clone();
    let status = policysync(&world, &["status", "--output", "json"], &[("POLICYSYNC_CLOCK", &clock)]).await;
    assert_eq!(ends(&document(&status), "ca-expiring").len(), told_ends.len(), "{}", told(&status));
    let unmoved = policysync(&world, &["status", "--output", "json"], &[]).await;
    assert!(ends(&document(&unmoved), "ca-expiring").is_empty(), "{}", told(&unmoved));

    world.push(61).await;
    let third = world.next_report(&second).await;
    assert_eq!(ends(&third, "ca-expired").len(), told_ends.len(), "{third}");
    world.stop().await;
}

/// A sync waits between its steps by scheduled messages. Were the clock of the app another one than that of the queue, they would
/// come two months late.
#[tokio::test]
async fn a_sync_after_a_push_takes_no_longer_than_before() {
    let world = world().await;
    world.push(60).await;
    let namespace = world.namespace("contoso-logistics").await;
    world.rotate(namespace["policies"][0].as_str().unwrap()).await;
    let id = world.submit(json!({"namespaceId": namespace["id"]})).await;
    let request = world.outcome(&id).await;
    assert_eq!(request["outcome"], "trusted", "{request}");
    world.stop().await;
}

#[tokio::test]
async fn a_clock_that_is_none_is_named_before_anything_runs() {
    let world = World::default().await;
    let refused = policysync(&world, &["status"], &[("POLICYSYNC_CLOCK", "/nowhere/clock")]).await;
    assert_eq!(code(&refused), 64, "{}", told(&refused));
    assert!(told(&refused).starts_with("policysync: POLICYSYNC_CLOCK: /nowhere/clock"), "{}", told(&refused));
    world.stop().await;
}
