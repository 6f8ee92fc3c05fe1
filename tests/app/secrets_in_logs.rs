//! No log line of the app holds one of its credentials, at the most verbose level that `RUST_LOG` allows.

use std::os::unix::fs::PermissionsExt;

use policysync::commands::laptop::local_world::LocalOptions;

use crate::telemetry::sync;
use crate::telemetry_collector::{Collector, Manner};
use crate::world::World;

/// The credential for the collector of telemetry.
const OF_THE_COLLECTOR: &str = "a-key-of-the-collector";

/// Parts of every credential of the app: the beginning of the simulated Azure's tokens, and the names of signatures.
const MARKS: [&str; 8] = [
    "simulated.",
    "SharedAccessSignature sr=",
    "&sig=",
    "sig%3D",
    "SharedKey storage:",
    // The key of both the queue and the storage account of the local world.
    "c2ltdWxhdG9y",
    "Bearer ",
    OF_THE_COLLECTOR,
];

/// The lines that hold a mark.
fn leaks(log: &str) -> Vec<&str> {
    log.lines().filter(|line| MARKS.iter().any(|mark| line.contains(mark))).collect()
}

#[tokio::test]
async fn at_the_most_verbose_nothing_that_lets_the_app_in_is_logged() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let handler = folder.path().join("handler");
    let script = format!(
        "#!/bin/sh\nexec '{}' \"$@\" >> '{}' 2>&1\n",
        env!("CARGO_BIN_EXE_policysync"),
        log.display()
    );
    std::fs::write(&handler, script).unwrap();
    std::fs::set_permissions(&handler, std::fs::Permissions::from_mode(0o755)).unwrap();
    let collector = Collector::start(Manner::Takes);
    let authorization = format!("authorization=Basic {OF_THE_COLLECTOR}");
    let settings = [
        ("RUST_LOG", "trace"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url),
        ("OTEL_EXPORTER_OTLP_HEADERS", &authorization),
    ];
    let app_settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let options = LocalOptions { handler: Some(handler), app_settings, ..LocalOptions::default() };
    let world = World::run(options, folder).await;
    // Tokens for ARM and DPS, signatures for the queue and the records, the collector's key.
    world.fire("reconcile-assignments").await;
    world.fire("report-policy-status").await;
    sync(&world).await;
    world.until("telemetry has arrived", async || (!collector.metrics().is_empty()).then_some(())).await;
    let log = std::fs::read_to_string(log).unwrap();
    world.stop().await;

    for speaker in ["TRACE", "DEBUG", "report written"] {
        assert!(log.contains(speaker), "`{speaker}` is not in the log, so nothing is proven:\n{log}");
    }
    assert_eq!(leaks(&log), Vec::<&str>::new());
}

#[test]
fn a_line_that_leaks_is_found() {
    let leaking = [
        "DEBUG request: authorization: \"Bearer simulated.0a1b\"",
        "TRACE headers: SharedAccessSignature sr=https%3A%2F%2Fx&sig=c2ln&se=1&skn=send",
        "TRACE signed: SharedKey storage:c2ln",
        "DEBUG export with a-key-of-the-collector",
    ];
    assert_eq!(leaks(&leaking.join("\n")), leaking);
    assert_eq!(leaks("DEBUG call GET /subscriptions 200\n INFO report written"), Vec::<&str>::new());
}
