//! Whatever comes in: nothing panics, nothing changed passes, and no key is repeated.

use std::sync::LazyLock;

use certificate_chain::{SigningRequest, lint};
use proptest::prelude::*;
use time::OffsetDateTime;

use crate::workshop::Workshop;

struct Made {
    request: SigningRequest,
    request_pem: Vec<u8>,
    chain: Vec<u8>,
    key: Vec<u8>,
}

static MADE: LazyLock<Made> = LazyLock::new(|| {
    let workshop = Workshop::new();
    Made {
        request: workshop.request("request"),
        request_pem: workshop.made("cat request.csr"),
        chain: workshop.made("cat issuing.pem root.pem"),
        key: workshop.made("cat root.key"),
    }
});

/// Everything that is said about a file.
fn said(bytes: &[u8]) -> String {
    let as_request = SigningRequest::parse(bytes).map_err(|error| error.to_string());
    format!("{as_request:?} {:?}", lint(&MADE.request, bytes, OffsetDateTime::now_utc()))
}

/// The lines of the key's body.
fn secrets() -> Vec<String> {
    let text = String::from_utf8(MADE.key.clone()).unwrap();
    text.lines().filter(|line| !line.starts_with('-')).map(str::to_owned).collect()
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_judged(bytes in prop::collection::vec(any::<u8>(), 0..4000)) {
        said(&bytes);
    }

    #[test]
    fn damaged_certificates_and_requests_are_judged(
        is_request: bool, at: prop::sample::Index, byte: u8, cut: prop::sample::Index, is_cut: bool,
    ) {
        let mut bytes = if is_request { MADE.request_pem.clone() } else { MADE.chain.clone() };
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if is_cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        said(&bytes);
    }

    #[test]
    fn blocks_of_any_contents_are_judged(der in prop::collection::vec(any::<u8>(), 0..400), label in "(CERTIFICATE|CERTIFICATE REQUEST|[A-Z ]{0,20})") {
        let body = data_encoding::BASE64.encode(&der);
        said(format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n").as_bytes());
    }

    /// The key stands somewhere in a file, whole, in part, or under another label.
    #[test]
    fn no_byte_of_a_private_key_is_repeated(
        before in "[ -~\n]{0,60}", after in "[ -~\n]{0,60}", from: prop::sample::Index, until: prop::sample::Index,
        label in prop::sample::select(vec!["EC PRIVATE KEY", "CERTIFICATE", "CERTIFICATE REQUEST", "SECRET"]),
        with_chain: bool,
    ) {
        let key = String::from_utf8(MADE.key.clone()).unwrap().replace("EC PRIVATE KEY", label);
        let (from, until) = (from.index(key.len()), until.index(key.len()) + 1);
        let part = &key[from.min(until)..from.max(until)];
        let chain = if with_chain { String::from_utf8(MADE.chain.clone()).unwrap() } else { String::new() };
        let said = said(format!("{chain}{before}{part}{after}").as_bytes());
        for secret in secrets() {
            for piece in secret.as_bytes().windows(12) {
                let piece = std::str::from_utf8(piece).unwrap();
                prop_assert!(!said.contains(piece), "{piece} in {said}");
            }
        }
    }
}

/// One changed bit anywhere in a certificate: its signature or its form is wrong.
#[test]
fn no_changed_bit_passes() {
    let workshop = Workshop::new();
    let root = String::from_utf8(workshop.made("cat root.pem")).unwrap();
    let der = workshop.made("openssl x509 -in issuing.pem -outform DER");
    let now = OffsetDateTime::now_utc();
    let judged = |der: &[u8]| {
        let body = data_encoding::BASE64.encode(der);
        let text = format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n{root}");
        lint(&MADE.request, text.as_bytes(), now)
    };
    // This one belongs to another world than the request of `MADE`, which has a key of its own.
    let own = workshop.request("request");
    assert!(own.key_fingerprint() == MADE.request.key_fingerprint() && judged(&der).faults.is_empty());
    for at in 0..der.len() {
        for bit in 0..8 {
            let mut changed = der.clone();
            changed[at] ^= 1 << bit;
            assert!(!judged(&changed).faults.is_empty(), "byte {at}, bit {bit}");
        }
    }
}

/// The same for the request, whose signature is its own.
#[test]
fn a_changed_request_is_none() {
    let workshop = Workshop::new();
    let der = workshop.made("openssl req -in asking.csr -outform DER");
    let parsed = |der: &[u8]| {
        let body = data_encoding::BASE64.encode(der);
        let label = "CERTIFICATE REQUEST";
        SigningRequest::parse(format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n").as_bytes())
    };
    assert!(parsed(&der).is_ok());
    let unsigned: Vec<usize> = (0..der.len())
        .filter(|at| {
            let mut changed = der.clone();
            changed[*at] ^= 1;
            parsed(&changed).is_ok()
        })
        .collect();
    assert!(unsigned.is_empty(), "{unsigned:?}");
}
