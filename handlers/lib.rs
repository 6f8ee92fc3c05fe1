//! Policysync: the app. One file per function in [`functions`]; the modules beside it are what they share.
//!
//! The one loop of everything here: wake-up, observe, plan, act, verify, record. A wake-up only says where to look; the
//! pure crate `certificate-management` decides from the observation what to do.

pub mod alerting;
pub mod api;
pub mod application;
pub mod assignment;
pub mod authorities;
pub mod cache;
pub mod changes;
pub mod commands;
pub mod configuration_blob;
pub mod csv;
pub mod deadlines;
pub mod diagnostic_records;
pub mod dry_run;
pub mod failure;
pub mod fleet;
pub mod functions;
pub mod holds;
pub mod in_hand;
pub mod links;
pub mod lists;
pub mod observation;
pub mod pace;
pub mod page;
pub mod reporting;
pub mod resource_events;
pub mod runs;
pub mod sections;
pub mod serving;
pub mod settings;
pub mod storage_tokens;
pub mod synchronization;
pub mod telemetry;
pub mod views;
pub mod visible;
pub mod waiting;
pub mod walk;
