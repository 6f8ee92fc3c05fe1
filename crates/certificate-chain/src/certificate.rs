//! A certificate, as far as a judgement needs it.

use time::OffsetDateTime;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;
use x509_parser::x509::X509Version;

use crate::algorithm::{Key, SignatureKind, Signed};
use crate::der;
use crate::extensions::Extensions;
use crate::name::Name;

/// A certificate that was read.
#[derive(Debug, Clone)]
pub struct Certificate {
    /// The whole of it.
    pub der: Vec<u8>,
    pub subject: Name,
    pub issuer: Name,
    /// As it is encoded, so that two can be compared.
    pub serial: Vec<u8>,
    pub is_v3: bool,
    pub key: Key,
    pub signed: Signed,
    /// Whether the algorithm that was signed is the one that signed: RFC 5280 §4.1.1.2.
    pub names_its_algorithm: bool,
    pub not_before: OffsetDateTime,
    pub not_after: OffsetDateTime,
    pub extensions: Extensions,
}

impl Certificate {
    /// Reads DER; `None` for anything but one certificate.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let Ok(([], read)) = X509Certificate::from_der(bytes) else { return None };
        let inner = &read.tbs_certificate;
        if der::signed(inner.as_ref(), &read.signature_algorithm, &read.signature_value) != bytes {
            return None;
        }
        Some(Self {
            der: bytes.to_vec(),
            subject: Name::of(&inner.subject),
            issuer: Name::of(&inner.issuer),
            serial: inner.raw_serial().to_vec(),
            is_v3: inner.version == X509Version::V3,
            key: Key::of(&inner.subject_pki),
            signed: Signed {
                kind: SignatureKind::of(&read.signature_algorithm),
                message: inner.as_ref().to_vec(),
                signature: read.signature_value.data.to_vec(),
            },
            names_its_algorithm: inner.signature == read.signature_algorithm,
            not_before: inner.validity.not_before.to_datetime(),
            not_after: inner.validity.not_after.to_datetime(),
            extensions: Extensions::of(inner.extensions().iter()),
        })
    }

    /// Whether it says that it has signed itself.
    pub fn is_self_issued(&self) -> bool {
        self.subject == self.issuer
    }

    /// Whether it may be the one that signed `other`: by its name, and by identifiers of keys where both have them.
    pub fn may_have_issued(&self, other: &Self) -> bool {
        self.subject == other.issuer && other.agrees_with_identifiers_of(self)
    }

    /// Whether what it says of its issuer's key and certificate is not contradicted by `issuer`.
    pub fn agrees_with_identifiers_of(&self, issuer: &Self) -> bool {
        let Some(authority) = &self.extensions.authority_key_identifier else { return true };
        let key = match (&authority.key, &issuer.extensions.subject_key_identifier) {
            (Some(authority), Some(own)) => authority == own,
            _ => true,
        };
        key && authority.serial.as_ref().is_none_or(|serial| *serial == issuer.serial)
    }
}
