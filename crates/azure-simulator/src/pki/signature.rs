//! Verifies the signature of a certificate. `x509-parser` knows neither P-521 nor SHA-512, which a customer's root may
//! have (`ca-lifecycle-facts.md` §1.6), so ECDSA goes to the library beneath it.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA384_ASN1, ECDSA_P256_SHA512_ASN1, ECDSA_P384_SHA256_ASN1,
    ECDSA_P384_SHA384_ASN1, ECDSA_P384_SHA512_ASN1, ECDSA_P521_SHA256_ASN1, ECDSA_P521_SHA384_ASN1,
    ECDSA_P521_SHA512_ASN1, EcdsaVerificationAlgorithm, UnparsedPublicKey,
};
use x509_parser::certificate::X509Certificate;
use x509_parser::oid_registry::{
    OID_EC_P256, OID_KEY_TYPE_EC_PUBLIC_KEY, OID_NIST_EC_P384, OID_NIST_EC_P521, OID_SIG_ECDSA_WITH_SHA256,
    OID_SIG_ECDSA_WITH_SHA384, OID_SIG_ECDSA_WITH_SHA512,
};
use x509_parser::x509::SubjectPublicKeyInfo;

/// The curve of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Curve {
    P256,
    P384,
    P521,
}

/// The digest of an ECDSA signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Digest {
    Sha256,
    Sha384,
    Sha512,
}

/// The named curve of a key; none for another kind of key, or one with explicit parameters.
pub(super) fn curve(key: &SubjectPublicKeyInfo<'_>) -> Option<Curve> {
    let oid = key.algorithm.parameters.as_ref()?.as_oid().ok()?;
    if key.algorithm.algorithm != OID_KEY_TYPE_EC_PUBLIC_KEY {
        return None;
    }
    let curves =
        [(OID_EC_P256, Curve::P256), (OID_NIST_EC_P384, Curve::P384), (OID_NIST_EC_P521, Curve::P521)];
    curves.into_iter().find(|(known, _)| *known == oid).map(|(_, curve)| curve)
}

/// The digest of a certificate that is signed with ECDSA and SHA-2.
pub(super) fn ecdsa_digest(certificate: &X509Certificate<'_>) -> Option<Digest> {
    let digests = [
        (OID_SIG_ECDSA_WITH_SHA256, Digest::Sha256),
        (OID_SIG_ECDSA_WITH_SHA384, Digest::Sha384),
        (OID_SIG_ECDSA_WITH_SHA512, Digest::Sha512),
    ];
    let oid = &certificate.signature_algorithm.algorithm;
    digests.into_iter().find(|(known, _)| known == oid).map(|(_, digest)| digest)
}

/// Whether the holder of `key` has signed `certificate`.
pub(super) fn is_signed_by(certificate: &X509Certificate<'_>, key: &SubjectPublicKeyInfo<'_>) -> bool {
    let (Some(curve), Some(digest)) = (curve(key), ecdsa_digest(certificate)) else {
        return certificate.verify_signature(Some(key)).is_ok();
    };
    let signed = certificate.tbs_certificate.as_ref();
    UnparsedPublicKey::new(algorithm(curve, digest), &key.subject_public_key.data)
        .verify(signed, &certificate.signature_value.data)
        .is_ok()
}

fn algorithm(curve: Curve, digest: Digest) -> &'static EcdsaVerificationAlgorithm {
    match (curve, digest) {
        (Curve::P256, Digest::Sha256) => &ECDSA_P256_SHA256_ASN1,
        (Curve::P256, Digest::Sha384) => &ECDSA_P256_SHA384_ASN1,
        (Curve::P256, Digest::Sha512) => &ECDSA_P256_SHA512_ASN1,
        (Curve::P384, Digest::Sha256) => &ECDSA_P384_SHA256_ASN1,
        (Curve::P384, Digest::Sha384) => &ECDSA_P384_SHA384_ASN1,
        (Curve::P384, Digest::Sha512) => &ECDSA_P384_SHA512_ASN1,
        (Curve::P521, Digest::Sha256) => &ECDSA_P521_SHA256_ASN1,
        (Curve::P521, Digest::Sha384) => &ECDSA_P521_SHA384_ASN1,
        (Curve::P521, Digest::Sha512) => &ECDSA_P521_SHA512_ASN1,
    }
}
