//! Policysync: the app. One file per function in [`functions`], what they share beside it.
//!
//! The one loop of everything here: wake-up, observe, plan, act, verify, record. A wake-up only says where to look;
//! what to do is decided by the pure crate `certificate-management` from what was observed.

pub mod alerting;
pub mod application;
pub mod assignment;
pub mod cache;
pub mod clock;
pub mod commands;
pub mod deadlines;
pub mod diagnostic_records;
pub mod dry_run;
pub mod failure;
pub mod fleet;
pub mod functions;
pub mod in_hand;
pub mod observation;
pub mod pace;
pub mod page;
pub mod reporting;
pub mod resource_events;
pub mod sections;
pub mod settings;
pub mod synchronization;
pub mod telemetry;
pub mod visible;
pub mod walk;
