//! The contract that every backend keeps ([`contract`]), run in memory and on Azurite, and the store over a service
//! that misbehaves ([`misbehaving_service`]).

mod azurite;
mod contract;
mod documents;
mod in_memory;
mod lost_answers;
mod misbehaving_service;
