//! The chain of a customer's own root, and the request that it answers.

use std::sync::LazyLock;

use certificate_chain::{SigningRequest, certificates, lint};
use data_encoding::BASE64;
use time::OffsetDateTime;
use time::macros::datetime;

/// A request of an issuing CA, and the root that has signed its certificate. The keys of both are gone.
const REQUEST: &[u8] = include_bytes!("certificate_chain/request.pem");
const ROOT: &str = include_str!("certificate_chain/root.pem");
/// A day on which the chain of the corpus is valid.
const NOW: OffsetDateTime = datetime!(2027-01-01 00:00:00 UTC);
/// The beginning of DER: an input that begins with it is the contents of a block rather than a file.
const SEQUENCE: u8 = 0x30;

static ASKED: LazyLock<SigningRequest> =
    LazyLock::new(|| SigningRequest::parse(REQUEST).expect("the request of the target is one"));

/// A file that is right is written as a chain that is right again, and is then written in the same way; of a file that names a
/// private key nothing is read but that; a file with certificates that belong together has certificates that can be listed;
/// and a request that is read says for what key.
///
/// # Panics
/// When that does not hold.
pub fn run(input: &[u8]) {
    check(input, false);
}

/// Reads a chain without its last block for the whole.
pub fn broken(input: &[u8]) {
    check(input, true);
}

fn check(input: &[u8], is_broken: bool) {
    let file = match input.first() {
        Some(&SEQUENCE) => format!("{}{ROOT}", block("CERTIFICATE", input)).into_bytes(),
        _ => input.to_vec(),
    };
    let judged = lint(&ASKED, &file, NOW);
    assert_eq!(judged.chain.is_some(), judged.faults.is_empty() && !judged.certificates.is_empty());
    if let Some(mut chain) = judged.chain.clone() {
        if is_broken {
            let last = chain.rfind("-----BEGIN").unwrap_or_default();
            chain.truncate(last);
        }
        let again = lint(&ASKED, chain.as_bytes(), NOW);
        assert_eq!(again, judged, "a chain that is right is another one when it is written");
        assert_eq!(certificates(&file).ok(), Some(judged.certificates.clone()));
    }
    let upper = file.to_ascii_uppercase();
    if upper.windows(11).any(|window| window == b"PRIVATE KEY") {
        let is_unread = judged.certificates.is_empty() && judged.chain.is_none() && judged.faults.len() == 1;
        assert!(is_unread, "a file with a private key was read");
        assert!(certificates(&file).is_err());
    }
    for request in [input.to_vec(), block("CERTIFICATE REQUEST", input).into_bytes()] {
        if let Ok(request) = SigningRequest::parse(&request) {
            assert_eq!(request.key_fingerprint().len(), 64, "{}", request.subject());
            let _ = (request.path_length(), request.key_kind(), lint(&request, &file, NOW).faults.len());
        }
    }
}

fn block(label: &str, der: &[u8]) -> String {
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", BASE64.encode(der))
}
