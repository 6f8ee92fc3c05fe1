//! Proof of the machine.
//!
//! - [`world`]: what can be asked and seen in a small world of one policy and two hubs.
//! - [`model`]: everything around the machine (driver, queue, clocks, service) as a value that takes one step at a time.
//! - [`search`]: every state of that model up to a bound, and what must hold in all of them.
//! - [`diagram`], [`kills`]: what `ARCHITECTURE.md` says of the machine, compared with what it does; [`page`] reads it.
//! - [`stage`]: one sync by hand, one event at a time.
//! - [`promises`]: each promise in a test whose name says it.
//! - [`twice`]: an event that comes again changes nothing.
//! - [`contract`]: what is stored, as text, and what the last release stored.

mod contract;
mod diagram;
mod kills;
mod model;
mod page;
mod promises;
mod search;
mod stage;
mod twice;
mod world;
