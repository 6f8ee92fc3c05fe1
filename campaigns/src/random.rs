//! Repeatable chance: the same seed makes the same fleet, the same requests and the same draws. Which process answers
//! first still depends on the machine.

use fastrand::Rng;

/// The generator of one part of a campaign: each has its own, so that a change of one does not move the others.
pub fn part(seed: u64, part: &str) -> Rng {
    // The step of FNV-1: it keeps the parts apart, and the generator itself mixes.
    Rng::with_seed(part.bytes().fold(seed, |sum, byte| sum.wrapping_mul(0x0100_0000_01B3) ^ u64::from(byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_draws_the_same_and_parts_differ() {
        let draw = |mut random: Rng| (0..50).map(|_| random.usize(..1_000)).collect::<Vec<_>>();
        assert_eq!(draw(part(7, "test")), draw(part(7, "test")));
        assert_ne!(draw(part(7, "kills")), draw(part(7, "requests")));
    }
}
