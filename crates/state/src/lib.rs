//! Records with optimistic concurrency, which the functions keep between invocations.
//!
//! A [`Store`] keeps JSON records under keys, in memory or in an Azure Storage container. Two handlers may work on one
//! record at the same time; neither holds a lock, since the host can end a process at any instant and object storage
//! through this crate has no leases (`messaging-and-state.md` §3.5). Instead every write names the version that its
//! decision rests on, and a write on an older one is a [`WriteError::Conflict`]:
//!
//! - [`Store::create`] claims a key: of any number of callers one wins.
//! - [`Store::update`] replaces the version that was read and no other.
//! - [`Store::modify`] reads, decides and writes until its decision was made on the newest version.
//! - [`Store::put`] is for records of which only the last one matters, such as reports.
//!
//! - [`Store::newest`] finds the records that were written last.
//! - [`Store::purge`] removes records that were not changed for long.
//!
//! The store sends a write again whose answer got lost, so the second send may meet the result of the first. Each write
//! carries an id inside the record ([`record`]); when the store finds that id there, the write has succeeded.
//!
//! The ids of writes and the pauses after lost races are drawn from the randomness that the store is given.
//!
//! A [`Document`] is one blob that is no record: people write it, and the app reads it again when it has changed.
//!
//! What a record means, and how its fields evolve, is the caller's business.
#![warn(missing_docs)]

mod blob;
mod document;
mod error;
pub mod key;
mod modify;
mod newest;
pub mod record;
mod retention;
mod store;

pub use blob::address::BlobAddress;
pub use blob::settings::BlobSettings;
pub use blob::token::TokenProvider;
pub use document::{Document, NOTES, Reading, Revision};
pub use error::{Error, ErrorKind, WriteError};
pub use modify::{Change, Modified};
pub use record::{Stored, Version};
pub use retention::Purged;
pub use store::{DEADLINE, LIST_LIMIT, Listing, Store};

#[cfg(test)]
mod tests;
