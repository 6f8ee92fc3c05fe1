use super::*;
use rcgen::{PKCS_ECDSA_P256_SHA256, SignatureAlgorithm};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;

fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}

fn root() -> Authority {
    Authority::root("root", now(), now() + Duration::days(3650)).unwrap()
}

fn request(name: &str, algorithm: &'static SignatureAlgorithm) -> Vec<u8> {
    let mut params = CertificateParams::default();
    params.distinguished_name = common_name(name);
    params.serialize_request(&KeyPair::generate_for(algorithm).unwrap()).unwrap().der().to_vec()
}

#[test]
fn a_device_certificate_is_signed_by_its_issuing_ca_and_that_by_the_root() {
    let issuing =
        root().issuing("07b5d73a70e046f288ddc64518bc517e", now(), now() + Duration::days(30)).unwrap();
    let request = DeviceRequest::parse(&request("pump-1", &PKCS_ECDSA_P384_SHA384), "pump-1").unwrap();
    let chain = issuing.issue_device_certificate(&request, now(), 90).unwrap();
    let parsed: Vec<_> = chain.iter().map(|der| X509Certificate::from_der(der).unwrap().1).collect();
    assert_eq!(parsed.len(), 3);
    assert_eq!(parsed[0].subject().to_string(), "CN=pump-1");
    assert_eq!(parsed[1].subject().to_string(), "CN=07b5d73a70e046f288ddc64518bc517e");
    for pair in parsed.windows(2) {
        pair[0].verify_signature(Some(pair[1].public_key())).unwrap();
    }
    assert_eq!(
        parsed[0].validity().not_after.timestamp(),
        issuing.not_after().unix_timestamp(),
        "a leaf never outlives its issuer"
    );
}

#[test]
fn a_request_of_another_name_or_curve_or_form_is_refused() {
    for (der, problem) in [
        (request("pump-2", &PKCS_ECDSA_P384_SHA384), "common name"),
        (request("pump-1", &PKCS_ECDSA_P256_SHA256), "P-384"),
        (b"pump-1".to_vec(), "PKCS #10"),
    ] {
        let error = DeviceRequest::parse(&der, "pump-1").unwrap_err().to_string();
        assert!(error.contains(problem), "{error}");
    }
    let mut forged = request("pump-1", &PKCS_ECDSA_P384_SHA384);
    let last = forged.len() - 1;
    forged[last] ^= 1;
    DeviceRequest::parse(&forged, "pump-1").unwrap_err();
}

#[test]
fn thumbprints_are_upper_case_hex() {
    assert_eq!(sha1_thumbprint(b"abc"), "A9993E364706816ABA3E25717850C26C9CD0D89D");
    assert!(sha256_thumbprint(b"abc").starts_with("BA7816BF"));
}
