//! Every way in which a chain can be broken: each is refused for its own reason and for no other.

use std::collections::BTreeSet;

use certificate_chain::{Code, Severity};

use crate::workshop::{Workshop, written};

/// What is wrong; the request; what makes the chain; how many days from now it is judged; every fault.
type Row = (&'static str, &'static str, &'static str, i64, &'static str);

#[rustfmt::skip]
const BROKEN: &[Row] = &[
    // The file.
    ("a private key", "request", "cat issuing.pem root.pem root.key", 0, "- private-key"),
    ("an encrypted private key first", "request", "openssl pkcs8 -topk8 -in root.key -v2 aes-256-cbc -passout pass:x; cat issuing.pem root.pem", 0, "- private-key"),
    ("5 MB", "request", "cat issuing.pem root.pem; head -c 5242880 /dev/zero | tr '\\0' '\\n'", 0, "- too-large"),
    ("nothing", "request", "printf ''", 0, "- no-certificate"),
    ("DER", "request", "openssl x509 -in issuing.pem -outform DER", 0, "- not-text"),
    ("UTF-16", "request", "cat issuing.pem root.pem | iconv -t UTF-16", 0, "- not-text"),
    ("text between the certificates", "request", "cat issuing.pem; openssl x509 -in root.pem -text", 0, "- foreign-text"),
    ("garbage between the certificates", "request", "cat issuing.pem; head -c 300 /dev/urandom | base64; cat root.pem", 0, "- foreign-text"),
    ("the last lines are missing", "request", "cat issuing.pem root.pem | head -n -3", 0, "- broken-block"),
    ("no line end between two blocks", "request", "printf %s \"$(cat issuing.pem)\"; cat root.pem", 0, "- broken-block"),
    ("a letter that is not base64", "request", "sed '3s/^./*/' issuing.pem; cat root.pem", 0, "- broken-block"),
    ("the request beside the certificates", "request", "cat issuing.pem root.pem request.csr", 0, "3 foreign-block"),
    ("parameters of a curve", "request", "openssl ecparam -name secp384r1; cat issuing.pem root.pem", 0, "1 foreign-block"),
    ("PKCS#7", "request", "openssl crl2pkcs7 -nocrl -certfile issuing.pem -certfile root.pem", 0, "1 foreign-block"),
    ("OpenSSL's trusted form", "request", "openssl x509 -in issuing.pem -trustout; cat root.pem", 0, "1 foreign-block"),
    ("a request that says it is a certificate", "request", "sed 's/ REQUEST//' request.csr; cat root.pem", 0, "1 not-a-certificate"),
    ("a bundle", "request", "for i in 1 2 3 4 5; do cat below.pem middle.pem; done", 0, "- too-many-certificates"),
    // The order.
    ("the root first", "request", "cat root.pem issuing.pem", 0, "- wrong-order"),
    ("the intermediate last", "request", "cat below.pem root.pem middle.pem", 0, "- wrong-order"),
    ("the root first, and the intermediate missing", "request", "cat root.pem below.pem", 0, "- wrong-order, 2 not-issued-by-next"),
    ("a certificate twice", "request", "cat issuing.pem issuing.pem root.pem", 0, "2 duplicate"),
    ("the root twice", "request", "cat issuing.pem root.pem root.pem", 0, "3 duplicate"),
    ("a second root", "request", "root other '/CN=other' \"$ROOT\"; cat issuing.pem root.pem other.pem", 0, "2 root-not-last"),
    ("no intermediate", "request", "cat below.pem root.pem", 0, "1 not-issued-by-next"),
    ("a root of another name", "request", "root other '/CN=other' \"$ROOT\"; cat issuing.pem other.pem", 0, "1 not-issued-by-next"),
    ("a root that was made anew", "request", "root other '/O=Contoso/CN=Contoso root' \"$ROOT\"; cat issuing.pem other.pem", 0, "1 key-identifier-mismatch, 1 signature-invalid"),
    ("the same, without identifiers", "request", "root other '/O=Contoso/CN=Contoso root' \"$ROOT\"; sign it request root \"$(instead authorityKeyIdentifier=none \"$ISSUING\")\"; cat it.pem other.pem", 0, "1 signature-invalid"),
    ("an intermediate that another key has signed", "request", "root other '/O=Contoso/CN=Contoso root' \"$ROOT\"; cat below.pem middle.pem other.pem", 0, "2 key-identifier-mismatch, 2 signature-invalid"),
    // What the request asked for.
    ("another key", "request", "request it other '/CN=07b5d73a70e046f288ddc64518bc517e'; sign it it root \"$ISSUING\"; cat it.pem root.pem", 0, "1 wrong-key"),
    ("an RSA key", "request", "rsa it; request it it '/CN=07b5d73a70e046f288ddc64518bc517e'; sign it it root \"$ISSUING\"; cat it.pem root.pem", 0, "1 wrong-key, 1 key-algorithm"),
    ("another curve", "request", "key it secp256k1; request it it '/CN=07b5d73a70e046f288ddc64518bc517e'; sign it it root \"$ISSUING\"; cat it.pem root.pem", 0, "1 wrong-key, 1 key-algorithm"),
    ("a curve that is not named", "it", "key it secp384r1 -param_enc explicit; request it it '/CN=x'; sign it it root \"$ISSUING\"; cat it.pem root.pem", 0, "1 key-algorithm"),
    ("another subject", "request", "request it service '/CN=partner-ica'; sign it it root \"$ISSUING\"; cat it.pem root.pem", 0, "1 subject-mismatch"),
    ("a leaf in place of a CA", "request", "sign it request root \"$DEVICE\"; cat it.pem root.pem", 0, "1 not-a-ca, 1 key-usage"),
    ("no basic constraints", "request", "sign it request root \"$(without basicConstraints \"$ISSUING\")\"; cat it.pem root.pem", 0, "1 not-a-ca"),
    ("basic constraints that are not critical", "request", "sign it request root \"$(instead basicConstraints=CA:TRUE,pathlen:0 \"$ISSUING\")\"; cat it.pem root.pem", 0, "1 basic-constraints-not-critical"),
    ("path length 0 where the request wants 1", "asking", "cat issuing.pem root.pem", 0, "1 path-length"),
    ("no path length where the request wants 1", "asking", "sign it asking root \"$(instead basicConstraints=critical,CA:TRUE \"$ISSUING\")\"; cat it.pem root.pem", 0, "1 path-length"),
    ("no key usage", "request", "sign it request root \"$(without keyUsage \"$ISSUING\")\"; cat it.pem root.pem", 0, "1 key-usage"),
    ("key usage without cRLSign", "request", "sign it request root \"$(instead keyUsage=critical,digitalSignature,keyCertSign \"$ISSUING\")\"; cat it.pem root.pem", 0, "1 key-usage"),
    ("key usage without digitalSignature", "request", "sign it request root \"$(instead keyUsage=critical,cRLSign,keyCertSign \"$ISSUING\")\"; cat it.pem root.pem", 0, "1 key-usage"),
    ("no extended key usage", "request", "sign it request root \"$(without extendedKeyUsage \"$ISSUING\")\"; cat it.pem root.pem", 0, "1 extended-key-usage"),
    ("extended key usage for servers", "request", "sign it request root \"$(instead extendedKeyUsage=serverAuth \"$ISSUING\")\"; cat it.pem root.pem", 0, "1 extended-key-usage"),
    ("no subject key identifier", "request", "sign it request root \"$(instead subjectKeyIdentifier=none \"$ISSUING\")\"; cat it.pem root.pem", 0, "1 subject-key-identifier"),
    ("an extension that cannot be read", "request", "sign it request root \"$(instead 2.5.29.37=DER:01:02 \"$(without extendedKeyUsage \"$ISSUING\")\")\"; cat it.pem root.pem", 0, "1 broken-extension"),
    ("version 1", "request", "openssl x509 -req -in request.csr -CA root.pem -CAkey root.key -set_serial 1 -days 1825 -sha384 -out it.pem 2> /dev/null; cat it.pem root.pem", 0, "1 version"),
    ("SHA-1", "request", "sign it request root \"$ISSUING\" -sha1; cat it.pem root.pem", 0, "1 signature-algorithm"),
    ("SHA-224", "request", "sign it request root \"$ISSUING\" -sha224; cat it.pem root.pem", 0, "1 signature-algorithm"),
    ("signed by an RSA root", "request", "rsa it; root it '/CN=rsa' \"$ROOT\"; sign issuing request it \"$ISSUING\"; cat issuing.pem it.pem", 0, "1 signature-algorithm"),
    ("signed by an Ed25519 root", "request", "openssl genpkey -algorithm ED25519 -out it.key; section \"$ROOT\" > it.cnf; openssl req -x509 -new -key it.key -subj /CN=ed -config it.cnf -extensions made -days 3650 -out it.pem; section \"$ISSUING\" > i.cnf; openssl x509 -req -in request.csr -CA it.pem -CAkey it.key -set_serial 5 -days 1825 -extfile i.cnf -extensions made -out i.pem 2> /dev/null; cat i.pem it.pem", 0, "1 signature-algorithm, 2 signature-algorithm"),
    // The CAs above.
    ("path length 0 above the issuing CA", "request", "root root '/O=Contoso/CN=Contoso root' \"$(instead basicConstraints=critical,CA:TRUE,pathlen:0 \"$ROOT\")\"; sign issuing request root \"$ISSUING\"; cat issuing.pem root.pem", 0, "2 path-length"),
    ("path length 1 above an intermediate", "request", "root root '/O=Contoso/CN=Contoso root' \"$(instead basicConstraints=critical,CA:TRUE,pathlen:1 \"$ROOT\")\"; cat below.pem middle.pem root.pem", 0, "3 path-length"),
    ("a device in the middle", "request", "sign middle middle root \"$DEVICE\"; sign below request middle \"$ISSUING\"; cat below.pem middle.pem root.pem", 0, "2 not-a-ca, 2 key-usage"),
    ("an intermediate that may not sign certificates", "request", "sign middle middle root \"$(instead keyUsage=critical,cRLSign \"$MIDDLE\")\"; sign below request middle \"$ISSUING\"; cat below.pem middle.pem root.pem", 0, "2 key-usage"),
    ("a root of version 1", "request", "openssl req -new -key root.key -subj '/O=Contoso/CN=Contoso root' -out root.csr; openssl x509 -req -in root.csr -signkey root.key -set_serial \"0x$(openssl x509 -in root.pem -noout -serial | cut -d= -f2)\" -days 3650 -sha384 -out root.pem 2> /dev/null; cat issuing.pem root.pem", 0, "2 version"),
    ("SHA-1 in the middle", "request", "sign middle middle root \"$MIDDLE\" -sha1; sign below request middle \"$ISSUING\"; cat below.pem middle.pem root.pem", 0, "2 signature-algorithm"),
    // The calendar.
    ("an expired issuing CA", "request", "cat issuing.pem root.pem", 1826, "1 expired"),
    ("an expired intermediate", "request", "sign middle middle root \"$MIDDLE\" -days 400; sign below request middle \"$ISSUING\"; cat below.pem middle.pem root.pem", 401, "2 expired"),
    ("an expired root", "request", "root root '/O=Contoso/CN=Contoso root' \"$ROOT\" -days 400; sign issuing request root \"$ISSUING\"; cat issuing.pem root.pem", 401, "2 expired"),
    ("not valid yet", "request", "cat issuing.pem root.pem", -1, "1 not-yet-valid, 2 not-yet-valid"),
    ("364 days", "request", "sign it request root \"$ISSUING\" -days 364; cat it.pem root.pem", 0, "1 validity-too-short"),
    ("365 days, a moment later", "request", "sign it request root \"$ISSUING\" -days 366; cat it.pem root.pem", 2, "1 validity-too-short"),
    // Several things at once are all told.
    ("a wrong order does not hide the rest", "request", "sign it request root \"$(without keyUsage \"$ISSUING\")\" -days 30; cat root.pem it.pem", 0, "- wrong-order, 2 key-usage, 2 validity-too-short"),
];

#[test]
fn each_broken_chain_is_refused_for_its_reason() {
    let mut wrong = Vec::new();
    for (what, request, script, days, expected) in BROKEN {
        let linted = Workshop::new().lint(request, script, *days);
        let expected: BTreeSet<String> = expected.split(", ").map(str::to_owned).collect();
        let found = written(&linted.faults);
        if found != expected {
            wrong.push(format!("{what}: {expected:?} is expected, {found:?} is there: {:#?}", linted.faults));
        }
        let says = linted.faults.iter().all(|fault| fault.message.len() > 20 && fault.next_step.len() > 10);
        assert!(says && linted.chain.is_none() && linted.activate_until.is_none(), "{what}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn every_fault_has_its_row() {
    let shown: BTreeSet<&str> =
        BROKEN.iter().flat_map(|row| row.4.split(", ")).filter_map(|fault| fault.split(' ').nth(1)).collect();
    let faults = Code::ALL.iter().filter(|code| code.severity() == Severity::Fault);
    let all: BTreeSet<&str> = faults.map(|code| code.code()).collect();
    assert_eq!(shown, all);
}
