//! The whole app: the simulated Azure, the stand-in for the Functions host and the handler of `policysync`, which talk HTTP as
//! they will talk to the real ones. The handler is a process where the process is what a test is about.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod assignment;
mod assignment_events;
mod attached;
mod bad_input;
mod blast_radius;
mod browser_tests;
mod check;
mod command_line;
mod confinement;
mod dead_letters;
mod declared;
mod demo;
mod documents;
mod early_devices;
mod edges;
mod faults;
mod generations;
mod host_command;
mod host_process;
mod hubs_unknown;
mod in_process;
mod one_namespace;
mod operator;
mod optional_functions;
mod own_root;
mod parked;
mod records;
mod remembered;
mod resume;
mod revert;
mod rules;
mod scenarios;
mod secrets_in_logs;
mod sections;
mod seeds;
mod simulated_time;
mod spread;
mod status;
mod submit;
mod sync_audit;
mod sync_bad_messages;
mod sync_outage;
mod sync_refused;
mod sync_slow;
mod sync_twice;
mod telemetry;
mod telemetry_collector;
mod telemetry_destinations;
mod turns;
mod walk;
mod whole_walk;
mod world;
