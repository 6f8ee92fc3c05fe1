//! The certificate that the request asked for.

use super::{Found, Judgement};
use crate::code::Code;
use crate::extensions::{
    BASIC_CONSTRAINTS, CLIENT_AUTH, EXTENDED_KEY_USAGE, KEY_USAGE, SUBJECT_KEY_IDENTIFIER,
};
use crate::request::SigningRequest;
use crate::requirements::{KEY_USAGES, basic_constraints, issuing_path_length};

/// Extensions that are judged by themselves, whether the request asks for them or not.
const JUDGED: [&str; 4] = [BASIC_CONSTRAINTS, KEY_USAGE, EXTENDED_KEY_USAGE, SUBJECT_KEY_IDENTIFIER];

pub fn judge(request: &SigningRequest, found: &Found, judgement: &mut Judgement) {
    identity(request, found, judgement);
    if !super::above::is_readable(found, judgement) {
        return;
    }
    constraints(request, found, judgement);
    usages(found, judgement);
    let extensions = &found.certificate.extensions;
    let line = |name: &str| format!("Sign it again with `{name}` in the section of its extensions.");
    if extensions.subject_key_identifier.is_none() {
        let message = "it has no subject key identifier; the service asks for one";
        judgement.of(found, Code::SubjectKeyIdentifier, message, line("subjectKeyIdentifier = hash"));
    }
    if extensions.authority_key_identifier.is_none() {
        let message = "it has no authority key identifier; Microsoft's recipe sets one";
        judgement.of(
            found,
            Code::AuthorityKeyIdentifier,
            message,
            line("authorityKeyIdentifier = keyid:always, issuer:always"),
        );
    }
    let asked = request.extensions.all.keys().filter(|oid| !JUDGED.contains(&oid.as_str()));
    for oid in asked.filter(|oid| !extensions.all.contains_key(*oid)) {
        let message =
            format!("the signing request asks for the extension {oid}, and the certificate does not have it");
        judgement.of(found, Code::RequestedExtensionMissing, message, AS_PRINTED);
    }
}

const AS_PRINTED: &str = "Sign it again with the extensions that `policysync policies csr` prints.";

fn identity(request: &SigningRequest, found: &Found, judgement: &mut Judgement) {
    let certificate = &found.certificate;
    if !certificate.key.is(&request.key) {
        let message = format!(
            "its key is not that of the signing request: SHA-256 {} is expected, {} is there",
            request.key.fingerprint(),
            certificate.key.fingerprint()
        );
        let next_step = "Sign the request itself, `openssl x509 -req -in REQUEST`; fetch it again with `policysync \
                         policies csr`, since the service makes a new one for each renewal.";
        judgement.of(found, Code::WrongKey, message, next_step);
    }
    if !certificate.key.kind.is_accepted() {
        let message = format!(
            "its key is {}; EC on the named curve P-256, P-384 or P-521 is expected",
            certificate.key.kind
        );
        let next_step = "Sign the request, whose key the service has made, with the curve named as `policysync policies csr` prints it.";
        judgement.of(found, Code::KeyAlgorithm, message, next_step);
    }
    if certificate.subject != request.subject {
        let message = format!(
            "its subject is not that of the signing request: `{}` is expected, `{}` is there",
            request.subject.text, certificate.subject.text
        );
        let next_step = "Sign it again and leave the subject of the request as it is: without `-subj`, and without a \
                         policy of your CA that changes it.";
        judgement.of(found, Code::SubjectMismatch, message, next_step);
    }
}

fn constraints(request: &SigningRequest, found: &Found, judgement: &mut Judgement) {
    let wanted = format!(
        "Sign it again with `basicConstraints = {}` in the section of its extensions.",
        basic_constraints(issuing_path_length(request.path_length()))
    );
    let Some(constraints) = found.certificate.extensions.basic_constraints.filter(|found| found.is_ca) else {
        let message = "it is a certificate of a device or server, not of a CA; basic constraints with CA:TRUE are expected";
        return judgement.of(found, Code::NotACa, message, wanted);
    };
    if !constraints.is_critical {
        let message = "its basic constraints are not critical; critical is expected";
        judgement.of(found, Code::BasicConstraintsNotCritical, message, wanted.clone());
    }
    let in_words =
        |length: Option<u32>| length.map_or_else(|| "none".to_owned(), |length| length.to_string());
    match (request.path_length(), constraints.path_length) {
        (Some(asked), own) if own != Some(asked) => {
            let message =
                format!("its path length is {}; the signing request asks for {asked}", in_words(own));
            judgement.of(found, Code::PathLength, message, wanted);
        }
        (None, None) => {
            let message = "it has no path length; Microsoft's recipes set one";
            judgement.of(found, Code::PathLengthAbsent, message, wanted);
        }
        _ => {}
    }
}

fn usages(found: &Found, judgement: &mut Judgement) {
    let extensions = &found.certificate.extensions;
    let own = extensions.key_usage.as_deref().unwrap_or_default();
    let missing: Vec<&str> = KEY_USAGES.into_iter().filter(|usage| !own.contains(usage)).collect();
    if !missing.is_empty() {
        let message = match extensions.key_usage {
            None => format!("it has no key usage; {} are expected", KEY_USAGES.join(", ")),
            Some(_) => {
                format!("its key usage lacks {}; {} are expected", missing.join(", "), KEY_USAGES.join(", "))
            }
        };
        let next_step = format!(
            "Sign it again with `keyUsage = critical, {}` in the section of its extensions.",
            KEY_USAGES.join(", ")
        );
        judgement.of(found, Code::KeyUsage, message, next_step);
    }
    let usages = extensions.extended_key_usage.as_deref().unwrap_or_default();
    if !usages.iter().any(|usage| usage == CLIENT_AUTH) {
        let message = match extensions.extended_key_usage {
            None => "it has no extended key usage; the service was seen to refuse that, though its documentation allows it".to_owned(),
            Some(_) => format!("its extended key usage is {}; clientAuth is expected", usages.join(", ")),
        };
        let next_step =
            "Sign it again with `extendedKeyUsage = clientAuth` in the section of its extensions.";
        judgement.of(found, Code::ExtendedKeyUsage, message, next_step);
    }
}
