//! An issuing CA under a root of the customer's own: the service makes the key and a signing request, and the customer
//! signs that and hands back the chain (`azure-wire-facts.md` §1.1, §1.2).

use rcgen::{CertificateParams, Issuer, KeyPair, PublicKeyData};
use time::{Duration, OffsetDateTime};
use x509_parser::certificate::X509Certificate;
use x509_parser::pem::Pem;
use x509_parser::prelude::FromDer;

use super::{Authority, PkiError, common_name, new_key, pem};

/// The signed certificate must be valid for at least this long (`azure-wire-facts.md` §1.2).
const LEAST_VALIDITY: Duration = Duration::days(365);

/// Most certificates of a chain.
const LONGEST_CHAIN: usize = 8;

/// A key that waits for its certificate.
#[derive(Debug)]
pub struct PendingAuthority {
    key: KeyPair,
    request: String,
}

impl PendingAuthority {
    /// A new key and its signing request.
    ///
    /// # Errors
    /// When the library cannot make them.
    pub fn new(name: &str) -> Result<Self, PkiError> {
        let key = new_key()?;
        let mut params = CertificateParams::default();
        params.distinguished_name = common_name(name);
        let request = pem("CERTIFICATE REQUEST", params.serialize_request(&key)?.der());
        Ok(Self { key, request })
    }

    /// The signing request, PEM.
    #[must_use]
    pub fn request(&self) -> &str {
        &self.request
    }

    /// Whether `chain` (PEM, the signed certificate first, the root last) belongs to this key and holds together.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self, chain: &str, now: OffsetDateTime) -> Result<(), PkiError> {
        let ders = certificates(chain)?;
        let parsed = ders.iter().map(|der| parse(der)).collect::<Result<Vec<_>, _>>()?;
        let signed = &parsed[0];
        if signed.public_key().raw != self.key.subject_public_key_info() {
            return refuse("the first certificate is not for the key of the signing request");
        }
        if !signed.is_ca() {
            return refuse("the first certificate is not one of a CA");
        }
        if signed.validity().not_after.to_datetime() < now + LEAST_VALIDITY {
            return refuse("the first certificate is valid for less than 365 days");
        }
        for (index, certificate) in parsed.iter().enumerate() {
            let issuer = parsed.get(index + 1).unwrap_or(certificate);
            if certificate.issuer() != issuer.subject()
                || certificate.verify_signature(Some(issuer.public_key())).is_err()
            {
                return refuse("the certificates are not each signed by the next, up to a root");
            }
        }
        Ok(())
    }

    /// Becomes the issuing CA that `chain` describes.
    ///
    /// # Errors
    /// As [`PendingAuthority::check`].
    pub fn activate(self, chain: &str, now: OffsetDateTime) -> Result<Authority, PkiError> {
        self.check(chain, now)?;
        let mut ders = certificates(chain)?;
        let above = ders.split_off(1);
        let certificate = ders.remove(0);
        let parsed = parse(&certificate)?;
        let (not_before, not_after) =
            (parsed.validity().not_before.to_datetime(), parsed.validity().not_after.to_datetime());
        let name = parsed.subject().iter_common_name().next().and_then(|name| name.as_str().ok());
        let common_name = name.unwrap_or_default().to_owned();
        let issuer = Issuer::from_ca_cert_der(&certificate.as_slice().into(), self.key)?;
        Ok(Authority { certificate, issuer, common_name, not_before, not_after, above })
    }
}

fn refuse<T>(problem: &str) -> Result<T, PkiError> {
    Err(PkiError::Chain(problem.to_owned()))
}

fn certificates(chain: &str) -> Result<Vec<Vec<u8>>, PkiError> {
    let blocks =
        Pem::iter_from_buffer(chain.as_bytes()).take(LONGEST_CHAIN + 1).collect::<Result<Vec<_>, _>>();
    match blocks {
        Ok(blocks) if blocks.is_empty() || blocks.iter().any(|block| block.label != "CERTIFICATE") => {
            refuse("it is not a list of PEM certificates")
        }
        Ok(blocks) if blocks.len() > LONGEST_CHAIN => refuse("it has too many certificates"),
        Ok(blocks) => Ok(blocks.into_iter().map(|block| block.contents).collect()),
        Err(_) => refuse("it is not PEM"),
    }
}

fn parse(der: &[u8]) -> Result<X509Certificate<'_>, PkiError> {
    match X509Certificate::from_der(der) {
        Ok(([], certificate)) => Ok(certificate),
        _ => refuse("a PEM block does not hold a certificate"),
    }
}
