//! The recipe, followed to the letter, with requests that ask for more or less.

use certificate_chain::{Linted, SigningRequest, lint, recipe};
use time::OffsetDateTime;

use crate::workshop::{Workshop, run};

/// Follows the recipe for the request that a script makes as `it.csr`, in an empty folder, up to the check.
fn followed(script: &str) -> (tempfile::TempDir, String, SigningRequest, Linted) {
    let workshop = Workshop::new();
    workshop.made(script);
    let request = workshop.request("it");
    let text = recipe::openssl("it", &request);
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(workshop.path("it.csr"), folder.path().join("it.csr")).unwrap();
    let (commands, check) = text.split_once("policysync policies lint").unwrap();
    assert_eq!(check, " it --request it.csr --chain it-chain.pem\n");
    run(folder.path(), commands);
    let chain = std::fs::read(folder.path().join("it-chain.pem")).unwrap();
    let linted = lint(&request, &chain, OffsetDateTime::now_utc());
    (folder, text, request, linted)
}

/// docs/authorities.md shows the recipe of a request that asks for what Microsoft's own test asks for; `WRITE_GENERATED_FILES=1` writes it.
#[test]
fn the_page_shows_the_recipe() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/authorities.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let begin = page.find("```sh\n# 1. ").unwrap() + "```sh\n".len();
    let end = begin + page[begin..].find("```\n").unwrap();
    let recipe = recipe::openssl("partner-ica", &Workshop::new().request("asking"));
    let made = format!("{}{recipe}{}", &page[..begin], &page[end..]);
    if std::env::var_os("WRITE_GENERATED_FILES").is_some() {
        std::fs::write(path, made).unwrap();
    } else {
        assert!(made == page, "WRITE_GENERATED_FILES=1 cargo test -p certificate-chain the_page");
    }
}

const PLAIN: &str = "request it service '/CN=07b5d73a70e046f288ddc64518bc517e'";

#[test]
fn what_it_makes_passes_without_a_warning() {
    for script in [
        PLAIN,
        // What the test of Microsoft's command line asks for.
        "cp asking.csr it.csr",
        "request it service /CN=x 'basicConstraints=critical,CA:TRUE'",
        "key service prime256v1; request it service /CN=x",
        "key service secp521r1; request it service /CN=x",
        "key service secp384r1 -param_enc explicit; request it service /CN=x",
        "request it service '/O=Contoso, Ltd./CN=an ICA with \"quotes\" and $(signs)'",
        "request it service /CN=x 'subjectAltName=critical,DNS:x;keyUsage=nonRepudiation;extendedKeyUsage=serverAuth,1.2.3.4;1.2.3.4.5=DER:04:02:01:02'",
    ] {
        let (folder, _, _, linted) = followed(script);
        assert!(linted.faults.is_empty() && linted.warnings.is_empty(), "{script}: {linted:#?}");
        // OpenSSL agrees.
        run(
            folder.path(),
            "openssl verify -CAfile root.pem it.pem && openssl verify -x509_strict -CAfile root.pem it.pem",
        );
    }
}

#[test]
fn what_the_request_asks_for_is_copied() {
    let script = "request it service /CN=x 'basicConstraints=critical,CA:TRUE,pathlen:1;subjectAltName=critical,DNS:x;keyUsage=nonRepudiation;extendedKeyUsage=serverAuth'";
    let (folder, _, _, _) = followed(script);
    let text = String::from_utf8(run(folder.path(), "openssl x509 -in it.pem -noout -text")).unwrap();
    for words in [
        "CA:TRUE, pathlen:1",
        "X509v3 Subject Alternative Name: critical\n                DNS:x",
        "Digital Signature, Non Repudiation, Certificate Sign, CRL Sign",
        "TLS Web Client Authentication, TLS Web Server Authentication",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let root = String::from_utf8(run(folder.path(), "openssl x509 -in root.pem -noout -text")).unwrap();
    assert!(root.contains("CA:TRUE, pathlen:2"), "one more CA than below the issuing one: {root}");
}

#[test]
fn following_it_again_keeps_the_root() {
    let (folder, text, ..) = followed(PLAIN);
    let root = || ["root.key", "root.pem"].map(|file| std::fs::read(folder.path().join(file)).unwrap());
    let before = root();
    let (commands, _) = text.split_once("policysync policies lint").unwrap();
    run(folder.path(), commands);
    assert!(before == root(), "a renewal would be signed by another root");
}

#[test]
fn only_its_owner_can_read_the_key() {
    let (folder, ..) = followed(PLAIN);
    let listed = String::from_utf8(run(folder.path(), "ls -l root.key")).unwrap();
    assert!(listed.starts_with("-rw-------"), "{listed}");
}

#[test]
fn a_hostile_name_stays_a_word() {
    let workshop = Workshop::new();
    let text = recipe::openssl("$(touch owned); ' \"\n../x", &workshop.request("request"));
    assert!(!text.contains("touch owned") && !text.contains("../"), "{text}");
    let text = recipe::openssl("partner-ica/short-lived", &workshop.request("request"));
    assert!(text.contains("lint partner-ica/short-lived --request partner-ica-short-lived.csr"), "{text}");
}
