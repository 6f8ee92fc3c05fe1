//! A simulated Azure on one port: [`Simulator`].
//!
//! A request passes [`front`] (log, faults, authorization, throttling) and reaches its service: [`arm`] for the
//! resources, [`provisioning`] for DPS and its devices, [`service_bus`], [`storage`], [`identity`], [`custom_topics`]. What people
//! and tests do from outside goes through [`control`]. The resources live in [`world`], which [`fleet`] describes; all
//! of it goes by one [`clock`].
//!
//! It is written from the confirmed facts of the services (`azure-wire-facts.md`), never from our own clients: one cannot
//! hide the other's mistake.
#![warn(missing_docs)]

pub mod arm;
pub mod arm_error;
pub mod authorization;
pub mod clock;
pub mod control;
pub mod custom_topics;
pub(crate) mod dates;
pub mod device;
pub(crate) mod device_endpoint;
pub(crate) mod devices;
pub mod faults;
pub mod feeds;
pub mod fleet;
pub mod front;
pub(crate) mod hubs;
pub mod identity;
pub mod log;
pub mod permissions;
pub mod pki;
pub mod provisioning;
pub(crate) mod provisioning_services;
pub(crate) mod registry;
pub mod server;
pub mod service;
pub mod service_bus;
pub mod storage;
pub mod throttle;
pub mod world;

pub use server::{Options, Simulator, StartError};

#[cfg(test)]
mod tests;
