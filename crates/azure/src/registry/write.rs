//! The request of each write. Bodies as in `azure-wire-facts.md` §1.3 and §2.4: a policy is sent without location and tags.

use certificate_management::ArmId;
use certificate_management::declared::{Resource, Signer, Write};
use certificate_management::generation::Generation;
use reqwest::Method;
use serde_json::{Value, json};

/// A write as it is sent.
pub(super) struct Request {
    pub method: Method,
    pub path: ArmId,
    pub generation: Generation,
    pub body: Value,
}

pub(super) fn request(namespace: &ArmId, resource: &Resource, write: &Write) -> Request {
    let credential = || namespace.child("credentials", "default");
    let authority_id = |name: &str| namespace.child("certificateAuthorities", name);
    let (path, generation) = match resource {
        Resource::Credential => (credential(), Generation::Credentials),
        Resource::Authority { name } => (authority_id(name), Generation::CertificateAuthorities),
        Resource::Policy { name, authority: None } => {
            (credential().child("policies", name), Generation::Credentials)
        }
        Resource::Policy { name, authority: Some(authority) } => {
            (authority_id(authority).child("certificatePolicies", name), Generation::CertificateAuthorities)
        }
    };
    let is_second = generation == Generation::CertificateAuthorities;
    let (method, body) = match write {
        Write::Credential { location } => (Method::PUT, json!({"location": location, "properties": {}})),
        Write::Authority { location, signer } => (Method::PUT, authority(location, signer, authority_id)),
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
    Request { method, path, generation, body }
}

fn authority(location: &str, signer: &Signer, authority_id: impl Fn(&str) -> ArmId) -> Value {
    let properties = match signer {
        Signer::Itself => json!({"certificateAuthorityType": "Root", "keyType": "ECC"}),
        Signer::Root { root } => json!({
            "certificateAuthorityType": "ICA",
            "keyType": "ECC",
            "issuer": {"issuerType": "Microsoft", "certificateAuthorityResourceId": authority_id(root).as_str()},
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
        let authority = Resource::Authority { name: "lines".to_owned() };
        let policy = Resource::Policy { name: "p".to_owned(), authority: None };
        let below = Resource::Policy { name: "p".to_owned(), authority: Some("lines".to_owned()) };
        let location = || "westeurope".to_owned();
        let signed = |signer| Write::Authority { location: location(), signer };
        let root = Signer::Root { root: "root".to_owned() };
        let rows: Vec<String> = [
            (&Resource::Credential, Write::Credential { location: location() }),
            (&policy, Write::CredentialPolicy { leaf_validity_days: 10, own_root: false }),
            (&policy, Write::CredentialPolicy { leaf_validity_days: 10, own_root: true }),
            (&policy, Write::LeafValidity { from: 10, to: 14 }),
            (&authority, signed(Signer::Itself)),
            (&authority, signed(root)),
            (&authority, signed(Signer::External)),
            (&below, Write::CertificatePolicy { leaf_validity_days: 30 }),
            (&below, Write::LeafValidity { from: 30, to: 60 }),
        ]
        .into_iter()
        .map(|(resource, write)| {
            let request = request(&namespace, resource, &write);
            let path = request.path.as_str().replace(NAMESPACE, "");
            format!("{} {path} {} {}", request.method, request.generation, request.body)
        })
        .collect();
        assert_eq!(
            rows,
            [
                r#"PUT /credentials/default credentials {"location":"westeurope","properties":{}}"#.to_owned(),
                r#"PUT /credentials/default/policies/p credentials {"properties":{"certificate":{"certificateAuthorityConfiguration":{"keyType":"ECC"},"leafCertificateConfiguration":{"validityPeriodInDays":10}}}}"#.to_owned(),
                r#"PUT /credentials/default/policies/p credentials {"properties":{"certificate":{"certificateAuthorityConfiguration":{"keyType":"ECC","bringYourOwnRoot":{"enabled":true}},"leafCertificateConfiguration":{"validityPeriodInDays":10}}}}"#.to_owned(),
                r#"PATCH /credentials/default/policies/p credentials {"properties":{"certificate":{"certificateAuthorityConfiguration":{},"leafCertificateConfiguration":{"validityPeriodInDays":14}}}}"#.to_owned(),
                r#"PUT /certificateAuthorities/lines certificate-authorities {"location":"westeurope","properties":{"certificateAuthorityType":"Root","keyType":"ECC"}}"#.to_owned(),
                format!(r#"PUT /certificateAuthorities/lines certificate-authorities {{"location":"westeurope","properties":{{"certificateAuthorityType":"ICA","keyType":"ECC","issuer":{{"issuerType":"Microsoft","certificateAuthorityResourceId":"{NAMESPACE}/certificateAuthorities/root"}}}}}}"#),
                r#"PUT /certificateAuthorities/lines certificate-authorities {"location":"westeurope","properties":{"certificateAuthorityType":"ICA","keyType":"ECC","issuer":{"issuerType":"External"}}}"#.to_owned(),
                r#"PUT /certificateAuthorities/lines/certificatePolicies/p certificate-authorities {"properties":{"certificate":{"validityPeriodInDays":30}}}"#.to_owned(),
                r#"PATCH /certificateAuthorities/lines/certificatePolicies/p certificate-authorities {"properties":{"certificate":{"validityPeriodInDays":60}}}"#.to_owned(),
            ]
        );
    }
}
