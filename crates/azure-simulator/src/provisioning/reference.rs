//! The members by which an enrollment group names its policy: one in generation A, three in generation B, all or none
//! (`azure-wire-facts.md` §0, §3).

use serde_json::{Map, Value};

use super::api_version::ApiVersion;
use super::error::ServiceError;
use crate::world::enrollment::PolicyReference;

/// Generation A.
pub(super) const CREDENTIAL_POLICY: &str = "credentialPolicyName";
/// Generation B: the namespace, by its name.
pub(super) const NAMESPACE: &str = "namespaceName";
/// Generation B: the issuing CA, never the root.
pub(super) const CERTIFICATE_AUTHORITY: &str = "certificateAuthorityName";
/// Generation B: the policy of that CA.
pub(super) const CERTIFICATE_POLICY: &str = "certificatePolicyName";

/// The members of generation B.
pub(super) const CERTIFICATE_POLICY_MEMBERS: [&str; 3] =
    [NAMESPACE, CERTIFICATE_AUTHORITY, CERTIFICATE_POLICY];

/// The members that name a policy and do not exist in a version.
pub(super) fn unknown_members(version: ApiVersion) -> &'static [&'static str] {
    match version {
        ApiVersion::V2021_10_01 => &[CREDENTIAL_POLICY, NAMESPACE, CERTIFICATE_AUTHORITY, CERTIFICATE_POLICY],
        ApiVersion::V2025_07_01Preview => &CERTIFICATE_POLICY_MEMBERS,
        ApiVersion::V2026_11_01 | ApiVersion::V2026_11_02Preview => &[CREDENTIAL_POLICY],
    }
}

/// The policy of a group. A policy of generation B wins over one of generation A, which can only be a leftover.
pub(super) fn read(document: &Map<String, Value>) -> Option<PolicyReference> {
    let own = |member: &str| text(document, member).map(str::to_owned);
    match CERTIFICATE_POLICY_MEMBERS.map(own) {
        [Some(namespace), Some(authority), Some(policy)] => {
            Some(PolicyReference::Certificate { namespace, authority, policy })
        }
        _ => own(CREDENTIAL_POLICY).map(PolicyReference::Credential),
    }
}

/// Checks that a client's reference is complete. Ignores members that the client's version does not know.
///
/// # Errors
/// 400 for a member that is no text, or for a part of the three.
pub(super) fn check(document: &Map<String, Value>, version: ApiVersion) -> Result<(), ServiceError> {
    let unknown = unknown_members(version);
    for member in [CREDENTIAL_POLICY].iter().chain(&CERTIFICATE_POLICY_MEMBERS) {
        let fits = matches!(document.get(*member), None | Some(Value::Null | Value::String(_)));
        if !fits && !unknown.contains(member) {
            return Err(ServiceError::new(400_000, format!("{member} is not a string.")));
        }
    }
    if unknown.contains(&NAMESPACE) {
        return Ok(());
    }
    let given = CERTIFICATE_POLICY_MEMBERS.iter().filter(|member| text(document, member).is_some()).count();
    match given {
        0 | 3 => Ok(()),
        _ => Err(ServiceError::new(
            400_000,
            format!("{} must be given together or not at all.", CERTIFICATE_POLICY_MEMBERS.join(", ")),
        )),
    }
}

/// An empty text is none.
fn text<'a>(document: &'a Map<String, Value>, member: &str) -> Option<&'a str> {
    document.get(member).and_then(Value::as_str).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use crate::device::{Device, DeviceError};
    use crate::fleet::{Generation, UnknownPolicy, UnknownReference};
    use crate::testing::*;
    use reqwest::Method;
    use serde_json::{Value, json};

    const GROUPS: &str = "/dps/contoso-dps/enrollmentGroups";

    fn path(id: &str) -> String {
        format!("{GROUPS}/{id}")
    }

    /// A group that names a certificate policy.
    fn naming(id: &str, namespace: &str, authority: &str, policy: &str) -> Value {
        let mut body = group(id);
        body["namespaceName"] = namespace.into();
        body["certificateAuthorityName"] = authority.into();
        body["certificatePolicyName"] = policy.into();
        body
    }

    fn members(group: &Value) -> [Value; 4] {
        ["credentialPolicyName", "namespaceName", "certificateAuthorityName", "certificatePolicyName"]
            .map(|member| group.get(member).cloned().unwrap_or_default())
    }

    #[tokio::test]
    async fn each_version_shows_the_members_that_it_knows() {
        let served = Served::both().await;
        let shown = async |id: &str, version: &str| members(&served.get(&path(id), version).await.body);
        let none = Value::Null;
        let three = || [none.clone(), json!("contoso"), json!("factory-ica"), json!("short-lived")];
        let nothing = || [none.clone(), none.clone(), none.clone(), none.clone()];
        let one = [json!("default"), none.clone(), none.clone(), none.clone()];
        assert_eq!(shown("line-1", DPS_B).await, three());
        assert_eq!(shown("line-1", "2026-11-02-preview").await, three());
        assert_eq!(shown("line-1", DPS).await, nothing());
        assert_eq!(shown("legacy", DPS).await, one);
        assert_eq!(shown("legacy", DPS_B).await, nothing());
        assert_eq!(shown("legacy", "2021-10-01").await, nothing());
        let query = served.post(&format!("{GROUPS}/query"), DPS_B, Some(json!({"query": "SELECT *"}))).await;
        let groups: Vec<_> = query.body.as_array().unwrap().iter().map(members).collect();
        assert_eq!(groups, [nothing(), three()], "both kinds on one service");
    }

    #[tokio::test]
    async fn a_write_of_another_version_drops_the_policy_or_keeps_it_as_the_fleet_says() {
        for (rule, kept) in [(UnknownReference::Drop, false), (UnknownReference::Keep, true)] {
            let served = Served::both_with(|fleet| fleet.unknown_reference = rule).await;
            served.put(&path("line-1"), DPS, group("line-1")).await;
            assert_eq!(members(&served.get(&path("line-1"), DPS_B).await.body)[1] == "contoso", kept);
            served
                .put(&path("legacy"), DPS_B, naming("legacy", "contoso", "factory-ica", "short-lived"))
                .await;
            assert_eq!(members(&served.get(&path("legacy"), DPS).await.body)[0] == "default", kept);
            assert_eq!(members(&served.get(&path("legacy"), DPS_B).await.body)[2], "factory-ica");
        }
    }

    #[tokio::test]
    async fn a_part_of_the_reference_a_root_and_another_namespace_are_refused() {
        let served = Served::both().await;
        for missing in ["namespaceName", "certificateAuthorityName", "certificatePolicyName"] {
            for empty in [Value::Null, json!("")] {
                let mut body = naming("line-9", "contoso", "factory-ica", "short-lived");
                body[missing] = empty;
                let answer = served.put(&path("line-9"), DPS_B, body).await;
                assert_eq!(answer.status, 400, "{missing}");
                assert!(answer.body["message"].as_str().unwrap().contains("together"), "{answer:?}");
            }
        }
        let mut body = naming("line-9", "contoso", "factory-ica", "short-lived");
        body["namespaceName"] = json!(7);
        assert_eq!(served.put(&path("line-9"), DPS_B, body).await.status, 400);
        for (namespace, authority) in [("contoso", "factory-root"), ("fabrikam", "factory-ica")] {
            let body = naming("line-9", namespace, authority, "short-lived");
            assert_eq!(served.put(&path("line-9"), DPS_B, body).await.status, 400, "{namespace}/{authority}");
        }
        let body = naming("line-9", "Contoso", "Factory-ICA", "Short-lived");
        assert_eq!(served.put(&path("line-9"), DPS_B, body).await.status, 200);
    }

    #[tokio::test]
    async fn a_policy_that_does_not_exist_is_taken_or_refused_as_the_fleet_says() {
        for (rule, status) in [(UnknownPolicy::Accept, 200), (UnknownPolicy::Refuse, 400)] {
            let served = Served::both_with(|fleet| fleet.unknown_policy = rule).await;
            for (authority, policy) in [("gone", "short-lived"), ("factory-ica", "gone")] {
                let answer =
                    served.put(&path("line-9"), DPS_B, naming("line-9", "contoso", authority, policy)).await;
                assert_eq!(answer.status, status, "{authority}/{policy}");
            }
        }
    }

    #[tokio::test]
    async fn a_service_that_does_not_know_its_namespace_learns_of_it_by_a_write_of_its_tags() {
        let served = Served::both_with(|fleet| {
            fleet.namespaces[0].provisioning_services[0].unaware_of_namespace = true;
        })
        .await;
        let put = async || {
            served
                .put(&path("line-9"), DPS_B, naming("line-9", "contoso", "factory-ica", "short-lived"))
                .await
        };
        let refused = put().await;
        assert_eq!((refused.status, &refused.body["errorCode"]), (400, &json!(400_004)));
        assert_eq!(
            served.put(&path("line-8"), DPS_B, group("line-8")).await.status,
            200,
            "without a policy it goes"
        );
        let target = format!("{SERVICE}?api-version=2026-11-01");
        let tagged = served.call(Method::PATCH, &target, &[], Some(json!({"tags": {"again": "1"}}))).await;
        assert_eq!((tagged.status, &tagged.body["tags"]["again"]), (200, &json!("1")));
        assert_eq!(put().await.status, 200);
    }

    #[tokio::test]
    async fn roles_that_have_not_replicated_yet_are_403000_for_a_while() {
        let served = Served::both_with(|fleet| {
            fleet.namespaces[0].provisioning_services[0].roles_replicate_after_seconds = 90;
        })
        .await;
        let put = async || {
            served
                .put(&path("line-9"), DPS_B, naming("line-9", "contoso", "factory-ica", "short-lived"))
                .await
        };
        let refused = put().await;
        assert_eq!((refused.status, &refused.body["errorCode"]), (403, &json!(403_000)));
        served.wait(91);
        assert_eq!(put().await.status, 200);
    }

    #[tokio::test]
    async fn a_cloud_of_one_generation_has_the_versions_of_that_one_only() {
        for (offers, has_a, has_b) in [
            (Generation::Credentials, 200, 400),
            (Generation::CertificateAuthorities, 400, 200),
            (Generation::Both, 200, 200),
        ] {
            let served = Served::both_with(|fleet| fleet.offers = Some(offers)).await;
            assert_eq!(served.get(&path("line-1"), DPS).await.status, has_a);
            assert_eq!(served.get(&path("line-1"), DPS_B).await.status, has_b);
            assert_eq!(served.get(&path("line-1"), "2021-10-01").await.status, 200);
        }
    }

    #[tokio::test]
    async fn a_device_gets_its_certificate_from_the_issuing_ca_of_the_three() {
        let served = Served::both().await;
        let scope = served.state()["idScopes"]["contoso-dps"].as_str().unwrap().to_owned();
        let key = served.group_key("line-1").await;
        let device = Device::new("pump-1").unwrap();
        let registered = device.register(&served.base_url, &scope, &key).await.unwrap();
        assert_eq!(registered.chain.len(), 3);
        let (_, certificate) = served.authority_on(HUB_A, "factory-ica").await.unwrap();
        assert_eq!(certificate["thumbprint"], crate::pki::sha1_thumbprint(&registered.chain[1]));

        served.put(&path("pending"), DPS_B, naming("pending", "contoso", "partner-ica", "partner")).await;
        let key = served.group_key("pending").await;
        let refused = device.register(&served.base_url, &scope, &key).await.unwrap_err();
        assert!(
            matches!(&refused, DeviceError::NotAssigned(why) if why.contains("partner-ica")),
            "{refused}"
        );
    }

    #[tokio::test]
    async fn a_namespace_left_failed_admits_no_device() {
        let served =
            Served::both_with(|fleet| fleet.namespaces[0].provisioning_state = "Failed".to_owned()).await;
        let scope = served.state()["idScopes"]["contoso-dps"].as_str().unwrap().to_owned();
        let key = served.group_key("line-1").await;
        let refused =
            Device::new("pump-1").unwrap().register(&served.base_url, &scope, &key).await.unwrap_err();
        assert!(matches!(&refused, DeviceError::Refused { code: 403_000, .. }), "{refused}");
    }
}
