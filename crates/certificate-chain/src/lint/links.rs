//! Names, identifiers and signatures between certificates.

use super::{Found, Judgement};
use crate::algorithm::SignatureKind;
use crate::code::Code;

pub fn judge(path: &[Found], judgement: &mut Judgement) {
    for (index, one) in path.iter().enumerate() {
        algorithm(one, index == 0, judgement);
        match path.get(index + 1) {
            Some(issuer) => link(one, issuer, judgement),
            None => end(one, judgement),
        }
    }
}

/// The published table is about the issuing CA; of those above it only SHA-1 is known to be refused, and what this
/// program cannot verify it cannot pass.
fn algorithm(one: &Found, is_first: bool, judgement: &mut Judgement) {
    let kind = one.certificate.signed.kind;
    let passes = match kind {
        SignatureKind::Ecdsa(_) => true,
        SignatureKind::Rsa(_) => !is_first,
        SignatureKind::Weak | SignatureKind::Other => false,
    };
    if !passes {
        let message = format!("it is signed with {kind}; ECDSA with SHA-256, SHA-384 or SHA-512 is expected");
        let next_step = match kind {
            SignatureKind::Rsa(_) => {
                "Sign it with a CA that has an EC key: an RSA root signs an EC intermediate, and that one signs the \
                 request."
            }
            _ => "Sign it again with `-sha384`, with a CA that has an EC key.",
        };
        judgement.of(one, Code::SignatureAlgorithm, message, next_step);
    } else if !one.certificate.names_its_algorithm {
        let message = "the algorithm that was signed is not the one that signed";
        judgement.of(one, Code::SignatureAlgorithm, message, "Sign it again with OpenSSL.");
    }
}

fn link(one: &Found, issuer: &Found, judgement: &mut Judgement) {
    let (own, next) = (&one.certificate, &issuer.certificate);
    if own.is_self_issued() {
        let message = "it has signed itself, so nothing can stand behind it";
        let next_step = "Put the root last, or leave it out.";
        return judgement.of(one, Code::RootNotLast, message, next_step);
    }
    if own.issuer != next.subject {
        let message = format!(
            "its issuer is `{}`, and the next certificate is that of `{}`",
            own.issuer.text, next.subject.text
        );
        let next_step =
            "Put the certificate of its issuer behind it, or sign it with the CA that stands there.";
        return judgement.of(one, Code::NotIssuedByNext, message, next_step);
    }
    if !own.agrees_with_identifiers_of(next) {
        let message = "its authority key identifier names another key or certificate of the issuer than the next \
                       certificate has, though the names are equal";
        let next_step = "Put the certificate behind it whose key has signed it: a CA that was made anew under its old \
                         name is another one.";
        judgement.of(one, Code::KeyIdentifierMismatch, message, next_step);
    }
    if own.signed.is_by(&next.key) == Some(false) {
        let message =
            "it is not signed by the key of the next certificate, though that has the name of its issuer";
        let next_step = "Put the certificate behind it whose key has signed it, or sign it again with `-CA` and \
                         `-CAkey` of one and the same CA.";
        judgement.of(one, Code::SignatureInvalid, message, next_step);
    }
}

/// The last certificate: the root, or one whose issuer is elsewhere.
fn end(one: &Found, judgement: &mut Judgement) {
    if !one.certificate.is_self_issued() {
        let message = format!(
            "its issuer, `{}`, is not in the file; its signature was not verified. The root is optional",
            one.certificate.issuer.text
        );
        let next_step = "Add the certificates up to the root, so that all signatures are verified.";
        judgement.of(one, Code::RootAbsent, message, next_step);
    } else if one.certificate.signed.is_by(&one.certificate.key) == Some(false) {
        let message = "it says that it has signed itself, and its signature is not by its own key";
        let next_step =
            "Take the root's certificate from where it was made; it was changed, or is another CA's.";
        judgement.of(one, Code::SignatureInvalid, message, next_step);
    }
}
