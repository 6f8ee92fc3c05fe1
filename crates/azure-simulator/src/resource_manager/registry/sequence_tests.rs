//! No sequence of requests, times and mishaps panics, gets an answer of the kind 5xx, or leaves something behind that
//! does not hold together.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method};
use proptest::prelude::*;
use serde_json::{Value, json};
use time::Duration;

use crate::arm::ArmRequest;
use crate::clock::Clock;
use crate::cloud::Cloud;
use crate::fleet::{Fleet, Moment};
use crate::start;
use crate::testing::*;
use crate::world::certificate_authority::Kind;
use crate::world::operation::{Outcome, Verdict};
use crate::world::resource::ProvisioningState;

const FLEET: &str = r#"
subscription = "S"
location = "East US 2"
[[namespace]]
name = "contoso"
resource_group = "R"
generation = "both"
[[namespace.certificate_authority]]
name = "factory-root"
type = "root"
[[namespace.hub]]
name = "hub-a"
"#;

#[derive(Debug, Clone)]
enum Act {
    Root(usize),
    Issuing(usize),
    External(usize),
    Policy(usize, usize),
    PatchPolicy(usize, usize),
    DeleteAuthority(usize),
    DeletePolicy(usize, usize),
    Activate(usize, bool),
    Revoke(usize),
    Namespace,
    DeleteNamespace,
    Credential,
    DeleteCredential,
    OlderPolicy(usize, bool),
    OlderActivate(usize),
    OlderRevoke(usize),
    DeleteOlderPolicy(usize),
    Synchronize,
    Wait(i64),
    Rotate(usize),
    Renew(usize),
    Fail(usize),
    Doom(usize, bool),
    Role(bool),
}

fn act() -> impl Strategy<Value = Act> {
    let (name, policy) = (0..NAMES.len(), 0..POLICIES.len());
    prop_oneof![
        1 => name.clone().prop_map(Act::Root),
        3 => name.clone().prop_map(Act::Issuing),
        2 => name.clone().prop_map(Act::External),
        4 => (name.clone(), policy.clone()).prop_map(|(name, policy)| Act::Policy(name, policy)),
        1 => (name.clone(), policy.clone()).prop_map(|(name, policy)| Act::PatchPolicy(name, policy)),
        2 => name.clone().prop_map(Act::DeleteAuthority),
        2 => (name.clone(), policy.clone()).prop_map(|(name, policy)| Act::DeletePolicy(name, policy)),
        3 => (name.clone(), any::<bool>()).prop_map(|(name, good)| Act::Activate(name, good)),
        2 => name.clone().prop_map(Act::Revoke),
        1 => Just(Act::Namespace),
        1 => Just(Act::DeleteNamespace),
        1 => Just(Act::Credential),
        1 => Just(Act::DeleteCredential),
        2 => (policy.clone(), any::<bool>()).prop_map(|(policy, own)| Act::OlderPolicy(policy, own)),
        1 => policy.clone().prop_map(Act::OlderActivate),
        1 => policy.clone().prop_map(Act::OlderRevoke),
        1 => policy.prop_map(Act::DeleteOlderPolicy),
        1 => Just(Act::Synchronize),
        8 => prop_oneof![Just(0), Just(1), Just(2), Just(100), Just(86_400), Just(100 * 86_400), Just(4_000 * 86_400)]
            .prop_map(Act::Wait),
        1 => name.clone().prop_map(Act::Rotate),
        1 => name.clone().prop_map(Act::Renew),
        1 => name.clone().prop_map(Act::Fail),
        1 => (name, any::<bool>()).prop_map(|(name, cancels)| Act::Doom(name, cancels)),
        1 => any::<bool>().prop_map(Act::Role),
    ]
}

const NAMES: [&str; 5] = ["factory-root", "ica-1", "ica-2", "ica-3", "Ica-4"];
const POLICIES: [&str; 2] = ["policy-1", "policy-2"];

fn send(cloud: &Cloud, method: Method, path: &str, version: &str, body: Option<Value>) {
    let uri = format!("{path}?api-version={version}").parse().unwrap();
    let bytes = body.map(|body| Bytes::from(body.to_string())).unwrap_or_default();
    let request = ArmRequest::parse(method.clone(), &uri, HeaderMap::new(), bytes).unwrap();
    let status = match super::super::answer(cloud, &request) {
        Ok(answer) => answer.status(),
        Err(error) => error.status,
    };
    assert!(!status.is_server_error(), "{method} {path}: {status}");
}

fn perform(cloud: &Cloud, act: &Act) {
    let put = |path: String, body: Value| send(cloud, Method::PUT, &path, ADR_B, Some(body));
    let authority = |properties: Value| json!({"location": "East US 2", "properties": properties});
    let days = |days: u32| json!({"properties": {"certificate": {"validityPeriodInDays": days}}});
    let chain = |request: Option<String>| json!({"certificateChain": request.map_or("no".to_owned(), |pem| sign(&pem))});
    let credential = format!("{NAMESPACE}/credentials/default");
    match *act {
        Act::Root(name) => put(
            authority_id(NAMES[name]),
            authority(json!({"certificateAuthorityType": "Root", "keyType": "ECC"})),
        ),
        Act::Issuing(name) => put(authority_id(NAMES[name]), issuing()),
        Act::External(name) => put(
            authority_id(NAMES[name]),
            authority(json!({"certificateAuthorityType": "ICA", "keyType": "ECC",
                "issuer": {"issuerType": "External"}})),
        ),
        Act::Policy(name, policy) => put(certificate_policy_id(NAMES[name], POLICIES[policy]), days(7)),
        Act::PatchPolicy(name, policy) => {
            let id = certificate_policy_id(NAMES[name], POLICIES[policy]);
            send(cloud, Method::PATCH, &id, ADR_B, Some(days(9)));
        }
        Act::DeleteAuthority(name) => send(cloud, Method::DELETE, &authority_id(NAMES[name]), ADR_B, None),
        Act::DeletePolicy(name, policy) => {
            let id = certificate_policy_id(NAMES[name], POLICIES[policy]);
            send(cloud, Method::DELETE, &id, ADR_B, None);
        }
        Act::Activate(name, good) => {
            let world = cloud.lock();
            let found = world.namespace(NAMESPACE).and_then(|one| one.certificate_authority(NAMES[name]));
            let request = found.and_then(|one| Some(one.pending.as_ref()?.request().to_owned()));
            drop(world);
            let path = format!("{}/activate", authority_id(NAMES[name]));
            send(cloud, Method::POST, &path, ADR_B, Some(chain(request.filter(|_| good))));
        }
        Act::Revoke(name) => {
            send(cloud, Method::POST, &format!("{}/revokeAndRotate", authority_id(NAMES[name])), ADR_B, None);
        }
        Act::Namespace => put(NAMESPACE.to_owned(), json!({"location": "East US 2"})),
        Act::DeleteNamespace => send(cloud, Method::DELETE, NAMESPACE, ADR_B, None),
        Act::Credential => {
            send(cloud, Method::PUT, &credential, ADR, Some(json!({"location": "East US 2"})));
        }
        Act::DeleteCredential => send(cloud, Method::DELETE, &credential, ADR, None),
        Act::OlderPolicy(policy, own) => {
            let body = json!({"properties": {"certificate": {"certificateAuthorityConfiguration":
                {"keyType": "ECC", "bringYourOwnRoot": {"enabled": own}}}}});
            send(cloud, Method::PUT, &policy_id(POLICIES[policy]), ADR, Some(body));
        }
        Act::OlderActivate(policy) => {
            let world = cloud.lock();
            let found = world.namespace(NAMESPACE).and_then(|one| one.policy(POLICIES[policy]));
            let request = found.and_then(|one| Some(one.pending.as_ref()?.request().to_owned()));
            drop(world);
            let path = format!("{}/activateBringYourOwnRoot", policy_id(POLICIES[policy]));
            send(cloud, Method::POST, &path, ADR, Some(chain(request)));
        }
        Act::OlderRevoke(policy) => {
            send(cloud, Method::POST, &format!("{}/revokeIssuer", policy_id(POLICIES[policy])), ADR, None);
        }
        Act::DeleteOlderPolicy(policy) => {
            send(cloud, Method::DELETE, &policy_id(POLICIES[policy]), ADR, None);
        }
        Act::Synchronize => send(cloud, Method::POST, &format!("{credential}/synchronize"), ADR, None),
        Act::Wait(seconds) => cloud.clock().advance(Duration::seconds(seconds)),
        Act::Rotate(name) => drop(cloud.rotate(&authority_id(NAMES[name]))),
        Act::Renew(name) => drop(cloud.renew(&authority_id(NAMES[name]))),
        Act::Fail(name) => {
            let id = authority_id(NAMES[name]);
            drop(cloud.lock().set_provisioning_state(&id, ProvisioningState::Failed));
        }
        Act::Doom(name, cancels) => {
            let failure = crate::world::ActionError::Wanted { code: "X".to_owned(), message: String::new() };
            let failure = (!cancels).then_some(failure);
            cloud.lock().verdicts.push(Verdict { resource_id: authority_id(NAMES[name]), failure });
        }
        Act::Role(lacks) => cloud.lock().hubs[0].lacks_role = lacks,
    }
}

/// What holds at any time.
fn check(cloud: &Cloud, refuses_at_once: bool) {
    let world = cloud.lock();
    let Some(namespace) = world.namespace(NAMESPACE) else { return };
    let count = |matches: fn(Kind) -> bool| {
        namespace.certificate_authorities.values().filter(|one| matches(one.kind)).count()
    };
    assert!(count(|kind| kind == Kind::Root) <= 1 && count(|kind| kind != Kind::Root) <= 3);
    assert!(
        count(|kind| kind == Kind::Microsoft) == 0 || namespace.root().is_some(),
        "a CA without its signer"
    );
    for authority in namespace.certificate_authorities.values() {
        let made =
            authority.policies.values().filter(|one| one.provisioning_state == ProvisioningState::Succeeded);
        assert!(made.count() <= 1 && (!refuses_at_once || authority.policies.len() <= 1));
        assert!(
            authority.kind != Kind::Root || authority.policies.is_empty(),
            "a policy without an issuing CA"
        );
        let is_there = authority.authority.is_some() || authority.pending.is_some();
        assert!(authority.provisioning_state != ProvisioningState::Succeeded || is_there);
        assert!(authority.pending.is_none() || authority.kind == Kind::External);
        assert!(authority.trusted_authorities().len() <= 3);
    }
    for policy in namespace.policies().filter(|one| one.provisioning_state == ProvisioningState::Succeeded) {
        assert!(policy.authority.is_some() || policy.pending.is_some());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases / 4, ..ProptestConfig::default() })]

    #[test]
    fn no_sequence_leaves_something_that_does_not_hold_together(
        acts in prop::collection::vec(act(), 1..40),
        at_once in any::<bool>(),
        renews in any::<bool>(),
    ) {
        let mut fleet = Fleet::from_toml(FLEET).unwrap();
        fleet.lifecycle.refusals = if at_once { Moment::AtOnce } else { Moment::InOperation };
        fleet.lifecycle.renewal_window_days = renews.then_some(30);
        let cloud: Arc<Cloud> = start::cloud(fleet, Clock::default(), 1).unwrap();
        for act in &acts {
            perform(&cloud, act);
            check(&cloud, at_once);
        }
        cloud.clock().advance(Duration::hours(1));
        let world = cloud.lock();
        prop_assert!(world.operations.iter().all(|one| one.outcome != Outcome::Running && one.effect.is_none()));
        prop_assert!(world.pushes.is_empty());
        for namespace in &world.namespaces {
            let states = namespace.certificate_authorities.values().flat_map(|one| {
                one.policies.values().map(|policy| policy.provisioning_state).chain([one.provisioning_state])
            });
            let mut busy = states.filter(|state| {
                matches!(state, ProvisioningState::Accepted | ProvisioningState::Deleting)
            });
            prop_assert_eq!(busy.next(), None, "stuck");
        }
    }
}
