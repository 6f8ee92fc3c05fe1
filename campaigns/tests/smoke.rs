//! The campaigns at a size that fits into a test run, against the `policysync` that cargo built with this test's
//! profile. The full size is `cargo xtask bench NAME` and `cargo xtask full`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Each campaign with its size. It is small and still has every kind of namespace, some kills, duplicates, and more
/// than one page of groups. The figures mean nothing; the rules have to hold.
const CAMPAIGNS: [(&str, &[&str]); 10] = [
    ("sync", &["--namespaces", "5", "--hubs", "3", "--requests", "40", "--limit-minutes", "5"]),
    (
        "kill",
        &[
            "--namespaces",
            "5",
            "--hubs",
            "3",
            "--requests",
            "40",
            "--limit-minutes",
            "5",
            "--kills",
            "6",
            "--outages",
            "2",
        ],
    ),
    // More than one report by either process, and a renewal.
    ("soak", &["--namespaces", "4", "--hubs", "2", "--seconds", "45", "--limit-minutes", "5"]),
    ("assign", &["--provisioning-services", "3", "--groups", "12", "--limit-minutes", "5"]),
    (
        "report",
        // More than a page shows whole, and for each subscription more than is in hand at once.
        &[
            "--namespaces",
            "12",
            "--namespaces-per-subscription",
            "6",
            "--namespaces-per-service",
            "4",
            "--hubs",
            "3",
            "--groups",
            "120",
            "--kills",
            "1",
        ],
    ),
    ("start", &["--starts", "1", "--rounds", "1", "--invocations", "20", "--idle-ms", "50"]),
    ("invocation", &["--rounds", "1", "--invocations", "40", "--warm-up", "1", "--counted", "1"]),
    ("instructions", &["--counted", "2"]),
    // The least with which a bucket is emptied, and so something is to be noticed.
    ("neighbour", &["--namespaces", "25", "--rounds", "1", "--latency-ms", "2", "--alone-seconds", "1"]),
    ("script", &["--namespaces", "2", "--hubs", "3", "--rounds", "1"]),
];
/// Campaigns that keep records in Azurite.
const WITH_AZURITE: [&str; 6] = ["sync", "kill", "soak", "assign", "report", "script"];
/// More requests than a batch holds for each namespace, and records that are far away.
const CROWDED_AND_FAR: [&str; 4] = ["--requests", "300", "--storage-latency-ms", "30"];

/// `target/PROFILE/deps/smoke-HASH` → `target/PROFILE/policysync`.
fn policysync() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let profile = own.parent().and_then(Path::parent).unwrap();
    let program = profile.join(format!("policysync{}", std::env::consts::EXE_SUFFIX));
    let shown = program.display();
    assert!(program.is_file(), "there is no {shown}; build it with `cargo build --package policysync`");
    program
}

/// Runs a campaign to its end, and fails with all that it said when it broke a rule. Answers what it said.
fn keeps_every_rule(campaign: &str, more: &[&str]) -> String {
    let size = CAMPAIGNS.iter().find_map(|(name, size)| (*name == campaign).then_some(*size)).unwrap();
    if WITH_AZURITE.contains(&campaign) && std::env::var_os("AZURITE").is_none() {
        let is_required = std::env::var("CI").is_ok_and(|value| value == "true");
        assert!(!is_required, "AZURITE is not set; `cargo xtask test` installs Azurite and sets it");
        // Straight to stderr, since the test harness hides the output of a passing test.
        let line = format!(
            "skipped: the campaign {campaign}: AZURITE is not set; `cargo xtask test` installs Azurite\n"
        );
        std::io::stderr().write_all(line.as_bytes()).unwrap();
        return String::new();
    }
    let output = Command::new(env!("CARGO_BIN_EXE_campaigns"))
        .arg(campaign)
        .args(size)
        .args(more)
        .arg("--handler")
        .arg(policysync())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{errors}");
    assert!(said.contains("every rule was kept"), "{said}");
    said.into_owned()
}

#[test]
fn duplicates_to_two_processes_start_one_sync_per_namespace() {
    keeps_every_rule("sync", &[]);
}

#[test]
fn a_crowd_of_requests_is_synced_once_though_the_records_are_far_away() {
    keeps_every_rule("sync", &CROWDED_AND_FAR);
}

#[test]
fn kills_at_random_instants_lose_no_request() {
    keeps_every_rule("kill", &[]);
}

/// libfaketime moves no clock twice, and `cargo xtask calendar` has moved it already.
#[test]
fn kills_lose_no_request_though_the_clocks_of_the_two_processes_are_two_minutes_apart() {
    let is_moved = std::env::var_os("FAKETIME").is_some();
    if is_moved || std::env::var_os("FAKETIME_LIBRARY").is_none() {
        let is_required = !is_moved && std::env::var("CI").is_ok_and(|value| value == "true");
        assert!(
            !is_required,
            "FAKETIME_LIBRARY is not set; `cargo xtask test` installs libfaketime and sets it"
        );
        let why = if is_moved { "the clock is moved already" } else { "FAKETIME_LIBRARY is not set" };
        // Straight to stderr, since the test harness hides the output of a passing test.
        std::io::stderr().write_all(format!("skipped: clocks that are apart: {why}\n").as_bytes()).unwrap();
        return;
    }
    keeps_every_rule("kill", &["--skew-seconds", "60"]);
}

#[test]
fn kills_lose_no_request_of_a_crowd_though_the_records_are_far_away() {
    keeps_every_rule("kill", &CROWDED_AND_FAR);
}

#[test]
fn a_load_that_does_not_end_is_worked_off_and_the_growth_of_memory_is_told() {
    let said = keeps_every_rule("soak", &[]);
    assert!(said.is_empty() || said.contains("MiB an hour"), "{said}");
}

#[test]
fn created_groups_are_assigned_once_nothing_else_is_written_and_a_run_is_taken_back() {
    keeps_every_rule("assign", &[]);
}

#[test]
fn a_report_that_was_killed_goes_on_keeps_to_every_budget_and_a_second_one_says_nothing_again() {
    keeps_every_rule("report", &[]);
}

#[test]
fn every_contestant_starts_and_does_the_job() {
    let said = keeps_every_rule("start", &[]);
    assert!(said.contains("| Policysync |") && said.contains("| axum alone (floor) |"), "{said}");
}

#[test]
fn every_contestant_reads_each_message_of_a_batch() {
    let said = keeps_every_rule("invocation", &[]);
    assert!(said.contains("A batch of 100 messages"), "{said}");
}

#[test]
fn instructions_are_counted_where_valgrind_is() {
    let said = keeps_every_rule("instructions", &[]);
    assert!(said.contains("instructions of each message") || said.contains("skipped"), "{said}");
}

#[test]
fn a_neighbour_of_a_report_is_never_throttled_and_one_of_a_hasty_script_is() {
    keeps_every_rule("neighbour", &[]);
}

#[test]
fn the_script_of_the_comparison_syncs_every_hub_as_policysync_does() {
    keeps_every_rule("script", &[]);
}

#[test]
fn every_campaign_has_a_small_size_here() {
    let help = Command::new(env!("CARGO_BIN_EXE_campaigns")).arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let (_, commands) = help.split_once("Commands:\n").unwrap();
    let commands = commands.lines().map_while(|line| line.split_whitespace().next());
    let commands: Vec<&str> = commands.filter(|name| *name != "help").collect();
    assert_eq!(commands, CAMPAIGNS.map(|(name, _)| name), "{help}");
}
