//! What can be wrong with a chain. Codes stay what they are; `docs/authorities.md` has a row for each.

use serde::{Serialize, Serializer};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// The service takes the chain as far as is known, and there is something to know about it.
    Warning,
    /// The service refuses the chain, or nothing would trust what it signs.
    Fault,
}

macro_rules! codes {
    ($($name:ident $code:literal $severity:ident $meaning:literal)*) => {
        /// What is wrong.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Code {
            $(#[doc = $meaning] $name,)*
        }

        impl Code {
            /// Each of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Its stable name.
            #[must_use]
            pub fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// How bad it is.
            #[must_use]
            pub fn severity(self) -> Severity {
                match self { $(Self::$name => Severity::$severity,)* }
            }

            /// What it means, for a person.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$name => $meaning,)* }
            }
        }
    };
}

codes! {
    PrivateKey "private-key" Fault "The file holds a private key. It was not read any further."
    TooLarge "too-large" Fault "The file has more than 256 KiB."
    NotText "not-text" Fault "The file is DER, UTF-16 or other binary data instead of PEM."
    ForeignText "foreign-text" Fault "Something stands before, between or after the PEM blocks."
    BrokenBlock "broken-block" Fault "A PEM block is cut off, glued to the next one, or not base64."
    ForeignBlock "foreign-block" Fault "A PEM block is something else than a certificate."
    NotACertificate "not-a-certificate" Fault "A block `CERTIFICATE` does not hold exactly one certificate."
    NoCertificate "no-certificate" Fault "There is no certificate in the file."
    TooManyCertificates "too-many-certificates" Fault "There are more than 8 certificates."
    Duplicate "duplicate" Fault "A certificate is there twice."
    WrongOrder "wrong-order" Fault "The certificates belong together and are not in the order issuing CA, intermediates, root."
    RootNotLast "root-not-last" Fault "A certificate that has signed itself is not the last one."
    WrongKey "wrong-key" Fault "The first certificate is not for the key of the signing request."
    SubjectMismatch "subject-mismatch" Fault "The first certificate does not have the subject of the signing request."
    Version "version" Fault "A certificate is not X.509 version 3."
    KeyAlgorithm "key-algorithm" Fault "The key of the issuing CA is not EC on one of the named curves P-256, P-384 and P-521."
    SignatureAlgorithm "signature-algorithm" Fault "A certificate was not signed with ECDSA and SHA-256, SHA-384 or SHA-512; above the issuing CA, RSA with these hashes passes too."
    NotIssuedByNext "not-issued-by-next" Fault "A certificate names another issuer than the certificate behind it."
    KeyIdentifierMismatch "key-identifier-mismatch" Fault "A certificate identifies another key of its issuer than the certificate behind it has."
    SignatureInvalid "signature-invalid" Fault "A certificate was not signed by the key of the certificate behind it, or was changed since."
    NotACa "not-a-ca" Fault "A certificate is not one of a CA."
    BasicConstraintsNotCritical "basic-constraints-not-critical" Fault "The basic constraints of the issuing CA are not critical."
    PathLength "path-length" Fault "A path length is less than the CAs below it need, or not what the signing request asks for."
    KeyUsage "key-usage" Fault "The issuing CA lacks digitalSignature, keyCertSign or cRLSign, or a CA above it lacks keyCertSign."
    ExtendedKeyUsage "extended-key-usage" Fault "The extended key usage of the issuing CA does not include clientAuth."
    SubjectKeyIdentifier "subject-key-identifier" Fault "The issuing CA has no subject key identifier."
    BrokenExtension "broken-extension" Fault "An extension cannot be read, or is there twice."
    Expired "expired" Fault "A certificate has expired."
    NotYetValid "not-yet-valid" Fault "A certificate is not valid yet."
    ValidityTooShort "validity-too-short" Fault "The issuing CA is valid for less than 365 days from now."
    RootAbsent "root-absent" Warning "The root is not in the file, so nothing proves who signed the last certificate. The service does not ask for it."
    EndsSoon "ends-soon" Warning "A certificate above the issuing CA is valid for less than 365 days from now."
    OutlivesIssuer "outlives-issuer" Warning "A certificate ends after the one that signed it, and does not hold beyond that."
    PathLengthAbsent "path-length-absent" Warning "The issuing CA has no path length; both of Microsoft's recipes set one."
    IssuerBasicConstraints "issuer-basic-constraints" Warning "The basic constraints of a CA above the issuing CA are not critical."
    IssuerKeyUsage "issuer-key-usage" Warning "A CA above the issuing CA has no key usage."
    IssuerExtendedKeyUsage "issuer-extended-key-usage" Warning "A CA above the issuing CA has an extended key usage without clientAuth, which many readers apply to everything below."
    AuthorityKeyIdentifier "authority-key-identifier" Warning "The issuing CA does not say which key has signed it."
    RequestedExtensionMissing "requested-extension-missing" Warning "The signing request asks for an extension that the issuing CA does not have."
    CriticalExtension "critical-extension" Warning "A certificate has a critical extension that is not checked here, and that a reader may refuse."
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

/// A certificate of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Position {
    /// Which one, from 1.
    pub position: usize,
    /// Its subject, for people; `None` where the block holds no certificate.
    pub subject: Option<String>,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verdict {
    /// What kind of thing.
    pub code: Code,
    /// In which certificate; `None` where it is the file.
    pub certificate: Option<Position>,
    /// What is wrong, and what is expected instead.
    pub message: String,
    /// How to sign it right.
    pub next_step: String,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::{Code, Severity};

    #[test]
    fn every_code_is_one_word_and_only_one_has_it() {
        let codes: BTreeSet<&str> = Code::ALL.iter().map(|code| code.code()).collect();
        assert_eq!(codes.len(), Code::ALL.len());
        assert!(codes.iter().all(|code| code.chars().all(|c| c.is_ascii_lowercase() || c == '-')));
    }

    /// The rows of `docs/authorities.md` are written here: `WRITE_GENERATED_FILES=1` writes them instead of comparing.
    #[test]
    fn the_page_has_a_row_for_each() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/authorities.md");
        let page = std::fs::read_to_string(&path).unwrap();
        let row = |code: &Code| {
            let exit = if code.severity() == Severity::Fault { "fault" } else { "warning" };
            format!("| `{}` | {exit} | {} |\n", code.code(), code.meaning())
        };
        let head = "| code | | what it means |\n|---|---|---|\n";
        let (before, rest) = page.split_once(head).unwrap();
        let after = rest.find("\n\n").map_or("", |end| &rest[end + 1..]);
        let rows: String = Code::ALL.iter().map(row).collect();
        let made = format!("{before}{head}{rows}{after}");
        if std::env::var_os("WRITE_GENERATED_FILES").is_some() {
            std::fs::write(path, made).unwrap();
        } else {
            assert!(made == page, "WRITE_GENERATED_FILES=1 cargo test -p certificate-chain --lib the_page");
        }
    }
}
