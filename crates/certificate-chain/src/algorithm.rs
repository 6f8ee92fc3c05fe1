//! Keys and signatures: what kind they are of, and whether a signature is one.

use aws_lc_rs::digest::{self, SHA1_FOR_LEGACY_USE_ONLY, SHA256};
use aws_lc_rs::signature::{self, UnparsedPublicKey, VerificationAlgorithm};
use x509_parser::asn1_rs::Tag;
use x509_parser::x509::{AlgorithmIdentifier, SubjectPublicKeyInfo};

/// A public key.
#[derive(Debug, Clone)]
pub struct Key {
    /// Its kind.
    pub kind: KeyKind,
    /// The key itself, without its algorithm: a point, or a modulus with its exponent.
    bits: Vec<u8>,
    /// With its algorithm, DER.
    info: Vec<u8>,
}

/// The kind of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// Elliptic curve, NIST P-256.
    P256,
    /// Elliptic curve, NIST P-384.
    P384,
    /// Elliptic curve, NIST P-521.
    P521,
    /// Elliptic curve, given by its parameters instead of its name.
    ExplicitCurve,
    /// Elliptic curve, another one.
    OtherCurve,
    /// RSA.
    Rsa,
    /// Anything else.
    Other,
}

impl KeyKind {
    /// Whether the service takes an issuing CA with such a key (`ca-lifecycle-facts.md` §1.6).
    pub fn is_accepted(self) -> bool {
        matches!(self, Self::P256 | Self::P384 | Self::P521)
    }
}

impl std::fmt::Display for KeyKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::P256 => "EC P-256",
            Self::P384 => "EC P-384",
            Self::P521 => "EC P-521",
            Self::ExplicitCurve => "EC with explicit parameters",
            Self::OtherCurve => "EC on another curve",
            Self::Rsa => "RSA",
            Self::Other => "of an unknown kind",
        })
    }
}

impl Key {
    pub fn of(info: &SubjectPublicKeyInfo<'_>) -> Self {
        // The library reads any value as an OID.
        let curve = info.algorithm.parameters.as_ref().filter(|any| any.tag() == Tag::Oid);
        let kind = match info.algorithm.algorithm.to_id_string().as_str() {
            "1.2.840.10045.2.1" => match curve.and_then(|any| any.as_oid().ok()) {
                Some(curve) => match curve.to_id_string().as_str() {
                    "1.2.840.10045.3.1.7" => KeyKind::P256,
                    "1.3.132.0.34" => KeyKind::P384,
                    "1.3.132.0.35" => KeyKind::P521,
                    _ => KeyKind::OtherCurve,
                },
                None => KeyKind::ExplicitCurve,
            },
            "1.2.840.113549.1.1.1" => KeyKind::Rsa,
            _ => KeyKind::Other,
        };
        Self { kind, bits: info.subject_public_key.data.to_vec(), info: info.raw.to_vec() }
    }

    /// Whether it is the same key. A request may give its curve by parameters where the certificate names it, as
    /// Microsoft's own script does (`ca-lifecycle-facts.md` §1.6), so the point decides.
    pub fn is(&self, other: &Self) -> bool {
        self.bits == other.bits
    }

    /// Its kind, where a curve that is given by its parameters counts as the named one with points of this length. With
    /// any other curve no signature is right then, since the same numbers are no point, or another one.
    fn curve_or_kind(&self) -> KeyKind {
        match (self.kind, self.bits.len()) {
            (KeyKind::ExplicitCurve, 65) => KeyKind::P256,
            (KeyKind::ExplicitCurve, 97) => KeyKind::P384,
            (KeyKind::ExplicitCurve, 133) => KeyKind::P521,
            (kind, _) => kind,
        }
    }

    /// SHA-256 of the key with its algorithm, in hexadecimal, as `openssl pkey -pubin -outform DER | sha256sum` prints it.
    pub fn fingerprint(&self) -> String {
        sha256(&self.info)
    }
}

/// SHA-256 in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(digest::digest(&SHA256, bytes).as_ref())
}

/// SHA-1 in hexadecimal: a name for a certificate, as hubs show it, and no proof of anything.
pub fn sha1(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(digest::digest(&SHA1_FOR_LEGACY_USE_ONLY, bytes).as_ref())
}

/// The algorithm of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureKind {
    /// ECDSA.
    Ecdsa(Hash),
    /// RSA as in PKCS#1 1.5.
    Rsa(Hash),
    /// One with a hash that is broken.
    Weak,
    /// Anything else.
    Other,
}

/// The hash of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

impl SignatureKind {
    pub fn of(algorithm: &AlgorithmIdentifier<'_>) -> Self {
        match algorithm.algorithm.to_id_string().as_str() {
            "1.2.840.10045.4.3.2" => Self::Ecdsa(Hash::Sha256),
            "1.2.840.10045.4.3.3" => Self::Ecdsa(Hash::Sha384),
            "1.2.840.10045.4.3.4" => Self::Ecdsa(Hash::Sha512),
            "1.2.840.113549.1.1.11" => Self::Rsa(Hash::Sha256),
            "1.2.840.113549.1.1.12" => Self::Rsa(Hash::Sha384),
            "1.2.840.113549.1.1.13" => Self::Rsa(Hash::Sha512),
            // ECDSA with SHA-1; RSA with MD5 and with SHA-1, by both of its names.
            "1.2.840.10045.4.1" | "1.2.840.113549.1.1.4" | "1.2.840.113549.1.1.5" | "1.3.14.3.2.29" => {
                Self::Weak
            }
            _ => Self::Other,
        }
    }
}

impl std::fmt::Display for SignatureKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (family, hash) = match self {
            Self::Ecdsa(hash) => ("ECDSA", hash),
            Self::Rsa(hash) => ("RSA", hash),
            Self::Weak => return f.write_str("SHA-1 or MD5"),
            Self::Other => return f.write_str("another algorithm"),
        };
        let hash = match hash {
            Hash::Sha256 => "SHA-256",
            Hash::Sha384 => "SHA-384",
            Hash::Sha512 => "SHA-512",
        };
        write!(f, "{family} with {hash}")
    }
}

/// Something that was signed.
#[derive(Debug, Clone)]
pub struct Signed {
    /// How.
    pub kind: SignatureKind,
    /// What.
    pub message: Vec<u8>,
    /// The signature.
    pub signature: Vec<u8>,
}

impl Signed {
    /// Whether the owner of `key` has signed it; `None` where this program cannot tell.
    pub fn is_by(&self, key: &Key) -> Option<bool> {
        use Hash::{Sha256, Sha384, Sha512};
        use KeyKind::{P256, P384, P521};
        let algorithm: &dyn VerificationAlgorithm = match (key.curve_or_kind(), self.kind) {
            (P256, SignatureKind::Ecdsa(Sha256)) => &signature::ECDSA_P256_SHA256_ASN1,
            (P256, SignatureKind::Ecdsa(Sha384)) => &signature::ECDSA_P256_SHA384_ASN1,
            (P256, SignatureKind::Ecdsa(Sha512)) => &signature::ECDSA_P256_SHA512_ASN1,
            (P384, SignatureKind::Ecdsa(Sha256)) => &signature::ECDSA_P384_SHA256_ASN1,
            (P384, SignatureKind::Ecdsa(Sha384)) => &signature::ECDSA_P384_SHA384_ASN1,
            (P384, SignatureKind::Ecdsa(Sha512)) => &signature::ECDSA_P384_SHA512_ASN1,
            (P521, SignatureKind::Ecdsa(Sha256)) => &signature::ECDSA_P521_SHA256_ASN1,
            (P521, SignatureKind::Ecdsa(Sha384)) => &signature::ECDSA_P521_SHA384_ASN1,
            (P521, SignatureKind::Ecdsa(Sha512)) => &signature::ECDSA_P521_SHA512_ASN1,
            (KeyKind::Rsa, SignatureKind::Rsa(Sha256)) => &signature::RSA_PKCS1_2048_8192_SHA256,
            (KeyKind::Rsa, SignatureKind::Rsa(Sha384)) => &signature::RSA_PKCS1_2048_8192_SHA384,
            (KeyKind::Rsa, SignatureKind::Rsa(Sha512)) => &signature::RSA_PKCS1_2048_8192_SHA512,
            // A key of the one family never made a signature of the other.
            (KeyKind::Rsa, SignatureKind::Ecdsa(_)) | (P256 | P384 | P521, SignatureKind::Rsa(_)) => {
                return Some(false);
            }
            _ => return None,
        };
        Some(UnparsedPublicKey::new(algorithm, &key.bits).verify(&self.message, &self.signature).is_ok())
    }
}
