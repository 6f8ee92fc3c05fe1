//! Names and ids that a service makes up, from a seed; and which names it takes from others.

/// Made-up names and ids, the same sequence for the same seed (`SplitMix64`). Not for secrets that matter: the symmetric
/// keys of simulated enrollment groups come from here, so that a seed gives the same world.
#[derive(Debug, Clone)]
pub struct Names {
    state: u64,
}

impl Names {
    /// Starts the sequence of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// `N` bytes.
    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.next().to_le_bytes()[..chunk.len()]);
        }
        bytes
    }

    /// 32 hex characters, as in the subject of an issuing CA (`azure-wire-facts.md` §1.3).
    pub fn hex(&mut self) -> String {
        self.bytes::<16>().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// A UUID.
    pub fn guid(&mut self) -> String {
        uuid::Builder::from_random_bytes(self.bytes()).into_uuid().to_string()
    }

    /// An `ETag` as ARM resources of IoT Hub have it: eight bytes, base64, e.g. `AAAAAAExpNs=`.
    pub fn hub_etag(&mut self) -> String {
        let low: [u8; 4] = self.bytes();
        base64(&[0, 0, 0, 0, low[0], low[1], low[2], low[3]])
    }

    /// An `ETag` as DPS has it: a quoted text.
    pub fn enrollment_etag(&mut self) -> String {
        format!("\"{}\"", self.guid())
    }

    /// A symmetric key: 64 bytes, base64.
    pub fn symmetric_key(&mut self) -> String {
        base64(&self.bytes::<64>())
    }

    /// The id scope of a provisioning service, e.g. `0ne00A1B2C3`.
    pub fn id_scope(&mut self) -> String {
        let bytes: [u8; 4] = self.bytes();
        let digits: String = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
        format!("0ne{digits}")
    }
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// `^[0-9a-zA-Z][a-zA-Z0-9-]*$`, 3 to 63 characters (`azure-wire-facts.md` §1.2).
#[must_use]
pub fn is_policy_name(name: &str) -> bool {
    (3..=63).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

/// Up to 128 letters, digits and `: . _ -`, none of these four at an end (`azure-wire-facts.md` §3).
#[must_use]
pub fn is_enrollment_group_id(id: &str) -> bool {
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    id.len() <= 128
        && edge(id.chars().next())
        && edge(id.chars().next_back())
        && id.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, ':' | '.' | '_' | '-'))
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

    #[test]
    fn ids_are_judged_as_the_services_document_them() {
        for good in ["a", "line-7", "Line:7.a_b", &"x".repeat(128)] {
            assert!(is_enrollment_group_id(good), "{good}");
        }
        for bad in ["", "-a", "a-", "a b", "ä", "a/b", &"x".repeat(129)] {
            assert!(!is_enrollment_group_id(bad), "{bad}");
        }
        assert!(
            is_policy_name("short-lived")
                && !is_policy_name("-ab")
                && !is_policy_name("a_b")
                && !is_policy_name("ab")
        );
    }
}
