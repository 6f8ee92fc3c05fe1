//! Chance that can be repeated: the splitmix64 generator. The same seed makes the same fleet, the same requests and the
//! same draws; which process answers first is still the machine's affair.

/// A generator of numbers that look random.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// The generator of one part of a campaign: each has its own, so that a change of one does not move the others.
    pub fn part(seed: u64, part: &str) -> Self {
        let mixed = part.bytes().fold(seed, |sum, byte| sum.wrapping_mul(0x0100_0000_01B3) ^ u64::from(byte));
        Self(mixed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number in [0, 1).
    pub fn fraction(&mut self) -> f64 {
        // 53 bits are what a double holds exactly.
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A number below `end`; 0 when `end` is 0.
    pub fn below(&mut self, end: usize) -> usize {
        ((self.fraction() * end as f64) as usize).min(end.saturating_sub(1))
    }

    /// Puts `things` into a random order.
    pub fn shuffle<T>(&mut self, things: &mut [T]) {
        for last in (1..things.len()).rev() {
            things.swap(last, self.below(last + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_draws_the_same_and_parts_differ() {
        let draw = |mut random: Random| (0..50).map(|_| random.below(1_000)).collect::<Vec<_>>();
        assert_eq!(draw(Random::part(7, "test")), draw(Random::part(7, "test")));
        assert_ne!(draw(Random::part(7, "kills")), draw(Random::part(7, "requests")));
        assert!(draw(Random::part(7, "test")).iter().all(|number| *number < 1_000));
    }

    #[test]
    fn a_shuffle_keeps_every_thing() {
        let mut things: Vec<usize> = (0..100).collect();
        Random::part(3, "test").shuffle(&mut things);
        assert_ne!(things, (0..100).collect::<Vec<_>>());
        things.sort_unstable();
        assert_eq!(things, (0..100).collect::<Vec<_>>());
    }
}
