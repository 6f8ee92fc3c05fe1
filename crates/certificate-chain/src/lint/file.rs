//! The file, up to its certificates.

use super::{Found, Judgement};
use crate::certificate::Certificate;
use crate::code::{Code, Position, Verdict};
use crate::pem::{self, Block, PemFault};
use crate::requirements::MOST_CERTIFICATES;

/// What a file holds.
pub struct Read {
    pub certificates: Vec<Found>,
    pub verdicts: Vec<Verdict>,
    /// Whether every block is a certificate that was read.
    pub is_whole: bool,
}

pub fn read(bytes: &[u8]) -> Read {
    let mut judgement = Judgement { verdicts: Vec::new() };
    let certificates = match pem::blocks(bytes) {
        Ok(blocks) => certificates(&blocks, &mut judgement),
        Err(fault) => {
            let (code, next_step) = of_file(&fault);
            judgement.say(code, None, fault.to_string(), next_step);
            Vec::new()
        }
    };
    let is_whole = judgement.verdicts.is_empty();
    Read { certificates, verdicts: judgement.verdicts, is_whole }
}

fn of_file(fault: &PemFault) -> (Code, &'static str) {
    match fault {
        PemFault::PrivateKey => (
            Code::PrivateKey,
            "Make the chain of the certificates alone: `cat issuing.pem root.pem > chain.pem`. If others could read \
             this file, the key is no secret any more: make a new one and sign again.",
        ),
        PemFault::TooLarge => {
            (Code::TooLarge, "Give the file of the chain: the issuing CA's certificate and those above it.")
        }
        PemFault::NotText(_) => (
            Code::NotText,
            "Write each certificate as PEM in ASCII: `openssl x509 -inform DER -in FILE -out FILE.pem`; in PowerShell \
             add `-Encoding ascii` to Out-File.",
        ),
        PemFault::ForeignText { .. } => (
            Code::ForeignText,
            "Leave the blocks alone in the file: `openssl x509 -in FILE -out FILE.pem` writes one without the text \
             around it.",
        ),
        PemFault::BrokenBlock { .. } => (
            Code::BrokenBlock,
            "Write the file again from the certificates, each ending with a line end: \
             `(cat issuing.pem; echo; cat root.pem) > chain.pem`.",
        ),
    }
}

fn certificates(blocks: &[Block], judgement: &mut Judgement) -> Vec<Found> {
    if blocks.is_empty() {
        let next_step =
            "Put the signed certificate of the issuing CA into it, and behind it the one that signed it.";
        judgement.say(Code::NoCertificate, None, "the file holds no certificate", next_step);
    }
    if blocks.len() > MOST_CERTIFICATES {
        let message = format!(
            "the file has {} blocks; a chain has {MOST_CERTIFICATES} certificates at the most",
            blocks.len()
        );
        let next_step =
            "Leave only the way from the issuing CA to the root: a bundle of trusted roots is no chain.";
        judgement.say(Code::TooManyCertificates, None, message, next_step);
    }
    let mut found = Vec::new();
    for (index, block) in blocks.iter().enumerate().take(MOST_CERTIFICATES) {
        let place = Some(Position { position: index + 1, subject: None });
        if block.label != Some(pem::CERTIFICATE) {
            let label =
                block.label.map_or_else(|| "of another kind".to_owned(), |label| format!("`{label}`"));
            let message = format!(
                "the block on line {} is {label}; the service takes blocks `CERTIFICATE` only",
                block.line
            );
            let next_step = "Leave it out. Of a PKCS#7 file, `openssl pkcs7 -print_certs -in FILE` prints the \
                             certificates; leave out the lines between them.";
            judgement.say(Code::ForeignBlock, place, message, next_step);
            continue;
        }
        match Certificate::parse(&block.der) {
            Some(certificate) => found.push(Found { position: index + 1, certificate }),
            None => {
                let message = format!("the block on line {} does not hold one certificate", block.line);
                let next_step = "Copy the certificate again from where it was signed.";
                judgement.say(Code::NotACertificate, place, message, next_step);
            }
        }
    }
    found
}
