//! Names and ids that a service makes up, from a seed.

use data_encoding::{BASE64, HEXLOWER, HEXUPPER};

/// Made-up names and ids, the same sequence for the same seed. Not for secrets that matter: the symmetric keys of
/// simulated enrollment groups come from here, so that a seed gives the same world.
#[derive(Debug, Clone)]
pub(crate) struct Names(fastrand::Rng);

impl Names {
    /// Starts the sequence of a seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self(fastrand::Rng::with_seed(seed))
    }

    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.fill(&mut bytes);
        bytes
    }

    /// 32 hex characters, as in the subject of an issuing CA (`azure-wire-facts.md` §1.3).
    pub(crate) fn hex(&mut self) -> String {
        HEXLOWER.encode(&self.bytes::<16>())
    }

    /// A UUID.
    pub(crate) fn guid(&mut self) -> String {
        uuid::Builder::from_random_bytes(self.bytes()).into_uuid().to_string()
    }

    /// An `ETag` as ARM resources of IoT Hub have it: eight bytes, base64, e.g. `AAAAAAExpNs=`.
    pub(crate) fn hub_etag(&mut self) -> String {
        let low: [u8; 4] = self.bytes();
        BASE64.encode(&[0, 0, 0, 0, low[0], low[1], low[2], low[3]])
    }

    /// An `ETag` as DPS has it: a quoted text.
    pub(crate) fn enrollment_etag(&mut self) -> String {
        format!("\"{}\"", self.guid())
    }

    /// A symmetric key: 64 bytes, base64.
    pub(crate) fn symmetric_key(&mut self) -> String {
        BASE64.encode(&self.bytes::<64>())
    }

    /// The id scope of a provisioning service, e.g. `0ne00A1B2C3`.
    pub(crate) fn id_scope(&mut self) -> String {
        format!("0ne{}", HEXUPPER.encode(&self.bytes::<4>()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_gives_one_sequence() {
        let (mut a, mut b, mut c) = (Names::new(7), Names::new(7), Names::new(8));
        let first = (a.hex(), a.guid(), a.symmetric_key());
        assert_eq!(first, (b.hex(), b.guid(), b.symmetric_key()));
        assert_ne!(first.0, c.hex());
        assert_ne!(first.0, a.hex());
        assert_eq!(first.0.len(), 32);
    }
}
