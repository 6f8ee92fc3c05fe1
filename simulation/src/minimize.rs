//! Finds which parts of a play a failure needs.

use crate::variation::{Part, Variation};
use crate::world::Unplayable;
use crate::{Played, play};

/// A failure with as little around it as possible.
#[derive(Debug, Clone)]
pub struct Minimal {
    /// The parts that it needs.
    pub needs: Vec<Part>,
    /// The play with nothing else.
    pub played: Played,
}

/// Leaves one part after the other out of a seed for as long as the oracle still finds something. `None`: it finds nothing in the whole
/// play.
///
/// # Errors
/// When the seed cannot be played.
pub fn minimize(seed: u64, oracle: &str, variation: &Variation) -> Result<Option<Minimal>, Unplayable> {
    let finds = |played: &Played| played.violations.iter().any(|violation| violation.oracle == oracle);
    let mut smallest = play(seed, variation)?;
    if !finds(&smallest) {
        return Ok(None);
    }
    let (mut without, mut needs) = (variation.clone(), Vec::new());
    for part in smallest.parts.clone() {
        let less = without.and_without(part);
        let played = play(seed, &less)?;
        if finds(&played) {
            (without, smallest) = (less, played);
        } else {
            needs.push(part);
        }
    }
    Ok(Some(Minimal { needs, played: smallest }))
}
