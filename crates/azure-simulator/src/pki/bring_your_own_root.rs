//! An issuing CA under a root of the customer's own: the service makes the key and a signing request, and the customer
//! signs that and hands back the chain (`azure-wire-facts.md` §1.1, `ca-lifecycle-facts.md` §1.6).

use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PublicKeyData,
};
use time::OffsetDateTime;

use super::signed_chain::{self, ChainRules, Wanted};
use super::{Authority, PkiError, common_name, new_key, pem};

/// The path length that a request asks for. The request of the service is not published; that of Microsoft's own tests
/// asks for this one, so it is inferred (`ca-lifecycle-facts.md` §1.6).
const ASKED_PATH_LENGTH: u8 = 1;

/// A key that waits for its certificate.
#[derive(Debug)]
pub struct PendingAuthority {
    key: KeyPair,
    common_name: String,
    request: String,
}

impl PendingAuthority {
    /// A new key and its signing request, which asks for the extensions that the signed certificate must have.
    ///
    /// # Errors
    /// When the library cannot make them.
    pub fn new(name: &str) -> Result<Self, PkiError> {
        let key = new_key()?;
        let mut params = CertificateParams::default();
        params.distinguished_name = common_name(name);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(ASKED_PATH_LENGTH));
        params.key_usages =
            vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let request = pem("CERTIFICATE REQUEST", params.serialize_request(&key)?.der());
        Ok(Self { key, common_name: name.to_owned(), request })
    }

    /// The signing request, PEM.
    #[must_use]
    pub fn request(&self) -> &str {
        &self.request
    }

    /// The subject of the request: `CN=...`.
    #[must_use]
    pub fn subject(&self) -> String {
        format!("CN={}", self.common_name)
    }

    /// Whether `chain` (PEM, the signed certificate first, the root last or left out) belongs to this key and is as the
    /// service wants it.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self, chain: &str, rules: ChainRules, now: OffsetDateTime) -> Result<(), PkiError> {
        let (key, subject) = (self.key.subject_public_key_info(), self.subject());
        signed_chain::check(chain, &Wanted { key: &key, subject: &subject, rules }, now)
    }

    /// Becomes the issuing CA that `chain` describes.
    ///
    /// # Errors
    /// As [`PendingAuthority::check`].
    pub fn activate(
        self,
        chain: &str,
        rules: ChainRules,
        now: OffsetDateTime,
    ) -> Result<Authority, PkiError> {
        self.check(chain, rules, now)?;
        let mut ders = signed_chain::certificates(chain)?;
        let above = ders.split_off(1);
        let certificate = ders.remove(0);
        let parsed = signed_chain::parse(&certificate)?;
        let (not_before, not_after) =
            (parsed.validity().not_before.to_datetime(), parsed.validity().not_after.to_datetime());
        let name = parsed.subject().iter_common_name().next().and_then(|name| name.as_str().ok());
        let common_name = name.unwrap_or_default().to_owned();
        let issuer = Issuer::from_ca_cert_der(&certificate.as_slice().into(), self.key)?;
        Ok(Authority { certificate, issuer, common_name, not_before, not_after, above })
    }
}
