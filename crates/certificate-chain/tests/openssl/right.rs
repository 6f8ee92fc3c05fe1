//! Chains that pass, and what is said of them all the same.

use std::collections::BTreeSet;

use certificate_chain::{Code, Severity};
use time::{Duration, OffsetDateTime};

use crate::workshop::{Workshop, written};

/// What it is; the request; what makes the chain; every warning.
type Row = (&'static str, &'static str, &'static str, &'static str);

#[rustfmt::skip]
const RIGHT: &[Row] = &[
    ("two certificates", "request", "cat issuing.pem root.pem", ""),
    ("three certificates", "request", "cat below.pem middle.pem root.pem", ""),
    ("lines as Windows ends them", "request", "cat issuing.pem root.pem | sed 's/$/\\r/'", ""),
    ("the extensions of the request", "asking", "sign it asking root \"$(instead basicConstraints=critical,CA:TRUE,pathlen:1 \"$ISSUING\")\"; cat it.pem root.pem", ""),
    ("P-256 throughout", "it", "key it prime256v1; key root prime256v1; request it it '/CN=x'; root root /CN=r \"$ROOT\" -sha256; sign i it root \"$ISSUING\" -sha256; cat i.pem root.pem", ""),
    ("P-521 throughout", "it", "key it secp521r1; key root secp521r1; request it it '/CN=x'; root root /CN=r \"$ROOT\" -sha512; sign i it root \"$ISSUING\" -sha512; cat i.pem root.pem", ""),
    ("an RSA root above an EC intermediate", "request", "rsa root; root root '/CN=rsa' \"$ROOT\"; sign middle middle root \"$MIDDLE\"; sign below request middle \"$ISSUING\"; cat below.pem middle.pem root.pem", ""),
    ("a subject in another case and spacing", "it", "request it service '/CN=Partner ICA'; request as service '/CN=partner  ica'; sign i as root \"$ISSUING\"; cat i.pem root.pem", ""),
    ("a curve that the request gives by its parameters, named", "it", "key it secp384r1 -param_enc explicit; request it it '/CN=x'; openssl req -in it.csr -noout -pubkey | openssl ec -pubin -param_enc named_curve -pubout -out it.pub 2> /dev/null; sign i it root \"$ISSUING\" -force_pubkey it.pub; cat i.pem root.pem", ""),
    ("the issuing CA alone", "request", "cat issuing.pem", "1 root-absent"),
    ("without the root", "request", "cat below.pem middle.pem", "2 root-absent"),
    ("a root that ends soon", "request", "root root '/O=Contoso/CN=Contoso root' \"$ROOT\" -days 364; sign issuing request root \"$ISSUING\"; cat issuing.pem root.pem", "2 ends-soon, 1 outlives-issuer"),
    ("no path length", "request", "sign it request root \"$(instead basicConstraints=critical,CA:TRUE \"$ISSUING\")\"; cat it.pem root.pem", "1 path-length-absent"),
    ("no authority key identifier", "request", "sign it request root \"$(instead authorityKeyIdentifier=none \"$ISSUING\")\"; cat it.pem root.pem", "1 authority-key-identifier"),
    ("a root without key usage, with basic constraints that are not critical", "request", "root root '/O=Contoso/CN=Contoso root' 'basicConstraints=CA:TRUE;subjectKeyIdentifier=hash'; sign issuing request root \"$ISSUING\"; cat issuing.pem root.pem", "2 issuer-basic-constraints, 2 issuer-key-usage"),
    ("an intermediate for servers", "request", "sign middle middle root \"$MIDDLE;extendedKeyUsage=serverAuth\"; sign below request middle \"$ISSUING\"; cat below.pem middle.pem root.pem", "2 issuer-extended-key-usage"),
    ("an extension that was asked for is missing", "it", "request it service '/CN=x' 'subjectAltName=DNS:x'; sign i it root \"$ISSUING\"; cat i.pem root.pem", "1 requested-extension-missing"),
    ("names are constrained", "request", "root root '/O=Contoso/CN=Contoso root' \"$ROOT;2.5.29.30=critical,DER:30:10:A0:0E:30:0C:82:0A:63:6F:6E:74:6F:73:6F:2E:63:6F\"; sign issuing request root \"$ISSUING\"; cat issuing.pem root.pem", "2 critical-extension"),
];

#[test]
fn each_right_chain_passes_with_its_warnings() {
    let mut wrong = Vec::new();
    for (what, request, script, expected) in RIGHT {
        let linted = Workshop::new().lint(request, script, 0);
        let expected: BTreeSet<String> =
            expected.split(", ").filter(|one| !one.is_empty()).map(str::to_owned).collect();
        if !linted.faults.is_empty() || written(&linted.warnings) != expected || linted.chain.is_none() {
            wrong.push(format!("{what}: {expected:?} is expected: {linted:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn every_warning_has_its_row() {
    let shown: BTreeSet<&str> =
        RIGHT.iter().flat_map(|row| row.3.split(", ")).filter_map(|one| one.split(' ').nth(1)).collect();
    let warnings = Code::ALL.iter().filter(|code| code.severity() == Severity::Warning);
    assert_eq!(shown, warnings.map(|code| code.code()).collect());
}

#[test]
fn what_is_to_be_sent_is_the_blocks_alone_and_passes_again() {
    let workshop = Workshop::new();
    let linted = workshop.lint(
        "request",
        "printf '\\n'; cat issuing.pem root.pem | sed 's/$/\\r/'; printf '  \\n'",
        0,
    );
    let chain = linted.chain.unwrap();
    assert_eq!(chain.as_bytes(), workshop.made("cat issuing.pem root.pem"));
}

#[test]
fn the_last_day_of_activation_leaves_365_days() {
    let linted = Workshop::new().lint("request", "cat issuing.pem root.pem", 0);
    let until = linted.activate_until.unwrap() - OffsetDateTime::now_utc();
    assert!((until - Duration::days(1825 - 365)).abs() < Duration::hours(1), "{until}");
    let expected =
        ["1 CN=07b5d73a70e046f288ddc64518bc517e EC P-384", "2 O=Contoso, CN=Contoso root EC P-384"];
    let shown = linted.certificates.iter().map(|one| format!("{} {} {}", one.position, one.subject, one.key));
    assert!(shown.eq(expected), "{:?}", linted.certificates);
}

#[test]
fn fingerprints_are_those_that_openssl_prints() {
    let workshop = Workshop::new();
    let text = |script: &str| String::from_utf8(workshop.made(script)).unwrap();
    let key =
        text("openssl req -in request.csr -noout -pubkey | openssl pkey -pubin -outform DER | sha256sum");
    let request = workshop.request("request");
    assert_eq!(key.split(' ').next(), Some(request.key_fingerprint().as_str()));
    assert_eq!(
        (request.subject(), request.key_kind().as_str()),
        ("CN=07b5d73a70e046f288ddc64518bc517e", "EC P-384")
    );
    let certificate = text("openssl x509 -in issuing.pem -outform DER | sha256sum");
    let linted = workshop.lint("request", "cat issuing.pem root.pem", 0);
    assert_eq!(certificate.split(' ').next(), Some(linted.certificates[0].sha256.as_str()));
}
