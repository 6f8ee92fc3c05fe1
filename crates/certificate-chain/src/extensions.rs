//! The extensions of a certificate, and those that a request asks for.

use std::collections::BTreeMap;

use x509_parser::extensions::{ExtendedKeyUsage, ParsedExtension, X509Extension};

/// OID of the basic constraints.
pub const BASIC_CONSTRAINTS: &str = "2.5.29.19";
/// OID of the key usage.
pub const KEY_USAGE: &str = "2.5.29.15";
/// OID of the extended key usage.
pub const EXTENDED_KEY_USAGE: &str = "2.5.29.37";
/// OID of the subject key identifier.
pub const SUBJECT_KEY_IDENTIFIER: &str = "2.5.29.14";
/// OID of the authority key identifier.
pub const AUTHORITY_KEY_IDENTIFIER: &str = "2.5.29.35";

/// The bits of a key usage by OpenSSL's names, the lowest first.
pub const KEY_USAGES: [&str; 9] = [
    "digitalSignature",
    "nonRepudiation",
    "keyEncipherment",
    "dataEncipherment",
    "keyAgreement",
    "keyCertSign",
    "cRLSign",
    "encipherOnly",
    "decipherOnly",
];

/// Client authentication by OpenSSL's name.
pub const CLIENT_AUTH: &str = "clientAuth";
/// Any usage by OpenSSL's name.
pub const ANY_USAGE: &str = "anyExtendedKeyUsage";

/// What is read of a set of extensions.
#[derive(Debug, Clone, Default)]
pub struct Extensions {
    /// Whether it is one of a CA.
    pub basic_constraints: Option<BasicConstraints>,
    /// What the key may be used for, by OpenSSL's names.
    pub key_usage: Option<Vec<&'static str>>,
    /// What it may be used for beyond that: OpenSSL's names, and OIDs of what has none.
    pub extended_key_usage: Option<Vec<String>>,
    /// Identifies the subject's key.
    pub subject_key_identifier: Option<Vec<u8>>,
    /// Identifies the issuer's key.
    pub authority_key_identifier: Option<AuthorityKeyIdentifier>,
    /// Every extension by its OID.
    pub all: BTreeMap<String, Raw>,
    /// OIDs of those that could not be read, or are there twice.
    pub broken: Vec<String>,
    /// OIDs of those that are critical and that this program does not know.
    pub unknown_critical: Vec<String>,
}

/// An extension as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raw {
    /// Whether a reader that does not know it must refuse the certificate.
    pub is_critical: bool,
    /// Its value, DER.
    pub value: Vec<u8>,
}

/// Basic constraints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BasicConstraints {
    /// Whether the extension is critical.
    pub is_critical: bool,
    /// Whether it is one of a CA.
    pub is_ca: bool,
    /// How many certificates of CAs may stand below it.
    pub path_length: Option<u32>,
}

/// Authority key identifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorityKeyIdentifier {
    /// The subject key identifier of the issuer.
    pub key: Option<Vec<u8>>,
    /// The serial number of the issuer's certificate.
    pub serial: Option<Vec<u8>>,
}

impl Extensions {
    pub fn of<'a>(extensions: impl Iterator<Item = &'a X509Extension<'a>>) -> Self {
        let mut read = Self::default();
        for extension in extensions {
            let oid = extension.oid.to_id_string();
            let raw = Raw { is_critical: extension.critical, value: extension.value.to_vec() };
            if read.all.insert(oid.clone(), raw).is_some() {
                read.broken.push(oid);
                continue;
            }
            read.take(oid, extension);
        }
        read
    }

    fn take(&mut self, oid: String, extension: &X509Extension<'_>) {
        let is_critical = extension.critical;
        match extension.parsed_extension() {
            ParsedExtension::BasicConstraints(found) => {
                let path_length = found.path_len_constraint;
                self.basic_constraints = Some(BasicConstraints { is_critical, is_ca: found.ca, path_length });
            }
            ParsedExtension::KeyUsage(found) => {
                let names = KEY_USAGES.iter().enumerate().filter(|(bit, _)| found.flags & (1 << bit) != 0);
                self.key_usage = Some(names.map(|(_, name)| *name).collect());
            }
            ParsedExtension::ExtendedKeyUsage(found) => self.extended_key_usage = Some(usages(found)),
            ParsedExtension::SubjectKeyIdentifier(found) => {
                self.subject_key_identifier = Some(found.0.to_vec());
            }
            ParsedExtension::AuthorityKeyIdentifier(found) => {
                self.authority_key_identifier = Some(AuthorityKeyIdentifier {
                    key: found.key_identifier.as_ref().map(|key| key.0.to_vec()),
                    serial: found.authority_cert_serial.map(<[u8]>::to_vec),
                });
            }
            ParsedExtension::ParseError { .. } => self.broken.push(oid),
            ParsedExtension::UnsupportedExtension { .. } if is_critical => self.unknown_critical.push(oid),
            // The library reads it and nothing here checks what it says: who signs under it may be limited by it.
            ParsedExtension::NameConstraints(_) | ParsedExtension::PolicyConstraints(_) if is_critical => {
                self.unknown_critical.push(oid);
            }
            _ => {}
        }
    }
}

fn usages(found: &ExtendedKeyUsage<'_>) -> Vec<String> {
    let named = [
        (found.any, ANY_USAGE),
        (found.server_auth, "serverAuth"),
        (found.client_auth, CLIENT_AUTH),
        (found.code_signing, "codeSigning"),
        (found.email_protection, "emailProtection"),
        (found.time_stamping, "timeStamping"),
        (found.ocsp_signing, "OCSPSigning"),
    ];
    let names = named.into_iter().filter(|(is_set, _)| *is_set).map(|(_, name)| name.to_owned());
    names.chain(found.other.iter().map(|oid| oid.to_id_string())).collect()
}
