//! A signing request (PKCS#10, RFC 2986) of an issuing CA whose key the service holds.

use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::cri_attributes::ParsedCriAttribute;
use x509_parser::prelude::FromDer;

use crate::algorithm::{Key, SignatureKind, Signed};
use crate::der;
use crate::extensions::Extensions;
use crate::name::Name;
use crate::pem::{self, PemFault};

/// A request that was read, and whose own signature is right.
#[derive(Debug, Clone)]
pub struct SigningRequest {
    pub(crate) subject: Name,
    pub(crate) key: Key,
    pub(crate) extensions: Extensions,
}

/// Why a file is no signing request. No text in it comes from the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// It is no PEM file.
    #[error(transparent)]
    Pem(#[from] PemFault),
    /// It has other blocks, or more of them.
    #[error("the file is not one PEM block `CERTIFICATE REQUEST` and nothing else")]
    NotOneRequest,
    /// The block holds something else.
    #[error("the PEM block does not hold a signing request")]
    Malformed,
    /// Its key or its signature is of a kind that the service does not make.
    #[error("the key of the request is {0}, or its signature is of a kind that cannot be verified here")]
    Unverifiable(String),
    /// The request was changed after it was signed.
    #[error("the signature of the request is not by its own key: the request was changed on its way")]
    Signature,
}

impl SigningRequest {
    /// Reads a PEM file.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(bytes: &[u8]) -> Result<Self, RequestError> {
        let blocks = pem::blocks(bytes)?;
        let [block] = blocks.as_slice() else { return Err(RequestError::NotOneRequest) };
        if !matches!(block.label, Some(pem::REQUEST | "NEW CERTIFICATE REQUEST")) {
            return Err(RequestError::NotOneRequest);
        }
        let Ok(([], read)) = X509CertificationRequest::from_der(&block.der) else {
            return Err(RequestError::Malformed);
        };
        let inner = &read.certification_request_info;
        if der::signed(inner.raw, &read.signature_algorithm, &read.signature_value) != block.der {
            return Err(RequestError::Malformed);
        }
        let key = Key::of(&inner.subject_pki);
        let signed = Signed {
            kind: SignatureKind::of(&read.signature_algorithm),
            message: inner.raw.to_vec(),
            signature: read.signature_value.data.to_vec(),
        };
        match signed.is_by(&key) {
            Some(true) => {}
            Some(false) => return Err(RequestError::Signature),
            None => return Err(RequestError::Unverifiable(key.kind.to_string())),
        }
        let asked = inner.iter_attributes().find_map(|attribute| match attribute.parsed_attribute() {
            ParsedCriAttribute::ExtensionRequest(asked) => Some(Extensions::of(asked.extensions.iter())),
            _ => None,
        });
        Ok(Self { subject: Name::of(&inner.subject), key, extensions: asked.unwrap_or_default() })
    }

    /// Its subject, for people.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject.text
    }

    /// The kind of its key, for people, e.g. `EC P-384`.
    #[must_use]
    pub fn key_kind(&self) -> String {
        self.key.kind.to_string()
    }

    /// SHA-256 of its public key with the algorithm, in hexadecimal, as
    /// `openssl req -noout -pubkey | openssl pkey -pubin -outform DER | sha256sum` prints it.
    #[must_use]
    pub fn key_fingerprint(&self) -> String {
        self.key.fingerprint()
    }

    /// The path length that it asks for.
    #[must_use]
    pub fn path_length(&self) -> Option<u32> {
        self.extensions.basic_constraints.and_then(|constraints| constraints.path_length)
    }
}
