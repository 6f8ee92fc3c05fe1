//! Judges the chain that a customer hands back for a signing request, by every published requirement
//! (`ca-lifecycle-facts.md` §1.6).

use time::{Duration, OffsetDateTime};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::ParsedExtension;
use x509_parser::pem::Pem;
use x509_parser::prelude::FromDer;
use x509_parser::x509::X509Version;

use super::{PkiError, signature};

/// The signed certificate must be valid for at least this long.
const LEAST_VALIDITY: Duration = Duration::days(365);

/// Most certificates of a chain. The service's own limit is not published.
const LONGEST_CHAIN: usize = 8;

/// The requirements about which the sources disagree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChainRules {
    /// The signed certificate has the extended key usage `clientAuth`; otherwise it may be without extended key usages.
    pub requires_client_auth: bool,
    /// The path length of the signed certificate; any when absent.
    pub path_length: Option<u32>,
}

/// What the chain has to fit.
pub(super) struct Wanted<'a> {
    /// Subject public key info of the signing request, DER.
    pub key: &'a [u8],
    /// Subject of the signing request.
    pub subject: &'a str,
    pub rules: ChainRules,
}

/// Checks a PEM chain: the signed certificate first, then those above it; the root at its end may be left out.
pub(super) fn check(chain: &str, wanted: &Wanted<'_>, now: OffsetDateTime) -> Result<(), PkiError> {
    let ders = certificates(chain)?;
    let parsed = ders.iter().map(|der| parse(der)).collect::<Result<Vec<_>, _>>()?;
    let signed = &parsed[0];
    check_key_and_subject(signed, wanted)?;
    check_extensions(signed, wanted.rules)?;
    for certificate in &parsed {
        let validity = certificate.validity();
        if validity.not_after.to_datetime() < now {
            return refuse("a certificate has expired");
        }
        if validity.not_before.to_datetime() > now {
            return refuse("a certificate is not valid yet");
        }
    }
    check_links(&parsed)?;
    if signed.validity().not_after.to_datetime() < now + LEAST_VALIDITY {
        return Err(PkiError::ExpiringSoon);
    }
    Ok(())
}

fn check_key_and_subject(signed: &X509Certificate<'_>, wanted: &Wanted<'_>) -> Result<(), PkiError> {
    if signed.version() != X509Version::V3 {
        return refuse("the first certificate is not X.509 version 3");
    }
    if signature::curve(signed.public_key()).is_none() {
        return refuse("the key of the first certificate is not on a named curve P-256, P-384 or P-521");
    }
    if signed.public_key().raw != wanted.key {
        return refuse("the first certificate is not for the key of the signing request");
    }
    if signature::ecdsa_digest(signed).is_none() {
        return refuse("the first certificate is not signed with ECDSA and SHA-256, SHA-384 or SHA-512");
    }
    if normalized(&signed.subject().to_string()) != normalized(wanted.subject) {
        return refuse("the subject of the first certificate is not that of the signing request");
    }
    Ok(())
}

fn check_extensions(signed: &X509Certificate<'_>, rules: ChainRules) -> Result<(), PkiError> {
    let Ok(Some(constraints)) = signed.basic_constraints() else {
        return refuse("the first certificate has no basic constraints");
    };
    if !constraints.critical || !constraints.value.ca {
        return refuse("the basic constraints of the first certificate are not critical with CA true");
    }
    if rules.path_length.is_some_and(|wanted| constraints.value.path_len_constraint != Some(wanted)) {
        return refuse("the path length of the first certificate is another one");
    }
    let usage = signed.key_usage().ok().flatten().map(|usage| usage.value);
    if !usage.is_some_and(|usage| usage.digital_signature() && usage.key_cert_sign() && usage.crl_sign()) {
        return refuse(
            "the key usage of the first certificate lacks digitalSignature, keyCertSign or cRLSign",
        );
    }
    let Ok(extended) = signed.extended_key_usage() else {
        return refuse("the extended key usage of the first certificate cannot be read");
    };
    if !extended.map_or(!rules.requires_client_auth, |usage| usage.value.client_auth) {
        return Err(PkiError::NoClientAuth);
    }
    let names_key = |one: &ParsedExtension<'_>| matches!(one, ParsedExtension::SubjectKeyIdentifier(_));
    if !signed.extensions().iter().any(|extension| names_key(extension.parsed_extension())) {
        return refuse("the first certificate has no subject key identifier");
    }
    Ok(())
}

/// Each certificate is signed by the next, which may sign certificates and allows so long a path. The last one may be a
/// root, which signs itself.
fn check_links(parsed: &[X509Certificate<'_>]) -> Result<(), PkiError> {
    for (index, certificate) in parsed.iter().enumerate() {
        let issuer = match parsed.get(index + 1) {
            Some(next) => next,
            None if certificate.issuer() == certificate.subject() => certificate,
            None => continue,
        };
        if certificate.issuer() != issuer.subject()
            || !signature::is_signed_by(certificate, issuer.public_key())
        {
            return refuse("the certificates are not each signed by the next, up to a root");
        }
    }
    for (below, issuer) in parsed.iter().enumerate().skip(1) {
        let constraints = issuer.basic_constraints().ok().flatten().map(|constraints| constraints.value);
        let Some(constraints) = constraints.filter(|constraints| constraints.ca) else {
            return refuse("a certificate that has signed another is not one of a CA");
        };
        if issuer.key_usage().ok().flatten().is_some_and(|usage| !usage.value.key_cert_sign()) {
            return refuse("a certificate that has signed another may not sign certificates");
        }
        // The path that a length counts is that of the CAs below.
        let most = constraints.path_len_constraint.and_then(|most| usize::try_from(most).ok());
        if most.is_some_and(|most| most < below) {
            return refuse("the path is longer than a certificate above allows");
        }
    }
    Ok(())
}

/// Names are compared without regard to case and to the amount of white space.
fn normalized(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join(" ").replace("= ", "=").to_lowercase()
}

fn refuse<T>(problem: &str) -> Result<T, PkiError> {
    Err(PkiError::Chain(problem.to_owned()))
}

/// The certificates of a PEM chain, DER: one at least, and no other blocks.
pub(super) fn certificates(chain: &str) -> Result<Vec<Vec<u8>>, PkiError> {
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

/// Reads a certificate, DER.
pub(super) fn parse(der: &[u8]) -> Result<X509Certificate<'_>, PkiError> {
    match X509Certificate::from_der(der) {
        Ok(([], certificate)) => Ok(certificate),
        _ => refuse("a PEM block does not hold a certificate"),
    }
}
