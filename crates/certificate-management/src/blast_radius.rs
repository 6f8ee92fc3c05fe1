//! What a step would break that a person takes elsewhere and cannot take back: revoking, rotating or deleting an
//! authority or a policy, or unlinking a hub or a DPS.
//!
//! [`assess`] turns what was read into a [`Radius`]: whom the step reaches, what stops at once and what later, what cannot
//! be undone, in which order it is safe, and the command as a text. Nothing in this program takes such a step.
//!
//! - [`target`]: what the person means by a name.
//! - [`facts`]: what was read.
//! - [`radius`]: the answer.
//!
//! What was not read is not known, and what is not known may stop: [`Verdict::NothingStops`] is said only where everything
//! that the step can reach was read, and none of it depends on the step.

mod command;
mod count;
mod effects;
pub mod facts;
mod order;
pub mod radius;
pub mod target;
#[cfg(test)]
mod tests;
mod usage;

pub use self::count::Count;
pub use self::facts::Facts;
pub use self::radius::{Radius, Verdict};
pub use self::target::{Action, Target};

use self::radius::{Basis, Statement};
use self::usage::Usage;

/// The longest validity of a device certificate that a source publishes, in days (`azure-wire-facts.md` §1.2). Bounds what a
/// policy whose validity was shortened may have issued before.
pub(crate) const LONGEST_LEAF_DAYS: u32 = 90;

/// Places of the groups whose devices are to be counted: the DPS among [`Facts::services`], and the group in it.
#[must_use]
pub fn to_count(facts: &Facts) -> Vec<(usize, usize)> {
    usage::places(facts)
}

/// What the step would break.
#[must_use]
pub fn assess(facts: &Facts) -> Radius {
    let usage = Usage::of(facts);
    let effects = effects::of(facts, &usage);
    let unknown = if effects.is_refused { Vec::new() } else { usage.unknown.clone() };
    let verdict = verdict(effects.is_refused, &effects.at_once, &unknown);
    let mut safe_order = order::of(facts, &usage);
    if verdict == Verdict::NothingStops {
        safe_order.retain(|step| !step.is_precaution);
    }
    Radius {
        action: facts.action,
        kind: facts.target.kind(),
        name: facts.target.name().to_owned(),
        id: facts.target.id().cloned(),
        namespace_id: facts.namespace.id.clone(),
        generation: facts.generation(),
        verdict,
        summary: summary(verdict, &effects.at_once, &unknown),
        devices: usage.devices(),
        individual_enrollments: usage.individual.clone(),
        groups: usage.groups,
        hubs: usage.hubs,
        leaves: usage.leaves,
        at_once: effects.at_once,
        later: effects.later,
        irreversible: effects.irreversible,
        unknown,
        safe_order: safe_order.into_iter().map(|step| step.statement).collect(),
        commands: command::of(facts),
        seen_at: facts.now,
    }
}

/// A statement that no source settles says that something may stop, and so does everything that was not read.
fn verdict(is_refused: bool, at_once: &[Statement], unknown: &[Statement]) -> Verdict {
    let is_certain = |statement: &Statement| matches!(statement.basis, Basis::Observed | Basis::Published);
    match () {
        () if is_refused => Verdict::Refused,
        () if at_once.iter().any(is_certain) => Verdict::Stops,
        () if at_once.is_empty() && unknown.is_empty() => Verdict::NothingStops,
        () => Verdict::MayStop,
    }
}

fn summary(verdict: Verdict, at_once: &[Statement], unknown: &[Statement]) -> String {
    match verdict {
        Verdict::Stops => "Devices or enrollments that work now stop when the step is taken.",
        Verdict::MayStop if at_once.is_empty() && !unknown.is_empty() => {
            "Not everything that may depend on it could be read."
        }
        Verdict::MayStop => "No source settles what is said below.",
        Verdict::Refused => "The service refuses this step, so it changes nothing.",
        Verdict::NothingStops => "Everything was read, and nothing depends on it at once.",
    }
    .to_owned()
}
