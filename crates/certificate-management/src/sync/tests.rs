//! Proof of the machine.
//!
//! - [`world`]: a small world of one policy and two hubs, with the requests and observations that it allows.
//! - [`model`]: everything around the machine (driver, queue, clocks, service) as a value that takes one step at a time.
//! - [`search`]: every state of that model up to a bound, and what must hold in all of them.
//! - [`diagram`], [`kills`]: compare `ARCHITECTURE.md` with what the machine does; [`page`] reads the page.
//! - [`stage`]: one sync by hand, one event at a time.
//! - [`promises`]: each promise in a test whose name says it.
//! - [`twice`]: an event that comes again changes nothing.
//! - [`contract`]: the stored records as text, of this release and of the last one.

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
