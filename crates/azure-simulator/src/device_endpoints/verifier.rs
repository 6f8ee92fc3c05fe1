//! Decides on a device's certificate chain.

use std::sync::Arc;
use std::time::Duration;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::time_provider::TimeProvider;
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, RootCertStore, SignatureScheme,
};

use crate::clock::Clock;

/// The time by which certificates are judged.
#[derive(Debug)]
pub(super) struct SimulatedTime(pub Clock);

impl TimeProvider for SimulatedTime {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = u64::try_from(self.0.now().unix_timestamp()).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }
}

/// A verifier with exactly these CA certificates (DER) as trust anchors.
pub(super) fn for_hub(
    trusted: Vec<Vec<u8>>,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, Error> {
    let mut anchors = RootCertStore::empty();
    for certificate in trusted {
        anchors.add(certificate.into())?;
    }
    if anchors.is_empty() {
        return Ok(Arc::new(AdmitsNone(Arc::clone(provider))));
    }
    WebPkiClientVerifier::builder_with_provider(Arc::new(anchors), Arc::clone(provider))
        .build()
        .map_err(|error| Error::General(error.to_string()))
}

/// The verifier of a hub without certificates, which admits no device. The library's own wants at least one anchor.
#[derive(Debug)]
struct AdmitsNone(Arc<CryptoProvider>);

impl ClientCertVerifier for AdmitsNone {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Err(Error::InvalidCertificate(CertificateError::UnknownIssuer))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
