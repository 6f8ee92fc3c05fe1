//! The certificate authorities and policies that `policysync.toml` owns, and what is left to do until they exist.
//!
//! [`plan`] compares what the file declares with what is there. It looks at nothing else, so a run that was killed is
//! taken up by the next one; [`Memory`] keeps it from sending the same write for ever. [`foresee`] tells all the writes that will
//! be. A [`Write`] makes a resource or changes how long leaf certificates are valid; none revokes,
//! rotates, deletes or activates.

mod foresight;
mod inventory;
mod judge;
mod memory;
mod seen;
mod step;
#[cfg(test)]
mod tests;
mod words;

pub use self::foresight::foresee;
pub use self::inventory::Inventory;
pub use self::judge::plan;
pub use self::memory::{ACCEPTED_HOLDS, LastWrite, Memory, REFUSAL_HOLDS, SETTLES_WITHIN, Stage};
pub use self::seen::Seen;
pub use self::step::{Action, Hindrance, Resource, Signer, Step, Waiting, Write};

/// How long leaf certificates of a new policy are valid where the file does not say, in days: the default of Azure's own
/// tools (`azure-wire-facts.md` §1.2).
pub const DEFAULT_LEAF_VALIDITY_DAYS: u32 = 30;
