//! Each requirement on the certificate of an external CA, and each chain that breaks it.

use rcgen::{
    CertificateSigningRequestParams, CustomExtension, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P521_SHA512,
    PKCS_ED25519, SignatureAlgorithm,
};

use super::*;

const TABLE: ChainRules = ChainRules { requires_client_auth: false, path_length: None };
const SCRIPT: ChainRules = ChainRules { requires_client_auth: true, path_length: None };

fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}

/// A customer's CA.
struct Signer {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Signer {
    fn root() -> Self {
        Self::root_with(&PKCS_ECDSA_P384_SHA384, |_| {})
    }

    fn root_with(
        algorithm: &'static SignatureAlgorithm,
        change: impl FnOnce(&mut CertificateParams),
    ) -> Self {
        let key = KeyPair::generate_for(algorithm).unwrap();
        let mut params = ca("Customer Root", 3650, BasicConstraints::Constrained(2));
        change(&mut params);
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    fn below(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> Self {
        let key = new_key().unwrap();
        let mut params = ca(name, 3650, BasicConstraints::Constrained(1));
        change(&mut params);
        let pem = params.signed_by(&key, &self.issuer).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// Signs what the request asks for, with changes.
    fn sign(&self, request: &str, change: impl FnOnce(&mut CertificateParams)) -> String {
        let mut request = CertificateSigningRequestParams::from_pem(request).unwrap();
        request.params.not_before = now() - Duration::minutes(1);
        request.params.not_after = now() + Duration::days(730);
        change(&mut request.params);
        request.signed_by(&self.issuer).unwrap().pem()
    }
}

fn ca(name: &str, days: i64, constraints: BasicConstraints) -> CertificateParams {
    authority_params(name, now() - Duration::minutes(1), now() + Duration::days(days), constraints)
}

/// Basic constraints with CA true, written by hand: the library always makes them critical.
fn constraints(critical: bool) -> CustomExtension {
    let mut extension = CustomExtension::from_oid_content(&[2, 5, 29, 19], vec![0x30, 3, 1, 1, 0xff]);
    extension.set_criticality(critical);
    extension
}

#[test]
fn a_request_asks_for_what_its_certificate_needs_and_a_signer_that_copies_it_does_well() {
    let (root, pending) = (Signer::root(), PendingAuthority::new("Factory CA").unwrap());
    let chain = root.sign(pending.request(), |_| {}) + &root.pem;
    let one = ChainRules { requires_client_auth: true, path_length: Some(1) };
    for rules in [TABLE, SCRIPT, one] {
        pending.check(&chain, rules, now()).unwrap();
    }
    let active = pending.activate(&chain, SCRIPT, now()).unwrap();
    assert_eq!((active.subject().as_str(), active.chain().len()), ("CN=Factory CA", 2));
}

#[test]
fn other_chains_that_are_right_are_taken() {
    let (root, pending) = (Signer::root(), PendingAuthority::new("Factory CA").unwrap());
    let take = |chain: &str| pending.check(chain, SCRIPT, now()).unwrap();
    take(&root.sign(pending.request(), |_| {}));
    let middle = root.below("Customer Middle", |_| {});
    let signed = middle.sign(pending.request(), |_| {});
    take(&format!("{signed}{}{}", middle.pem, root.pem));
    take(&format!("the issuing CA\r\n{signed}\n\n{}\n", middle.pem.replace('\n', "\r\n")));
    take(&root.sign(pending.request(), |params| {
        params.distinguished_name = common_name("  FACTORY   ca ");
    }));
    take(&root.sign(pending.request(), |params| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained)));
    take(&root.sign(pending.request(), |params| params.not_after = now() + Duration::days(366)));
    for algorithm in [&PKCS_ECDSA_P256_SHA256, &PKCS_ECDSA_P521_SHA512] {
        let root = Signer::root_with(algorithm, |_| {});
        take(&(root.sign(pending.request(), |_| {}) + &root.pem));
    }
}

#[test]
fn a_signed_certificate_that_breaks_a_requirement_is_refused_with_it() {
    type Change = fn(&mut CertificateParams);
    let cases: [(Change, &str); 12] = [
        (|params| params.distinguished_name = common_name("Other CA"), "subject"),
        (|params| params.is_ca = IsCa::ExplicitNoCa, "CA true"),
        (|params| params.is_ca = IsCa::NoCa, "no basic constraints"),
        (
            |params| {
                params.is_ca = IsCa::NoCa;
                params.custom_extensions = vec![constraints(false)];
            },
            "critical",
        ),
        (
            |params| {
                params.is_ca = IsCa::NoCa;
                params.custom_extensions = vec![constraints(true)];
            },
            "subject key identifier",
        ),
        (|params| params.key_usages.retain(|usage| *usage != KeyUsagePurpose::DigitalSignature), "key usage"),
        (|params| params.key_usages.retain(|usage| *usage != KeyUsagePurpose::KeyCertSign), "key usage"),
        (|params| params.key_usages.retain(|usage| *usage != KeyUsagePurpose::CrlSign), "key usage"),
        (|params| params.key_usages.clear(), "key usage"),
        (|params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth], "clientAuth"),
        (|params| params.not_before = now() + Duration::hours(1), "not valid yet"),
        (|params| params.not_after = now() - Duration::seconds(5), "expired"),
    ];
    let (root, pending) = (Signer::root(), PendingAuthority::new("Factory CA").unwrap());
    for (change, problem) in cases {
        let chain = root.sign(pending.request(), change) + &root.pem;
        for rules in [TABLE, SCRIPT] {
            let error = pending.check(&chain, rules, now()).unwrap_err().to_string();
            assert!(error.contains(problem), "{error} in place of {problem}");
        }
    }
    let early = root.sign(pending.request(), |params| params.not_after = now() + Duration::days(364));
    assert_eq!(pending.check(&early, SCRIPT, now()), Err(PkiError::ExpiringSoon));
    let short =
        root.sign(pending.request(), |params| params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0)));
    let one = ChainRules { requires_client_auth: true, path_length: Some(1) };
    assert!(pending.check(&short, one, now()).unwrap_err().to_string().contains("path length"));
}

#[test]
fn whether_client_auth_is_needed_is_a_rule() {
    let (root, pending) = (Signer::root(), PendingAuthority::new("Factory CA").unwrap());
    let without = root.sign(pending.request(), |params| params.extended_key_usages.clear());
    pending.check(&without, TABLE, now()).unwrap();
    assert_eq!(pending.check(&without, SCRIPT, now()), Err(PkiError::NoClientAuth));
}

#[test]
fn a_chain_that_does_not_hold_together_is_refused_with_the_reason() {
    let (root, pending) = (Signer::root(), PendingAuthority::new("Factory CA").unwrap());
    let (other, other_root) = (PendingAuthority::new("Factory CA").unwrap(), Signer::root());
    let middle = root.below("Customer Middle", |_| {});
    let signed = root.sign(pending.request(), |_| {});
    let deep = middle.sign(pending.request(), |_| {});
    let with = |above: &Signer| above.sign(pending.request(), |_| {}) + &above.pem;
    let edwards = Signer::root_with(&PKCS_ED25519, |_| {});
    let key_block = pem("PRIVATE KEY", &root.issuer.key().serialize_der());
    let cases = [
        (root.sign(other.request(), |_| {}) + &root.pem, "not for the key"),
        (root.pem.clone() + &signed, "not for the key"),
        (signed.clone() + &other_root.pem, "signed by the next"),
        (deep.clone() + &root.pem, "signed by the next"),
        (format!("{deep}{}{}", root.pem, middle.pem), "signed by the next"),
        (signed.clone() + &signed, "signed by the next"),
        (with(&edwards), "ECDSA"),
        (
            with(&Signer::root_with(&PKCS_ECDSA_P384_SHA384, |root| root.is_ca = IsCa::ExplicitNoCa)),
            "of a CA",
        ),
        (
            with(&Signer::root_with(&PKCS_ECDSA_P384_SHA384, |root| {
                root.key_usages = vec![KeyUsagePurpose::DigitalSignature];
            })),
            "may not sign",
        ),
        (
            with(&Signer::root_with(&PKCS_ECDSA_P384_SHA384, |root| {
                root.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
            })),
            "longer",
        ),
        (with(&root.below("Old", |old| old.not_after = now() - Duration::seconds(5))), "expired"),
        (with(&root.below("New", |new| new.not_before = now() + Duration::hours(1))), "not valid yet"),
        (signed.clone() + &key_block, "list of PEM certificates"),
        (key_block.clone() + &signed, "list of PEM certificates"),
        (root.pem.repeat(9), "too many"),
        (signed.replace('\n', "\\n"), "PEM"),
        (signed[..signed.len() / 2].to_owned(), "PEM"),
        (pem("CERTIFICATE", b"no certificate"), "hold a certificate"),
        (pending.request().to_owned(), "list of PEM certificates"),
        ("no".to_owned(), "PEM"),
        (String::new(), "PEM"),
    ];
    for (chain, problem) in cases {
        let error = pending.check(&chain, SCRIPT, now()).unwrap_err().to_string();
        assert!(error.contains(problem), "{error} in place of {problem}");
        assert!(!error.contains("PRIVATE"), "{error}");
    }
    pending.check(&signed, SCRIPT, now()).unwrap();
}
