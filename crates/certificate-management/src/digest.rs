//! Short names for long texts: the beginning of a SHA-256.

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

/// The first `BYTES` bytes of the SHA-256 of a text, at most 32, as lower-case hexadecimal digits.
#[must_use]
pub fn of<const BYTES: usize>(text: impl AsRef<[u8]>) -> String {
    const { assert!(BYTES <= 32, "a SHA-256 has 32 bytes") };
    HEXLOWER.encode(&Sha256::digest(text)[..BYTES])
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_digest_is_the_beginning_of_the_known_hash() {
        assert_eq!(super::of::<4>("abc"), "ba7816bf");
        assert_eq!(super::of::<8>("abc"), "ba7816bf8f01cfea");
    }
}
