//! The whole app: the simulated Azure, the stand-in for the Functions host and `policysync serve` as processes that
//! talk HTTP, as they will talk to the real ones.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "app/assignment.rs"]
mod assignment;
#[path = "app/assignment_events.rs"]
mod assignment_events;
#[path = "app/bad_input.rs"]
mod bad_input;
#[path = "app/browser/mod.rs"]
mod browser_tests;
#[path = "app/check.rs"]
mod check;
#[path = "app/command_line.rs"]
mod command_line;
#[path = "app/confinement.rs"]
mod confinement;
#[path = "app/dead_letters.rs"]
mod dead_letters;
#[path = "app/demo.rs"]
mod demo;
#[path = "app/early_devices.rs"]
mod early_devices;
#[path = "app/edges.rs"]
mod edges;
#[path = "app/faults.rs"]
mod faults;
#[path = "app/generations.rs"]
mod generations;
#[path = "app/host_command.rs"]
mod host_command;
#[path = "app/host_process.rs"]
mod host_process;
#[path = "app/hubs_unknown.rs"]
mod hubs_unknown;
#[path = "app/in_process.rs"]
mod in_process;
#[path = "app/optional_functions.rs"]
mod optional_functions;
#[path = "app/parked.rs"]
mod parked;
#[path = "app/records.rs"]
mod records;
#[path = "app/resume.rs"]
mod resume;
#[path = "app/revert.rs"]
mod revert;
#[path = "app/rules.rs"]
mod rules;
#[path = "app/scenarios.rs"]
mod scenarios;
#[path = "app/secrets_in_logs.rs"]
mod secrets_in_logs;
#[path = "app/status.rs"]
mod status;
#[path = "app/submit.rs"]
mod submit;
#[path = "app/sync_audit.rs"]
mod sync_audit;
#[path = "app/sync_bad_messages.rs"]
mod sync_bad_messages;
#[path = "app/sync_outage.rs"]
mod sync_outage;
#[path = "app/sync_refused.rs"]
mod sync_refused;
#[path = "app/sync_slow.rs"]
mod sync_slow;
#[path = "app/sync_twice.rs"]
mod sync_twice;
#[path = "app/telemetry.rs"]
mod telemetry;
#[path = "app/telemetry_collector.rs"]
mod telemetry_collector;
#[path = "app/telemetry_destinations.rs"]
mod telemetry_destinations;
#[path = "app/walk.rs"]
mod walk;
#[path = "app/world.rs"]
mod world;
