//! Judges a chain against every published requirement (`ca-lifecycle-facts.md` §1.6), without any call.
//!
//! - `file`: the file, up to its certificates.
//! - `order`: which certificate has signed which.
//! - `links`: names, identifiers and signatures between them.
//! - `issuing`: the certificate that the request asked for.
//! - `above`: the intermediates and the root.
//! - `validity`: from when until when.
//!
//! Where the sources contradict each other, what both accept passes: a warning where one of them is content, a fault
//! where one of them was seen to refuse.

mod above;
mod file;
mod issuing;
mod links;
mod order;
mod validity;

use time::OffsetDateTime;

use crate::algorithm::{sha1, sha256};
use crate::certificate::Certificate;
use crate::code::{Code, Position, Severity, Verdict};
use crate::request::SigningRequest;
use crate::requirements::LEAST_VALIDITY;

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Linted {
    /// The certificates that could be read, in the order of the file.
    pub certificates: Vec<Summary>,
    /// What must be put right.
    pub faults: Vec<Verdict>,
    /// What there is to know.
    pub warnings: Vec<Verdict>,
    /// Until when the service takes the chain; none of a chain with faults.
    pub activate_until: Option<OffsetDateTime>,
    /// The chain as it is to be sent: blocks only. None of a chain with faults.
    pub chain: Option<String>,
}

/// A certificate, for people.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Which one, from 1.
    pub position: usize,
    /// Its subject.
    pub subject: String,
    /// Its issuer.
    pub issuer: String,
    /// The kind of its key.
    pub key: String,
    /// Start of its validity.
    #[serde(with = "time::serde::rfc3339")]
    pub not_before: OffsetDateTime,
    /// End of its validity.
    #[serde(with = "time::serde::rfc3339")]
    pub not_after: OffsetDateTime,
    /// SHA-256 of the certificate, in hexadecimal.
    pub sha256: String,
    /// SHA-1 of the certificate, in hexadecimal: the thumbprint by which hubs show it.
    pub sha1: String,
}

/// Reads the certificates of a chain file, for a reader who has no request to judge them by.
///
/// # Errors
/// What is wrong with the file itself, the private key in it first of all. Whether its certificates belong together is
/// not looked at.
pub fn certificates(chain: &[u8]) -> Result<Vec<Summary>, Vec<Verdict>> {
    let file::Read { certificates, verdicts, is_whole } = file::read(chain);
    if is_whole { Ok(certificates.iter().map(summary).collect()) } else { Err(verdicts) }
}

/// Judges the bytes of a chain file. Of a file that is too large, the beginning suffices, as long as it is more than
/// [`MOST_BYTES`](crate::MOST_BYTES).
#[must_use]
pub fn lint(request: &SigningRequest, chain: &[u8], now: OffsetDateTime) -> Linted {
    let file::Read { certificates, verdicts, is_whole } = file::read(chain);
    let mut judgement = Judgement { verdicts };
    let summaries = certificates.iter().map(summary).collect();
    // What a part of a file lacks may stand in the part that could not be read.
    if is_whole {
        judge(request, &certificates, now, &mut judgement);
    }
    let (faults, warnings): (Vec<_>, Vec<_>) =
        judgement.verdicts.into_iter().partition(|verdict| verdict.code.severity() == Severity::Fault);
    let is_right = faults.is_empty() && !certificates.is_empty();
    Linted {
        certificates: summaries,
        warnings,
        activate_until: certificates.first().filter(|_| is_right).and_then(|first| {
            let issuing = first.certificate.not_after.checked_sub(LEAST_VALIDITY)?;
            certificates.iter().map(|found| found.certificate.not_after).chain([issuing]).min()
        }),
        chain: is_right.then(|| {
            certificates.iter().map(|found| crate::pem::of_certificate(&found.certificate.der)).collect()
        }),
        faults,
    }
}

fn judge(request: &SigningRequest, found: &[Found], now: OffsetDateTime, judgement: &mut Judgement) {
    let distinct = order::distinct(found, judgement);
    let path = order::path(request, &distinct, judgement);
    let [first, above @ ..] = path.as_slice() else { return };
    issuing::judge(request, first, judgement);
    for (below, found) in above.iter().enumerate() {
        above::judge(found, below + 1, judgement);
    }
    links::judge(&path, judgement);
    validity::judge(&path, now, judgement);
}

/// A certificate with its place in the file.
#[derive(Debug, Clone)]
struct Found {
    /// From 1.
    position: usize,
    certificate: Certificate,
}

impl Found {
    fn position(&self) -> Position {
        Position { position: self.position, subject: Some(self.certificate.subject.text.clone()) }
    }
}

/// What was said so far.
struct Judgement {
    verdicts: Vec<Verdict>,
}

impl Judgement {
    /// Says something of one certificate.
    fn of(&mut self, found: &Found, code: Code, message: impl Into<String>, next_step: impl Into<String>) {
        self.say(code, Some(found.position()), message, next_step);
    }

    fn say(
        &mut self,
        code: Code,
        certificate: Option<Position>,
        message: impl Into<String>,
        next_step: impl Into<String>,
    ) {
        self.verdicts.push(Verdict {
            code,
            certificate,
            message: message.into(),
            next_step: next_step.into(),
        });
    }
}

fn summary(found: &Found) -> Summary {
    let Found { position, certificate } = found;
    Summary {
        position: *position,
        subject: certificate.subject.text.clone(),
        issuer: certificate.issuer.text.clone(),
        key: certificate.key.kind.to_string(),
        not_before: certificate.not_before,
        not_after: certificate.not_after,
        sha256: sha256(&certificate.der),
        sha1: sha1(&certificate.der),
    }
}
