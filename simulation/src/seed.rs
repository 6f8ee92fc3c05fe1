//! Streams of chance from one number.

/// The number from which everything of a play is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seed(pub u64);

impl Seed {
    /// The stream of a name. Streams of other names do not change when this one is drawn from more often, so that a further draw in one
    /// place leaves the others as they are.
    #[must_use]
    pub fn stream(self, name: &str) -> Draws {
        Draws(fastrand::Rng::with_seed(self.number(name)))
    }

    /// The number of a name, for what seeds itself.
    #[must_use]
    pub fn number(self, name: &str) -> u64 {
        // FNV-1a of the name, begun at the mixed seed: short names that differ in one letter give numbers far apart once mixed.
        let start = mixed(self.0 ^ 0xcbf2_9ce4_8422_2325);
        let hash =
            name.bytes().fold(start, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        mixed(hash)
    }
}

/// The finishing step of `SplitMix64`.
fn mixed(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// One stream.
#[derive(Debug, Clone)]
pub struct Draws(fastrand::Rng);

impl Draws {
    /// A number from `least` to `most`, both included.
    pub fn between(&mut self, least: u64, most: u64) -> u64 {
        self.0.u64(least..=most.max(least))
    }

    /// True so many times in a hundred.
    pub fn percent(&mut self, percent: u64) -> bool {
        self.0.u64(0..100) < percent
    }

    /// True so many times in ten thousand.
    pub fn in_ten_thousand(&mut self, count: u64) -> bool {
        self.0.u64(0..10_000) < count
    }

    /// A stream of its own, for what is drawn later.
    #[must_use]
    pub fn split(&mut self) -> Self {
        Self(fastrand::Rng::with_seed(self.0.u64(..)))
    }

    /// One of these; `None` when there are none.
    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        if of.is_empty() { None } else { of.get(self.0.usize(0..of.len())) }
    }

    /// Puts these into another order.
    pub fn shuffle<T>(&mut self, these: &mut [T]) {
        self.0.shuffle(these);
    }

    /// A time from `least` to `most` milliseconds.
    pub fn milliseconds(&mut self, least: u64, most: u64) -> std::time::Duration {
        std::time::Duration::from_millis(self.between(least, most))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(draws: &mut Draws) -> Vec<u64> {
        (0..20).map(|_| draws.between(0, u64::MAX)).collect()
    }

    #[test]
    fn a_further_draw_in_one_stream_leaves_the_others_as_they_are() {
        let (mut one, mut other) = (Seed(7).stream("one"), Seed(7).stream("other"));
        let undisturbed = first(&mut Seed(7).stream("other"));
        one.between(0, 9);
        assert_eq!(first(&mut other), undisturbed);
        assert_ne!(first(&mut Seed(7).stream("one")), undisturbed);
        assert_ne!(first(&mut Seed(8).stream("other")), undisturbed);
    }

    #[test]
    fn neighbouring_seeds_and_names_share_no_number() {
        let numbers: std::collections::BTreeSet<u64> = (0..200)
            .flat_map(|seed| ["a", "b", "instance-1", "instance-2"].map(|name| Seed(seed).number(name)))
            .collect();
        assert_eq!(numbers.len(), 800);
    }

    #[test]
    fn percents_are_percents() {
        let mut draws = Seed(1).stream("percents");
        let count = (0..10_000).filter(|_| draws.percent(30)).count();
        assert!((2_700..3_300).contains(&count), "{count}");
        assert!((0..1_000).all(|_| !draws.percent(0) && draws.percent(100)));
    }
}
