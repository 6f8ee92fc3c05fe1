//! A simulated Azure on one port, [`Simulator`]; or without any, [`InProcess`].
//!
//! A request passes the front (log, faults, authorization, throttling) and reaches the door of its service: Azure
//! Resource Manager, DPS and its devices, Service Bus, storage, identity, custom topics. The doors speak the wire
//! formats; a model, which knows none of them, holds what exists and how it changes with time. A [`fleet`] describes
//! the model at the start, and everything goes by one [`clock`]. People and tests reach it from outside through
//! `/simulator/...`.
//!
//! It is written from the confirmed facts of the services (`azure-wire-facts.md`), never from our own clients: one cannot
//! hide the other's mistake.
#![warn(missing_docs)]

mod answer;
mod arm;
mod arm_error;
mod authorization;
pub mod clock;
mod cloud;
mod control;
mod custom_topics;
mod dates;
pub mod device;
mod device_endpoints;
mod device_token;
pub mod faults;
mod feeds;
pub mod fleet;
mod front;
mod identity;
mod in_process;
pub mod log;
mod options;
mod permissions;
mod pki;
mod provisioning;
mod resource_manager;
mod resource_names;
mod roles;
mod server;
mod service;
pub mod service_bus;
mod start;
mod storage;
pub mod throttle;
mod trouble;
mod truth;
mod world;

pub use front::NoAnswer;
pub use in_process::InProcess;
pub use options::Options;
pub use server::{Simulator, StartError};
pub use trouble::Trouble;
pub use truth::{GroupTruth, NamespaceTruth, PolicyTruth};
pub use world::{ActionError, WorldError};

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
