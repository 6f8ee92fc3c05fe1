//! The one source of randomness of the app: of ids, and of the shares by which pauses differ.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use rand::rngs::{ChaCha12Rng, SysRng};
use rand::{Rng, SeedableRng};
use time::OffsetDateTime;
use ulid::Ulid;
use uuid::Uuid;

/// Draws numbers. Cheap to clone; all clones draw from one sequence, on any thread.
///
/// The sequence is that of `ChaCha12`, a cipher: nothing that was drawn tells what is drawn next. The code names it,
/// and not `StdRng`, so that a seed which made a test fail makes it fail with the next release of `rand` too.
#[derive(Clone)]
pub struct Randomness(Arc<Mutex<ChaCha12Rng>>);

impl Randomness {
    /// A sequence that begins at 256 bits of the operating system: no two processes have the same.
    ///
    /// # Panics
    /// When the operating system has no randomness to give. No TLS connection could be opened then either, and ids could be
    /// guessed or come twice; so a process that begins must not go on.
    #[must_use]
    pub fn of_system() -> Self {
        let seeded = ChaCha12Rng::try_from_rng(&mut SysRng);
        Self::over(seeded.expect("the operating system gives randomness"))
    }

    /// The sequence of a seed, always the same: for tests and simulations. Its ids can be guessed.
    #[must_use]
    pub fn of_seed(seed: u64) -> Self {
        Self::over(ChaCha12Rng::seed_from_u64(seed))
    }

    fn over(sequence: ChaCha12Rng) -> Self {
        Self(Arc::new(Mutex::new(sequence)))
    }

    /// 128 random bits.
    #[must_use]
    pub fn bits(&self) -> u128 {
        let mut bytes = [0; 16];
        // A thread that panicked has left the sequence as good as before.
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(&mut bytes);
        u128::from_le_bytes(bytes)
    }

    /// A share of a whole, in 0.0..=1.0: for pauses, so that two runs that met once do not meet again in step.
    #[must_use]
    pub fn share(&self) -> f64 {
        // The lowest 32 bits are as random as all of them, and a 64-bit float holds them exactly.
        f64::from(self.bits() as u32) / f64::from(u32::MAX)
    }

    /// A UUID of version 4: 122 random bits.
    #[must_use]
    pub fn uuid(&self) -> Uuid {
        uuid::Builder::from_random_bytes(self.bits().to_le_bytes()).into_uuid()
    }

    /// A ULID of that time: its milliseconds since 1970, then 80 random bits. A time before 1970 counts as 1970.
    #[must_use]
    pub fn ulid(&self, at: OffsetDateTime) -> Ulid {
        let milliseconds = at.unix_timestamp_nanos() / 1_000_000;
        Ulid::from_parts(u64::try_from(milliseconds).unwrap_or_default(), self.bits())
    }
}

impl fmt::Debug for Randomness {
    /// Shows nothing of the sequence, since every id that comes follows from it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Randomness").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-11-23 05:00:00.123 UTC);

    fn drawn(randomness: &Randomness) -> (u128, String, String, f64) {
        let ids = (randomness.uuid().to_string(), randomness.ulid(NOW).to_string());
        (randomness.bits(), ids.0, ids.1, randomness.share())
    }

    #[test]
    fn one_seed_is_one_sequence_and_another_seed_another() {
        let (one, same, other) = (Randomness::of_seed(7), Randomness::of_seed(7), Randomness::of_seed(8));
        for _ in 0..100 {
            let first = drawn(&one);
            assert_eq!(first, drawn(&same));
            assert_ne!(first, drawn(&other));
        }
    }

    #[test]
    fn the_sequence_of_a_seed_stays_what_it_is() {
        let randomness = Randomness::of_seed(7);
        assert_eq!(randomness.ulid(NOW).to_string(), "01M83CCY7VBY30FGQ0X5NAHYXY");
        assert_eq!(randomness.uuid().to_string(), "cdbc8b0f-4632-4424-99a0-dfa60568e28a");
    }

    #[test]
    fn clones_draw_from_one_sequence_on_every_thread() {
        let randomness = Randomness::of_system();
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let own = randomness.clone();
                std::thread::spawn(move || (0..1_000).map(|_| own.uuid()).collect::<Vec<_>>())
            })
            .collect();
        let ids: BTreeSet<Uuid> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
        assert_eq!(ids.len(), 4_000);
        assert_ne!(randomness.bits(), Randomness::of_system().bits(), "another process has another sequence");
    }

    #[test]
    fn ids_have_the_form_that_their_name_promises() {
        let randomness = Randomness::of_system();
        let uuid = randomness.uuid();
        assert_eq!((uuid.get_version_num(), uuid.get_variant()), (4, uuid::Variant::RFC4122));
        assert_eq!(i128::from(randomness.ulid(NOW).timestamp_ms()) * 1_000_000, NOW.unix_timestamp_nanos());
        for (early, milliseconds) in [(datetime!(1969-12-31 0:00 UTC), 0), (OffsetDateTime::UNIX_EPOCH, 0)] {
            assert_eq!(randomness.ulid(early).timestamp_ms(), milliseconds);
        }
    }

    #[test]
    fn shares_are_spread_over_the_whole() {
        let randomness = Randomness::of_seed(1);
        let shares: Vec<f64> = (0..1_000).map(|_| randomness.share()).collect();
        assert!(shares.iter().all(|share| (0.0..=1.0).contains(share)));
        for tenth in 0..10 {
            let within = f64::from(tenth) / 10.0..f64::from(tenth + 1) / 10.0;
            let count = shares.iter().filter(|share| within.contains(share)).count();
            assert!((50..150).contains(&count), "{count} shares in {within:?}");
        }
    }

    #[test]
    fn debug_output_tells_nothing_of_the_sequence() {
        assert_eq!(format!("{:?}", Randomness::of_seed(7)), "Randomness { .. }");
    }
}
