//! Each decision alone; [`service`] plays whole ways to the end, [`memory`] what is sent again and when.

mod memory;
mod service;

use super::*;
use crate::ArmId;
use crate::authority::{Authority, AuthorityType, Issuer};
use crate::configuration::{Configuration, NamespaceConfiguration};
use crate::generation::{Link, LinkState, NamespaceGeneration};
use crate::model::{BringYourOwnRoot, IssuingCa, Namespace, Policy, ProvisioningState};

const NAMESPACE: &str =
    "/subscriptions/S/resourceGroups/R/providers/Microsoft.DeviceRegistry/namespaces/contoso";

fn id() -> ArmId {
    ArmId::parse(NAMESPACE).unwrap()
}

/// What `policysync.toml` says of the namespace, after its id.
fn file(rest: &str) -> NamespaceConfiguration {
    let text = format!("[[namespace]]\nid = \"{NAMESPACE}\"\n{rest}");
    Configuration::parse(&text).unwrap().namespaces.remove(0)
}

/// A root, an issuing authority of each issuer, and a policy of each.
const SECOND_GENERATION: &str = r#"
[[namespace.authority]]
name = "lines"
[[namespace.authority]]
name = "own"
issuer = "external"
[[namespace.authority]]
name = "root"
type = "root"
[[namespace.policy]]
name = "short-lived"
authority = "lines"
leaf_validity_days = 10
[[namespace.policy]]
name = "welders"
authority = "own"
"#;

const FIRST_GENERATION: &str = r#"
[[namespace.policy]]
name = "short-lived"
leaf_validity_days = 10
[[namespace.policy]]
name = "welders"
own_root = true
"#;

/// An empty namespace with a linked hub.
fn empty() -> Inventory {
    Inventory {
        namespace: Namespace {
            id: id(),
            location: "westeurope".to_owned(),
            provisioning_state: ProvisioningState::Succeeded,
            generation: NamespaceGeneration::CertificateAuthorities,
            links: vec![link("hub-a", Some(LinkState::Succeeded))],
        },
        credential: None,
        authorities: Vec::new(),
        policies: Vec::new(),
    }
}

fn link(hub: &str, state: Option<LinkState>) -> Link {
    let id = format!("/subscriptions/S/resourceGroups/R/providers/Microsoft.Devices/IotHubs/{hub}");
    Link { resource: ArmId::parse(&id).unwrap(), state, error: None, host_names: Vec::new() }
}

fn authority(name: &str, kind: AuthorityType, issuer: Issuer) -> Authority {
    Authority {
        id: id().child("certificateAuthorities", name),
        name: name.to_owned(),
        kind,
        issuer,
        provisioning_state: ProvisioningState::Succeeded,
        status: (issuer == Issuer::External).then(|| "Active".to_owned()),
        subject: Some(format!("CN={name}")),
        not_after: None,
    }
}

fn policy(name: &str, leaf_validity_days: Option<u32>) -> Policy {
    let (id, issuer) = match name.split_once('/') {
        Some((authority, own)) => {
            let authority = id().child("certificateAuthorities", authority);
            (authority.child("certificatePolicies", own), Some(authority))
        }
        None => (id().child("credentials", "default").child("policies", name), None),
    };
    Policy {
        id,
        name: name.to_owned(),
        provisioning_state: ProvisioningState::Succeeded,
        issuing_ca: IssuingCa { id: issuer, ..IssuingCa::default() },
        leaf_validity_days,
        bring_your_own_root: None,
    }
}

/// Each step as `name: sentence`.
fn told(configuration: &NamespaceConfiguration, inventory: &Inventory) -> Vec<String> {
    plan(configuration, inventory)
        .iter()
        .map(|step| format!("{}: {}", step.resource.name(), step.action))
        .collect()
}

/// What is to be done about one name.
fn action(configuration: &NamespaceConfiguration, inventory: &Inventory, name: &str) -> Action {
    plan(configuration, inventory).into_iter().find(|step| step.resource.name() == name).unwrap().action
}

#[test]
fn an_empty_namespace_gets_its_root_and_what_no_root_signs_and_the_rest_waits() {
    assert_eq!(
        told(&file(SECOND_GENERATION), &empty()),
        [
            "root: create in westeurope: the root of the namespace",
            "lines: `root` has to be ready first",
            "own: create in westeurope, signed by a root of yours: a signing request waits afterwards",
            "lines/short-lived: `lines` has to be ready first",
            "own/welders: `own` has to be ready first",
        ]
    );
    assert_eq!(
        told(&file(FIRST_GENERATION), &empty()),
        [
            "default: create in westeurope",
            "short-lived: `default` has to be ready first",
            "welders: `default` has to be ready first"
        ]
    );
}

#[test]
fn a_file_that_declares_nothing_plans_nothing_whatever_is_there() {
    let mut inventory = empty();
    inventory.authorities.push(authority("found", AuthorityType::Issuing, Issuer::External));
    inventory.policies.push(policy("found/policy", Some(5)));
    assert_eq!(plan(&file(""), &inventory), []);
}

#[test]
fn authorities_wait_for_a_link_and_those_that_are_there_do_not() {
    let configuration = file(SECOND_GENERATION);
    for (links, expected) in [
        (vec![], Waiting::Link),
        (vec![link("hub-a", Some(LinkState::Failed))], Waiting::Link),
        (vec![link("hub-a", Some(LinkState::InProgress))], Waiting::LinkBeingMade),
        (
            vec![link("hub-a", Some(LinkState::Succeeded)), link("hub-b", Some(LinkState::InProgress))],
            Waiting::LinkBeingMade,
        ),
    ] {
        let mut inventory = empty();
        inventory.namespace.links = links;
        assert_eq!(action(&configuration, &inventory, "root"), Action::Wait { on: expected.clone() });
        assert_eq!(action(&configuration, &inventory, "own"), Action::Wait { on: expected });
        inventory.authorities.push(authority("root", AuthorityType::Root, Issuer::Microsoft));
        assert_eq!(action(&configuration, &inventory, "root"), Action::Keep);
    }
    let mut inventory = empty();
    inventory.namespace.links = vec![link("hub-a", Some(LinkState::Failed)), link("hub-b", None)];
    assert!(matches!(action(&configuration, &inventory, "root"), Action::Write(_)));
}

#[test]
fn what_cannot_be_changed_is_refused_with_the_key_and_both_values() {
    let configuration = file(SECOND_GENERATION);
    let differs = |inventory: &Inventory, name: &str| match action(&configuration, inventory, name) {
        Action::Refuse { because: Hindrance::Differs { key, declared, found } } => (key, declared, found),
        other => panic!("{other:?}"),
    };
    let mut inventory = empty();
    inventory.authorities.push(authority("LINES", AuthorityType::Issuing, Issuer::External));
    let expected = ("issuer".to_owned(), "microsoft".to_owned(), "external".to_owned());
    assert_eq!(differs(&inventory, "lines"), expected);
    inventory.authorities = vec![authority("lines", AuthorityType::Root, Issuer::Microsoft)];
    let expected = ("type".to_owned(), "issuing".to_owned(), "root".to_owned());
    assert_eq!(differs(&inventory, "lines"), expected);
    let because = Hindrance::OtherRoot { name: "lines".to_owned() };
    assert_eq!(action(&configuration, &inventory, "root"), Action::Refuse { because });
    let because = Hindrance::PolicyOfRoot { name: "lines".to_owned() };
    assert_eq!(action(&configuration, &inventory, "lines/short-lived"), Action::Refuse { because });

    let configuration = file(FIRST_GENERATION);
    let mut inventory = empty();
    inventory.credential = Some(ProvisioningState::Succeeded);
    inventory.policies.push(policy("welders", Some(30)));
    let Action::Refuse { because: Hindrance::Differs { key, .. } } =
        action(&configuration, &inventory, "welders")
    else {
        panic!("{inventory:?}")
    };
    assert_eq!(key, "own_root");
}

#[test]
fn how_long_leaves_are_valid_is_changed_where_both_say_it_and_they_differ() {
    let mut inventory = empty();
    inventory.authorities.push(authority("lines", AuthorityType::Issuing, Issuer::Microsoft));
    for (found, expected) in [
        (Some(10), Action::Keep),
        (None, Action::Keep),
        (Some(30), Action::Write(Write::LeafValidity { from: 30, to: 10 })),
    ] {
        inventory.policies = vec![policy("lines/short-lived", found)];
        assert_eq!(action(&file(SECOND_GENERATION), &inventory, "lines/short-lived"), expected);
    }
    let silent = "[[namespace.policy]]\nname = \"short-lived\"\nauthority = \"lines\"\n";
    inventory.policies = vec![policy("lines/short-lived", Some(77))];
    assert_eq!(action(&file(silent), &inventory, "lines/short-lived"), Action::Keep);
}

#[test]
fn a_policy_waits_for_the_signature_of_its_authority_declared_or_not() {
    let mut pending = authority("own", AuthorityType::Issuing, Issuer::External);
    pending.status = Some("pendingactivation".to_owned());
    let undeclared = "[[namespace.policy]]\nname = \"welders\"\nauthority = \"own\"\n";
    for text in [SECOND_GENERATION, undeclared] {
        let mut inventory = empty();
        inventory.authorities = vec![pending.clone()];
        let waiting = Action::Wait { on: Waiting::Signature { of: "own".to_owned() } };
        assert_eq!(action(&file(text), &inventory, "own/welders"), waiting);
        for status in ["Active", "ActiveButPendingRenewal"] {
            inventory.authorities[0].status = Some(status.to_owned());
            assert!(matches!(action(&file(text), &inventory, "own/welders"), Action::Write(_)), "{status}");
        }
    }
    let mut inventory = empty();
    inventory.credential = Some(ProvisioningState::Succeeded);
    let own_root = BringYourOwnRoot { status: "PendingActivation".to_owned() };
    inventory.policies = vec![Policy { bring_your_own_root: Some(own_root), ..policy("welders", None) }];
    let waiting = Action::Wait { on: Waiting::Signature { of: "welders".to_owned() } };
    assert_eq!(action(&file(FIRST_GENERATION), &inventory, "welders"), waiting);
}

#[test]
fn what_failed_is_made_again_only_where_it_cannot_have_a_key() {
    for state in [ProvisioningState::Failed, ProvisioningState::Canceled] {
        let mut inventory = empty();
        let mut failed = authority("root", AuthorityType::Root, Issuer::Microsoft);
        failed.provisioning_state = state.clone();
        inventory.authorities = vec![failed.clone()];
        let refused = Action::Refuse { because: Hindrance::Failed { state: state.to_string() } };
        assert_eq!(action(&file(SECOND_GENERATION), &inventory, "root"), refused);
        let because = Hindrance::Needs { name: "root".to_owned() };
        assert_eq!(action(&file(SECOND_GENERATION), &inventory, "lines"), Action::Refuse { because });
        inventory.authorities = vec![Authority { subject: None, ..failed }];
        assert!(matches!(action(&file(SECOND_GENERATION), &inventory, "root"), Action::Write(_)));

        let mut inventory = empty();
        inventory.credential = Some(state.clone());
        assert!(matches!(action(&file(FIRST_GENERATION), &inventory, "default"), Action::Write(_)));
        inventory.policies = vec![policy("another", Some(3))];
        assert_eq!(action(&file(FIRST_GENERATION), &inventory, "default"), refused);
        inventory.credential = Some(ProvisioningState::Succeeded);
        let mut failed = policy("short-lived", None);
        failed.provisioning_state = state;
        inventory.policies = vec![failed.clone()];
        assert!(matches!(action(&file(FIRST_GENERATION), &inventory, "short-lived"), Action::Write(_)));
        failed.issuing_ca.subject = Some("CN=made".to_owned());
        inventory.policies = vec![failed];
        assert_eq!(action(&file(FIRST_GENERATION), &inventory, "short-lived"), refused);
    }
}

#[test]
fn an_issuing_authority_takes_the_root_that_is_there_and_a_policy_the_authority() {
    let text = "[[namespace.authority]]\nname = \"lines\"\n";
    assert_eq!(action(&file(text), &empty(), "lines"), Action::Refuse { because: Hindrance::NoRoot });
    let mut inventory = empty();
    inventory.authorities = vec![authority("older-root", AuthorityType::Root, Issuer::Microsoft)];
    let signer = Signer::Root { root: inventory.authorities[0].name.clone() };
    let location = "westeurope".to_owned();
    assert_eq!(
        action(&file(text), &inventory, "lines"),
        Action::Write(Write::Authority { location, signer })
    );
    let text = "[[namespace.policy]]\nname = \"short-lived\"\nauthority = \"lines\"\n";
    let because = Hindrance::NoAuthority { name: "lines".to_owned() };
    assert_eq!(action(&file(text), &inventory, "lines/short-lived"), Action::Refuse { because });
}

#[test]
fn a_policy_of_the_same_name_of_the_other_generation_is_another_one() {
    let mut inventory = empty();
    inventory.credential = Some(ProvisioningState::Succeeded);
    inventory.policies = vec![policy("lines/short-lived", Some(10))];
    assert!(matches!(action(&file(FIRST_GENERATION), &inventory, "short-lived"), Action::Write(_)));
}

#[test]
fn what_is_being_deleted_is_waited_for_and_an_unknown_state_is_left_alone() {
    for state in ["Deleting", "Accepted", "Migrating"] {
        let mut inventory = empty();
        let mut root = authority("root", AuthorityType::Root, Issuer::Microsoft);
        root.provisioning_state = ProvisioningState::from(state.to_owned());
        inventory.authorities = vec![root];
        let waiting = Action::Wait { on: Waiting::Service { state: state.to_owned() } };
        assert_eq!(action(&file(SECOND_GENERATION), &inventory, "root"), waiting);
    }
}

#[test]
fn everything_that_will_be_written_is_foreseen_in_the_order_that_the_service_needs() {
    let foreseen = |text: &str, inventory: &Inventory| -> Vec<String> {
        let steps = foresee(&file(text), inventory).into_iter();
        steps.map(|step| format!("{} {}", step.action.word(), step.resource.name())).collect()
    };
    assert_eq!(
        foreseen(SECOND_GENERATION, &empty()),
        ["create root", "create own", "create lines", "create lines/short-lived", "wait own/welders"]
    );
    assert_eq!(
        foreseen(FIRST_GENERATION, &empty()),
        ["create default", "create short-lived", "create welders"],
        "what is created and waits for a signature is not told twice"
    );
    let mut inventory = empty();
    inventory.authorities = vec![authority("lines", AuthorityType::Issuing, Issuer::Microsoft)];
    inventory.policies = vec![policy("lines/short-lived", Some(30))];
    assert_eq!(
        foreseen(SECOND_GENERATION, &inventory),
        ["create root", "create own", "change lines/short-lived", "wait own/welders"]
    );
    inventory.namespace.links.clear();
    assert_eq!(
        foreseen(SECOND_GENERATION, &inventory),
        ["change lines/short-lived", "wait root", "wait own", "wait own/welders"]
    );
}
