//! The campaigns at a size that fits into a test run, against the `policysync` that cargo built with this test's
//! profile. The full size is `cargo xtask bench sync`, `bench assign`, `bench report` and `cargo xtask full`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Each campaign with its size. It is small and still has every kind of namespace, some kills, duplicates, and more
/// than one page of groups. The figures mean nothing; the rules have to hold.
const CAMPAIGNS: [(&str, &[&str]); 4] = [
    ("sync", &["--namespaces", "5", "--hubs", "3", "--requests", "40", "--limit-minutes", "5"]),
    (
        "kill",
        &["--namespaces", "5", "--hubs", "3", "--requests", "40", "--limit-minutes", "5", "--kills", "6"],
    ),
    ("assign", &["--provisioning-services", "3", "--groups", "12", "--limit-minutes", "5"]),
    ("report", &["--namespaces", "8", "--hubs", "3", "--provisioning-services", "2", "--groups", "120"]),
];
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

/// Runs a campaign to its end, and fails with its output when it broke a rule.
fn keeps_every_rule(campaign: &str, more: &[&str]) {
    let size = CAMPAIGNS.iter().find_map(|(name, size)| (*name == campaign).then_some(*size)).unwrap();
    if std::env::var_os("AZURITE").is_none() {
        let is_required = std::env::var("CI").is_ok_and(|value| value == "true");
        assert!(!is_required, "AZURITE is not set; `cargo xtask test` installs Azurite and sets it");
        // Straight to stderr, since the test harness hides the output of a passing test.
        let line = format!(
            "skipped: the campaign {campaign}: AZURITE is not set; `cargo xtask test` installs Azurite\n"
        );
        std::io::stderr().write_all(line.as_bytes()).unwrap();
        return;
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

#[test]
fn kills_lose_no_request_of_a_crowd_though_the_records_are_far_away() {
    keeps_every_rule("kill", &CROWDED_AND_FAR);
}

#[test]
fn created_groups_are_assigned_once_nothing_else_is_written_and_a_run_is_taken_back() {
    keeps_every_rule("assign", &[]);
}

#[test]
fn a_report_keeps_to_the_budgets_of_every_service_and_a_second_one_says_nothing_again() {
    keeps_every_rule("report", &[]);
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
