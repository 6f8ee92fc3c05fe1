//! Reads the request with which a device asks for a certificate, PKCS #10 (`azure-wire-facts.md` §4).

use rcgen::{CertificateSigningRequestParams, PublicKey};
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::oid_registry::{OID_KEY_TYPE_EC_PUBLIC_KEY, OID_NIST_EC_P384};
use x509_parser::prelude::FromDer;

use super::PkiError;

/// A request whose signature, key and subject have been checked.
#[derive(Debug)]
pub struct DeviceRequest {
    registration_id: String,
    key: PublicKey,
}

impl DeviceRequest {
    /// Reads a DER request for `registration_id`.
    ///
    /// # Errors
    /// When it is not a request, its signature is wrong, its key is not EC P-384, or its common name is not the
    /// registration id.
    pub fn parse(der: &[u8], registration_id: &str) -> Result<Self, PkiError> {
        let refuse = |problem: &str| Err(PkiError::Request(problem.to_owned()));
        let Ok((rest, request)) = X509CertificationRequest::from_der(der) else {
            return refuse("it is not a PKCS #10 request in DER");
        };
        if !rest.is_empty() {
            return refuse("bytes follow after it");
        }
        let information = &request.certification_request_info;
        // The signature algorithm alone would not tell: a P-256 key can sign with SHA-384 as well.
        let algorithm = &information.subject_pki.algorithm;
        let curve = algorithm.parameters.as_ref().and_then(|parameters| parameters.as_oid().ok());
        if algorithm.algorithm != OID_KEY_TYPE_EC_PUBLIC_KEY || curve != Some(OID_NIST_EC_P384) {
            return refuse("its key is not EC P-384");
        }
        let mut names = information.subject.iter_common_name();
        let name = names.next().and_then(|name| name.as_str().ok());
        if name != Some(registration_id) || names.next().is_some() {
            return refuse("its common name is not the registration id");
        }
        let parsed = CertificateSigningRequestParams::from_der(&der.into())
            .map_err(|error| PkiError::Request(error.to_string()))?;
        Ok(Self { registration_id: registration_id.to_owned(), key: parsed.public_key })
    }

    /// The registration id: the common name of the certificate to be.
    #[must_use]
    pub fn registration_id(&self) -> &str {
        &self.registration_id
    }

    pub(super) fn public_key(&self) -> &PublicKey {
        &self.key
    }
}
