//! A simulated device: registers with DPS, gets a certificate, and connects to its hub with it.
//!
//! It speaks to the simulated cloud only over its wires (`azure-wire-facts.md` §4), so it experiences the same as a
//! device in the field.

mod connection;
mod registration;

pub use connection::Refusal;
pub use registration::{DeviceError, Registration};

use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, PKCS_ECDSA_P384_SHA384};

/// A device with a key of its own, EC P-384.
pub struct Device {
    registration_id: String,
    key: KeyPair,
}

impl std::fmt::Debug for Device {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Device").field("registration_id", &self.registration_id).finish_non_exhaustive()
    }
}

impl Device {
    /// A device with a new key.
    ///
    /// # Errors
    /// When the key cannot be made.
    pub fn new(registration_id: impl Into<String>) -> Result<Self, DeviceError> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).map_err(DeviceError::Certificate)?;
        Ok(Self { registration_id: registration_id.into(), key })
    }

    /// Its registration id, which is also its device id.
    #[must_use]
    pub fn registration_id(&self) -> &str {
        &self.registration_id
    }

    /// A certificate signing request for its key, PKCS #10 DER. The common name is the registration id.
    pub(crate) fn signing_request(&self) -> Result<Vec<u8>, DeviceError> {
        let mut params = CertificateParams::default();
        let mut name = DistinguishedName::new();
        name.push(DnType::CommonName, &*self.registration_id);
        params.distinguished_name = name;
        let request = params.serialize_request(&self.key).map_err(DeviceError::Certificate)?;
        Ok(request.der().to_vec())
    }
}

#[cfg(test)]
mod tests;
