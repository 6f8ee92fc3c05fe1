//! A first `policysync.toml` for what exists: the rules are guesses from what enrollment groups already have.
//!
//! - [`seen`]: what was read in Azure.
//! - [`rules`]: the guess; `patterns` finds the globs for it.
//! - [`steps`]: what is still to be made, in order, before Policysync has something to look after.
//!
//! A rule gives each group that was read the policy that it names already, or does not match it. So the proposal changes no
//! group that has a policy. What was not read is said, and nothing is guessed of it.

mod patterns;
pub mod rules;
pub mod seen;
pub mod steps;
#[cfg(test)]
mod tests;
mod text;

use serde::Serialize;

use self::rules::Guess;
use self::seen::Seen;
use self::steps::Step;
use crate::ArmId;

/// A configuration for what was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Proposal {
    /// The text of `policysync.toml`; `None` when no namespace was seen, since a file without one is refused.
    #[serde(skip)]
    pub text: Option<String>,
    /// Each namespace, in the order of the file.
    pub namespaces: Vec<ProposedNamespace>,
    /// What could not be read, each as a sentence.
    pub unread: Vec<String>,
    /// What is still to be made, in order.
    pub create: Vec<Step>,
}

/// A namespace of the proposal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProposedNamespace {
    /// Its ARM id.
    pub id: ArmId,
    /// Its rules, and the groups that none of them is for.
    #[serde(flatten)]
    pub guess: Guess,
}

/// Proposes a configuration for what was seen.
#[must_use]
pub fn propose(seen: &Seen) -> Proposal {
    let namespaces: Vec<ProposedNamespace> = seen
        .namespaces
        .iter()
        .map(|namespace| ProposedNamespace { id: namespace.id.clone(), guess: rules::guess(namespace) })
        .collect();
    let unread = seen.unread_sentences();
    let text = (!namespaces.is_empty()).then(|| text::of(seen, &namespaces, &unread));
    Proposal { text, namespaces, unread, create: steps::missing(seen) }
}

/// The first of some names and how many more there are: `a, b and 7 more`.
fn some_of<S: AsRef<str>>(names: &[S], shown: usize) -> String {
    let first: Vec<&str> = names.iter().take(shown).map(AsRef::as_ref).collect();
    match names.len().saturating_sub(shown) {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}
