//! Real certificates: roots, issuing CAs, device and server certificates, all EC P-384 with SHA-384
//! (`azure-wire-facts.md` §1.2).
//!
//! Key generation cannot be seeded (neither `rcgen` nor the library beneath it takes a random source), so keys,
//! serial numbers and thumbprints differ from run to run even with one seed; names and ids do not.

mod bring_your_own_root;
mod device_request;
mod signature;
mod signed_chain;

pub use bring_your_own_root::PendingAuthority;
pub use device_request::DeviceRequest;
pub use signed_chain::ChainRules;

use data_encoding::HEXUPPER;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, PKCS_ECDSA_P384_SHA384, SerialNumber,
};
use sha1::Digest as _;
use time::{Duration, OffsetDateTime};

/// Why a certificate was not made.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PkiError {
    /// The library refused.
    #[error("a certificate could not be made: {0}")]
    Make(#[from] rcgen::Error),
    /// A certificate signing request that the service does not take.
    #[error("the certificate signing request is not acceptable: {0}")]
    Request(String),
    /// A certificate chain that does not fit the pending signing request of a policy.
    #[error("the certificate chain is not acceptable: {0}")]
    Chain(String),
    /// The signed certificate ends too early.
    #[error("the certificate chain is not acceptable: the first certificate is valid for less than 365 days")]
    ExpiringSoon,
    /// The signed certificate may not sign for clients.
    #[error(
        "the certificate chain is not acceptable: properties.certificateProperties.extendedKeyUsage of the first \
         certificate does not include clientAuth"
    )]
    NoClientAuth,
}

/// A certificate authority: a root, or the issuing CA of a policy.
///
/// Its dates keep their fraction of a second, since policies show milliseconds; the certificate has whole seconds.
#[derive(Debug)]
pub struct Authority {
    certificate: Vec<u8>,
    issuer: Issuer<'static, KeyPair>,
    common_name: String,
    not_before: OffsetDateTime,
    not_after: OffsetDateTime,
    above: Vec<Vec<u8>>,
}

impl Authority {
    /// A self-signed root.
    ///
    /// # Errors
    /// When the library cannot make the key or the certificate.
    pub fn root(
        common_name: &str,
        not_before: OffsetDateTime,
        not_after: OffsetDateTime,
    ) -> Result<Self, PkiError> {
        let key = new_key()?;
        let params = authority_params(common_name, not_before, not_after, BasicConstraints::Constrained(1));
        let certificate = params.self_signed(&key)?.der().to_vec();
        let issuer = Issuer::new(params, key);
        let common_name = common_name.to_owned();
        Ok(Self { certificate, issuer, common_name, not_before, not_after, above: Vec::new() })
    }

    /// An issuing CA below this root.
    ///
    /// # Errors
    /// When the library cannot make the key or the certificate.
    pub fn issuing(
        &self,
        common_name: &str,
        not_before: OffsetDateTime,
        not_after: OffsetDateTime,
    ) -> Result<Self, PkiError> {
        let params = authority_params(common_name, not_before, not_after, BasicConstraints::Constrained(0));
        let key = new_key()?;
        let certificate = params.signed_by(&key, &self.issuer)?.der().to_vec();
        let issuer = Issuer::new(params, key);
        let common_name = common_name.to_owned();
        Ok(Self { certificate, issuer, common_name, not_before, not_after, above: self.chain() })
    }

    /// The certificate, DER.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.certificate
    }

    /// The subject as policies and hubs show it: `CN=...`.
    #[must_use]
    pub fn subject(&self) -> String {
        format!("CN={}", self.common_name)
    }

    /// From when it is valid.
    #[must_use]
    pub fn not_before(&self) -> OffsetDateTime {
        self.not_before
    }

    /// Until when it is valid.
    #[must_use]
    pub fn not_after(&self) -> OffsetDateTime {
        self.not_after
    }

    /// This certificate and those above it, the root last; DER.
    #[must_use]
    pub fn chain(&self) -> Vec<Vec<u8>> {
        std::iter::once(self.certificate.clone()).chain(self.above.iter().cloned()).collect()
    }

    /// The certificate, PEM.
    #[must_use]
    pub fn pem(&self) -> String {
        pem("CERTIFICATE", &self.certificate)
    }

    /// A device certificate for `request`, with the chain up to the root behind it; DER. It never outlives its issuer.
    ///
    /// # Errors
    /// When the library cannot make it.
    pub fn issue_device_certificate(
        &self,
        request: &DeviceRequest,
        now: OffsetDateTime,
        validity_days: u32,
    ) -> Result<Vec<Vec<u8>>, PkiError> {
        let mut params = leaf_params(request.registration_id(), ExtendedKeyUsagePurpose::ClientAuth);
        // Devices' clocks are never quite right.
        params.not_before = now - Duration::minutes(5);
        params.not_after = (now + Duration::days(i64::from(validity_days))).min(self.not_after);
        let leaf = params.signed_by(request.public_key(), &self.issuer)?.der().to_vec();
        Ok(std::iter::once(leaf).chain(self.chain()).collect())
    }

    /// A TLS server certificate for a host name, and its private key (PKCS #8 DER).
    ///
    /// # Errors
    /// When the host name is not one, or the library cannot make it.
    pub fn issue_server_certificate(&self, host_name: &str) -> Result<(Vec<u8>, Vec<u8>), PkiError> {
        let key = new_key()?;
        let mut params = leaf_params(host_name, ExtendedKeyUsagePurpose::ServerAuth);
        params.subject_alt_names = CertificateParams::new(vec![host_name.to_owned()])?.subject_alt_names;
        params.not_before = self.not_before;
        params.not_after = self.not_after;
        let certificate = params.signed_by(&key, &self.issuer)?.der().to_vec();
        Ok((certificate, key.serialize_der()))
    }
}

/// SHA-1 of a certificate in upper-case hex, as hubs show it.
#[must_use]
pub fn sha1_thumbprint(der: &[u8]) -> String {
    HEXUPPER.encode(&sha1::Sha1::digest(der))
}

/// SHA-256 of a certificate in upper-case hex.
#[must_use]
pub fn sha256_thumbprint(der: &[u8]) -> String {
    HEXUPPER.encode(&sha2::Sha256::digest(der))
}

fn pem(label: &str, der: &[u8]) -> String {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let lines: Vec<&str> =
        (0..text.len()).step_by(64).map(|start| &text[start..text.len().min(start + 64)]).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

fn new_key() -> Result<KeyPair, PkiError> {
    Ok(KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384)?)
}

fn common_name(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    distinguished
}

/// 127 random bits: positive, and never shorter than 16 bytes.
fn serial_number() -> SerialNumber {
    let mut bytes = uuid::Uuid::new_v4().into_bytes();
    bytes[0] = (bytes[0] & 0x7f) | 0x40;
    SerialNumber::from_slice(&bytes)
}

fn authority_params(
    name: &str,
    not_before: OffsetDateTime,
    not_after: OffsetDateTime,
    constraints: BasicConstraints,
) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = common_name(name);
    params.serial_number = Some(serial_number());
    params.not_before = not_before;
    params.not_after = not_after;
    params.is_ca = IsCa::Ca(constraints);
    params.key_usages =
        vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.use_authority_key_identifier_extension = true;
    params
}

fn leaf_params(name: &str, usage: ExtendedKeyUsagePurpose) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = common_name(name);
    params.serial_number = Some(serial_number());
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![usage];
    params.use_authority_key_identifier_extension = true;
    params
}

#[cfg(test)]
mod signed_chain_tests;
#[cfg(test)]
mod tests;
