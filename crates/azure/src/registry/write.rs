//! The request of each write. Bodies as in `azure-wire-facts.md` §1.3 and §2.4: a policy is sent without location and tags.

use certificate_management::ArmId;
use certificate_management::declared::{Signer, Write};
use certificate_management::generation::Generation;
use reqwest::Method;
use serde_json::{Value, json};

/// A write as it is sent. Its path is the resource's id.
pub(super) struct Request {
    pub method: Method,
    pub generation: Generation,
    pub body: Value,
}

pub(super) fn request(resource: &ArmId, write: &Write) -> Request {
    let is_second = resource.named("certificateAuthorities").is_some();
    let generation = if is_second { Generation::CertificateAuthorities } else { Generation::Credentials };
    let (method, body) = match write {
        Write::Credential { location } => (Method::PUT, json!({"location": location, "properties": {}})),
        Write::Authority { location, signer } => (Method::PUT, authority(location, signer)),
        Write::CredentialPolicy { leaf_validity_days, own_root } => {
            let mut authority = json!({"keyType": "ECC"});
            if *own_root {
                authority["bringYourOwnRoot"] = json!({"enabled": true});
            }
            (Method::PUT, of_credential(authority, *leaf_validity_days))
        }
        Write::CertificatePolicy { leaf_validity_days } => (Method::PUT, of_authority(*leaf_validity_days)),
        Write::LeafValidity { to, .. } if is_second => (Method::PATCH, of_authority(*to)),
        Write::LeafValidity { to, .. } => (Method::PATCH, of_credential(json!({}), *to)),
    };
    Request { method, generation, body }
}

fn authority(location: &str, signer: &Signer) -> Value {
    let properties = match signer {
        Signer::Itself => json!({"certificateAuthorityType": "Root", "keyType": "ECC"}),
        Signer::Root { root } => json!({
            "certificateAuthorityType": "ICA",
            "keyType": "ECC",
            "issuer": {"issuerType": "Microsoft", "certificateAuthorityResourceId": root.as_str()},
        }),
        Signer::External => json!({
            "certificateAuthorityType": "ICA",
            "keyType": "ECC",
            "issuer": {"issuerType": "External"},
        }),
    };
    json!({"location": location, "properties": properties})
}

fn of_credential(authority: Value, leaf_validity_days: u32) -> Value {
    json!({"properties": {"certificate": {
        "certificateAuthorityConfiguration": authority,
        "leafCertificateConfiguration": {"validityPeriodInDays": leaf_validity_days},
    }}})
}

fn of_authority(leaf_validity_days: u32) -> Value {
    json!({"properties": {"certificate": {"validityPeriodInDays": leaf_validity_days}}})
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMESPACE: &str =
        "/subscriptions/S/resourceGroups/R/providers/Microsoft.DeviceRegistry/namespaces/contoso";

    #[test]
    fn each_write_has_the_body_of_the_published_examples() {
        let namespace = ArmId::parse(NAMESPACE).unwrap();
        let authority = namespace.child("certificateAuthorities", "lines");
        let credential = namespace.child("credentials", "default");
        let location = || "westeurope".to_owned();
        let signed = |signer| Write::Authority { location: location(), signer };
        let root = Signer::Root { root: namespace.child("certificateAuthorities", "root") };
        let rows: Vec<String> = [
            (&credential, Write::Credential { location: location() }),
            (
                &credential.child("policies", "p"),
                Write::CredentialPolicy { leaf_validity_days: 10, own_root: false },
            ),
            (
                &credential.child("policies", "p"),
                Write::CredentialPolicy { leaf_validity_days: 10, own_root: true },
            ),
            (&credential.child("policies", "p"), Write::LeafValidity { from: 10, to: 14 }),
            (&authority, signed(Signer::Itself)),
            (&authority, signed(root)),
            (&authority, signed(Signer::External)),
            (
                &authority.child("certificatePolicies", "p"),
                Write::CertificatePolicy { leaf_validity_days: 30 },
            ),
            (&authority.child("certificatePolicies", "p"), Write::LeafValidity { from: 30, to: 60 }),
        ]
        .into_iter()
        .map(|(id, write)| {
            let request = request(id, &write);
            format!("{} {} {}", request.method, request.generation, request.body)
        })
        .collect();
        assert_eq!(
            rows,
            [
                r#"PUT credentials {"location":"westeurope","properties":{}}"#.to_owned(),
                r#"PUT credentials {"properties":{"certificate":{"certificateAuthorityConfiguration":{"keyType":"ECC"},"leafCertificateConfiguration":{"validityPeriodInDays":10}}}}"#.to_owned(),
                r#"PUT credentials {"properties":{"certificate":{"certificateAuthorityConfiguration":{"keyType":"ECC","bringYourOwnRoot":{"enabled":true}},"leafCertificateConfiguration":{"validityPeriodInDays":10}}}}"#.to_owned(),
                r#"PATCH credentials {"properties":{"certificate":{"certificateAuthorityConfiguration":{},"leafCertificateConfiguration":{"validityPeriodInDays":14}}}}"#.to_owned(),
                r#"PUT certificate-authorities {"location":"westeurope","properties":{"certificateAuthorityType":"Root","keyType":"ECC"}}"#.to_owned(),
                format!(r#"PUT certificate-authorities {{"location":"westeurope","properties":{{"certificateAuthorityType":"ICA","keyType":"ECC","issuer":{{"issuerType":"Microsoft","certificateAuthorityResourceId":"{NAMESPACE}/certificateAuthorities/root"}}}}}}"#),
                r#"PUT certificate-authorities {"location":"westeurope","properties":{"certificateAuthorityType":"ICA","keyType":"ECC","issuer":{"issuerType":"External"}}}"#.to_owned(),
                r#"PUT certificate-authorities {"properties":{"certificate":{"validityPeriodInDays":30}}}"#.to_owned(),
                r#"PATCH certificate-authorities {"properties":{"certificate":{"validityPeriodInDays":60}}}"#.to_owned(),
            ]
        );
    }
}
