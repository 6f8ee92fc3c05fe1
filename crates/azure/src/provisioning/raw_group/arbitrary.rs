//! Groups that no service would write, for property tests.

use proptest::prelude::*;
use serde_json::Value;

use super::reference;

/// Any JSON text, with numbers and spaces in spellings that no serializer would choose.
pub(crate) fn any_json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        "-?[1-9][0-9]{0,30}",
        "-?(0|[1-9][0-9]{0,5})\\.[0-9]{1,25}",
        "[1-9]\\.[0-9][eE][+-]?[0-9]{1,2}",
        ".{0,8}".prop_map(|text| Value::from(text).to_string()),
        Just(r#""\u00e9\/""#.to_owned()),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4)
                .prop_map(|items| format!("[ {} ]", items.join(" ,\n"))),
            proptest::collection::vec(("[a-z]{1,4}", inner), 0..4).prop_map(|members| {
                let members: Vec<_> =
                    members.iter().map(|(name, value)| format!("\"{name}\" : {value}")).collect();
                format!("{{{}}}", members.join(", "))
            }),
        ]
    })
}

/// Any enrollment group: members of any name and value, those that name a policy among them or not, in any place.
pub(crate) fn any_group() -> impl Strategy<Value = Vec<(String, String)>> {
    let members = proptest::collection::btree_map("[a-zA-Zé\"\\\\]{1,12}", any_json(), 0..8);
    let names = prop_oneof![
        Just("credentialPolicyName"),
        Just("CredentialPolicyName"),
        Just("namespaceName"),
        Just("NamespaceName"),
        Just("certificateAuthorityName"),
        Just("certificatePolicyName")
    ];
    let references = proptest::collection::vec((names, any_json(), any::<proptest::sample::Index>()), 0..5);
    (members, references).prop_map(|(members, references)| {
        let mut members: Vec<(String, String)> =
            members.into_iter().filter(|(name, _)| !reference::is_reference(name)).collect();
        for (name, value, place) in references {
            if !members.iter().any(|(known, _)| known.eq_ignore_ascii_case(name)) {
                let place = place.index(members.len() + 1);
                members.insert(place, (name.to_owned(), value));
            }
        }
        members
    })
}

/// A whole reference of either generation.
pub(crate) fn any_reference() -> impl Strategy<Value = String> {
    let name = "[a-z][a-z0-9-]{2,20}";
    prop_oneof![name, (name, name, name).prop_map(|(a, b, c)| format!("{a}/{b}/{c}"))]
}

/// The text of an object with these members, spaced as no serializer would.
pub(crate) fn object(members: &[(String, String)]) -> String {
    let members: Vec<_> =
        members.iter().map(|(name, value)| format!("{} : {value}", Value::from(name.as_str()))).collect();
    format!("{{\n{}\n}}", members.join(" ,\n"))
}
