//! The certificates of the CAs above the issuing one. The published table is about the issuing CA; of these, what would
//! break the chain for every reader (RFC 5280) is a fault, and what only differs from the recipes is a warning.

use super::{Found, Judgement};
use crate::code::Code;
use crate::extensions::{ANY_USAGE, CLIENT_AUTH};

/// Judges a CA with `below` certificates of CAs below it.
pub fn judge(found: &Found, below: usize, judgement: &mut Judgement) {
    if !is_readable(found, judgement) {
        return;
    }
    let extensions = &found.certificate.extensions;
    match extensions.basic_constraints.filter(|constraints| constraints.is_ca) {
        None => {
            let message = "it is a certificate of a device or server, and has signed the one before it; basic \
                           constraints with CA:TRUE are expected";
            let next_step = "Sign with a CA, or make this CA's certificate again with `basicConstraints = critical, \
                             CA:TRUE`.";
            judgement.of(found, Code::NotACa, message, next_step);
        }
        Some(constraints) => {
            if !constraints.is_critical {
                let message = "its basic constraints are not critical, as RFC 5280 has them";
                let next_step = "Make them critical when this CA's certificate is next made.";
                judgement.of(found, Code::IssuerBasicConstraints, message, next_step);
            }
            let allowed = constraints.path_length.and_then(|length| usize::try_from(length).ok());
            if allowed.is_some_and(|allowed| allowed < below) {
                let message = format!(
                    "its path length is {}; {below} at least is expected, since so many CAs stand below it",
                    allowed.unwrap_or_default()
                );
                let next_step = format!(
                    "Make this CA's certificate again with `basicConstraints = critical, CA:TRUE, pathlen:{below}`, \
                     or sign with a CA that may have CAs below it."
                );
                judgement.of(found, Code::PathLength, message, next_step);
            }
        }
    }
    match &extensions.key_usage {
        None => {
            let message = "it has no key usage; keyCertSign and cRLSign are what Microsoft's recipes set";
            let next_step =
                "Set `keyUsage = critical, keyCertSign, cRLSign` when this CA's certificate is next made.";
            judgement.of(found, Code::IssuerKeyUsage, message, next_step);
        }
        Some(usages) if !usages.contains(&"keyCertSign") => {
            let message = "its key may not sign certificates; keyCertSign is expected";
            let next_step =
                "Make this CA's certificate again with `keyUsage = critical, keyCertSign, cRLSign`.";
            judgement.of(found, Code::KeyUsage, message, next_step);
        }
        Some(_) => {}
    }
    if let Some(usages) = &extensions.extended_key_usage
        && !usages.iter().any(|usage| [CLIENT_AUTH, ANY_USAGE].contains(&usage.as_str()))
    {
        let message = format!("its extended key usage is {}, without clientAuth", usages.join(", "));
        let next_step = "Leave the extended key usage out of a CA above the issuing one, or add clientAuth.";
        judgement.of(found, Code::IssuerExtendedKeyUsage, message, next_step);
    }
}

/// Whether the extensions of a certificate can be judged; says so where they cannot.
pub fn is_readable(found: &Found, judgement: &mut Judgement) -> bool {
    let certificate = &found.certificate;
    for oid in &certificate.extensions.unknown_critical {
        let message = format!("its extension {oid} is critical, and is not checked here");
        let next_step = "Leave it out unless you know that hubs and devices can read it.";
        judgement.of(found, Code::CriticalExtension, message, next_step);
    }
    for oid in &certificate.extensions.broken {
        let message = format!("its extension {oid} cannot be read, or is there twice");
        judgement.of(found, Code::BrokenExtension, message, "Sign it again, with each extension once.");
    }
    if !certificate.is_v3 {
        let message = "it is X.509 version 1 or 2, which knows no extensions; version 3 is expected";
        let next_step = "Sign it again with extensions: `-extfile` and `-extensions` make it version 3.";
        judgement.of(found, Code::Version, message, next_step);
    }
    certificate.is_v3 && certificate.extensions.broken.is_empty()
}
