//! Every way from every beginning to the end: a small service does what is written, or fails, in every order, and runs are
//! killed at every point. All of it is visited.

use std::collections::HashSet;

use time::OffsetDateTime;

use super::*;
use crate::declared::{LastWrite, Memory, Signer, Stage, Step, Write};

/// What a resource can be at the beginning.
const BEGINNINGS: [Option<Beginning>; 5] = [
    None,
    Some(Beginning::Ready),
    Some(Beginning::BeingMade),
    Some(Beginning::FailedBlank),
    Some(Beginning::FailedWithKey),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Beginning {
    Ready,
    BeingMade,
    FailedBlank,
    FailedWithKey,
}

impl Beginning {
    fn state(self) -> ProvisioningState {
        match self {
            Self::Ready => ProvisioningState::Succeeded,
            Self::BeingMade => ProvisioningState::Accepted,
            Self::FailedBlank | Self::FailedWithKey => ProvisioningState::Failed,
        }
    }

    fn has_key(self) -> bool {
        matches!(self, Self::Ready | Self::FailedWithKey)
    }
}

/// What can happen next.
#[derive(Debug, Clone)]
enum Event {
    /// A run does one write of its plan, whichever of those that are planned.
    Write(Step),
    /// The service ends what it has accepted.
    Ends { id: ArmId, well: bool },
    /// A person signs.
    Sign(ArmId),
}

fn events(configuration: &NamespaceConfiguration, inventory: &Inventory) -> Vec<Event> {
    let mut events: Vec<Event> = plan(configuration, inventory)
        .into_iter()
        .filter(|step| step.write().is_some())
        .map(Event::Write)
        .collect();
    for id in being_made(inventory) {
        events.push(Event::Ends { id: id.clone(), well: true });
        events.push(Event::Ends { id, well: false });
    }
    for authority in inventory.authorities.iter().filter(|one| one.awaits_signature()) {
        events.push(Event::Sign(authority.id.clone()));
    }
    for policy in inventory.policies.iter().filter(|one| is_pending(one)) {
        events.push(Event::Sign(policy.id.clone()));
    }
    events
}

fn is_pending(policy: &Policy) -> bool {
    policy.bring_your_own_root.as_ref().is_some_and(|own| own.status == "PendingActivation")
}

fn being_made(inventory: &Inventory) -> Vec<ArmId> {
    let credential = (inventory.credential == Some(ProvisioningState::Accepted))
        .then(|| id().child("credentials", "default"));
    let authorities = inventory
        .authorities
        .iter()
        .filter(|one| one.provisioning_state == ProvisioningState::Accepted)
        .map(|one| one.id.clone());
    let policies = inventory
        .policies
        .iter()
        .filter(|one| one.provisioning_state == ProvisioningState::Accepted)
        .map(|one| one.id.clone());
    credential.into_iter().chain(authorities).chain(policies).collect()
}

/// What the service makes of an event. It checks what the real one checks, and what must never be asked of it.
fn after(mut inventory: Inventory, event: &Event) -> Inventory {
    match event {
        Event::Write(step) => write(&mut inventory, step),
        Event::Ends { id, well } => {
            let state = if *well { ProvisioningState::Succeeded } else { ProvisioningState::Failed };
            if id.is_of_type("Microsoft.DeviceRegistry/namespaces/credentials") {
                inventory.credential = Some(state);
            } else if let Some(found) = inventory.authorities.iter_mut().find(|one| one.id == *id) {
                found.provisioning_state = state;
                if *well {
                    found.subject = Some("CN=made".to_owned());
                    if found.issuer == Issuer::External {
                        found.status = Some("PendingActivation".to_owned());
                    }
                }
            } else if let Some(found) = inventory.policies.iter_mut().find(|one| one.id == *id) {
                found.provisioning_state = state;
                if *well && found.issuing_ca.id.is_none() {
                    found.issuing_ca.subject = Some("CN=made".to_owned());
                }
                if let (false, Some(own)) = (*well, &mut found.bring_your_own_root) {
                    own.status = String::new();
                }
            }
        }
        Event::Sign(id) => {
            if let Some(found) = inventory.authorities.iter_mut().find(|one| one.id == *id) {
                found.status = Some("Active".to_owned());
            }
            if let Some(found) = inventory.policies.iter_mut().find(|one| one.id == *id) {
                found.bring_your_own_root = Some(BringYourOwnRoot { status: "Active".to_owned() });
            }
        }
    }
    inventory
}

fn write(inventory: &mut Inventory, step: &Step) {
    let Some(what) = step.write() else { unreachable!("only writes are events") };
    match what {
        Write::Credential { location } => {
            assert_eq!(location, "westeurope");
            assert!(inventory.credential.as_ref().is_none_or(|state| *state == ProvisioningState::Failed));
            inventory.credential = Some(ProvisioningState::Accepted);
        }
        Write::Authority { signer, .. } => {
            let (kind, issuer) = match signer {
                Signer::Itself => (AuthorityType::Root, Issuer::Microsoft),
                Signer::External => (AuthorityType::Issuing, Issuer::External),
                Signer::Root { root } => {
                    let root = inventory.authorities.iter().find(|one| one.name == *root).unwrap();
                    assert!(root.is_ready() && root.kind == AuthorityType::Root, "{root:?}");
                    (AuthorityType::Issuing, Issuer::Microsoft)
                }
            };
            let roots = inventory.authorities.iter().filter(|one| one.kind == AuthorityType::Root);
            assert!(
                kind != AuthorityType::Root || roots.clone().all(|root| root.name == step.resource.name()),
                "a second root"
            );
            let made = Authority {
                provisioning_state: ProvisioningState::Accepted,
                status: None,
                subject: None,
                ..authority(&step.resource.name(), kind, issuer)
            };
            match inventory.authorities.iter_mut().find(|one| one.name == step.resource.name()) {
                Some(found) => {
                    assert!(
                        !found.may_have_worked(),
                        "an authority that may have a key is made again: {found:?}"
                    );
                    *found = made;
                }
                None => inventory.authorities.push(made),
            }
        }
        Write::CredentialPolicy { leaf_validity_days, .. }
        | Write::CertificatePolicy { leaf_validity_days } => {
            let mut made = policy(&step.resource.name(), Some(*leaf_validity_days));
            made.provisioning_state = ProvisioningState::Accepted;
            if matches!(what, Write::CredentialPolicy { own_root: true, .. }) {
                made.bring_your_own_root = Some(BringYourOwnRoot { status: "PendingActivation".to_owned() });
            }
            match step.resource.name().split_once('/') {
                Some((parent, _)) => {
                    let parent = inventory.authority(parent).unwrap();
                    assert!(parent.is_ready() && parent.kind == AuthorityType::Issuing, "{parent:?}");
                }
                None => assert_eq!(inventory.credential, Some(ProvisioningState::Succeeded)),
            }
            match inventory.policies.iter_mut().find(|one| one.name == step.resource.name()) {
                Some(found) => {
                    assert_eq!(
                        found.provisioning_state,
                        ProvisioningState::Failed,
                        "one that is there: {found:?}"
                    );
                    assert!(found.issuing_ca.subject.is_none(), "one that may have a key: {found:?}");
                    *found = made;
                }
                None => inventory.policies.push(made),
            }
        }
        Write::LeafValidity { from, to } => {
            let found = inventory.policies.iter_mut().find(|one| one.name == step.resource.name()).unwrap();
            assert_eq!(found.leaf_validity_days, Some(*from));
            found.leaf_validity_days = Some(*to);
        }
    }
}

/// The writes that are sent where the service does all that it takes at once and no signature is made, in their order. A run that makes a
/// write of the plan first and looks again leads to the same as one that makes all of them.
fn sent(configuration: &NamespaceConfiguration, beginning: &Inventory) -> Vec<Step> {
    let mut inventory = beginning.clone();
    let mut sent = Vec::new();
    loop {
        for id in being_made(&inventory) {
            let was_being_made = being_made(beginning).contains(&id);
            if !was_being_made {
                inventory = after(inventory, &Event::Ends { id, well: true });
            }
        }
        let steps = plan(configuration, &inventory);
        let Some(step) = steps.into_iter().find(|step| step.write().is_some()) else { return sent };
        write(&mut inventory, &step);
        sent.push(step);
    }
}

/// What is remembered when the last write to every other resource got that far.
fn remembering(steps: &[Step], stage: Stage) -> Memory {
    let mut memory = Memory::default();
    for step in steps.iter().step_by(2) {
        let Some(write) = step.write() else { continue };
        let at = OffsetDateTime::UNIX_EPOCH;
        memory.remember(LastWrite {
            target: step.resource.clone(),
            write: write.clone(),
            at,
            stage,
            error: None,
        });
    }
    memory
}

/// Visits everything that can become of a beginning, and tells how many states that were.
fn visit(configuration: &NamespaceConfiguration, beginning: Inventory, seen: &mut HashSet<String>) {
    let undeclared = |inventory: &Inventory| {
        let mut others = inventory.clone();
        let declared = plan(configuration, inventory);
        let is_other = |name: &str| !declared.iter().any(|step| step.resource.name() == name);
        others.authorities.retain(|one| is_other(&one.name));
        others.policies.retain(|one| is_other(&one.name));
        (others.authorities, others.policies)
    };
    let before = undeclared(&beginning);
    let mut waiting = vec![beginning];
    while let Some(inventory) = waiting.pop() {
        if !seen.insert(format!("{inventory:?}")) {
            continue;
        }
        assert_eq!(undeclared(&inventory), before, "what the file does not name has changed");
        let steps = plan(configuration, &inventory);
        let foreseen = foresee(configuration, &inventory);
        let is_sent = |step: &Step| foreseen.contains(step);
        for stage in [Stage::Planned, Stage::Accepted, Stage::Refused, Stage::PutOff] {
            let heeded = remembering(&steps, stage).heed(steps.clone(), OffsetDateTime::UNIX_EPOCH);
            let is_new = |step: &&Step| step.write().is_some() && !steps.contains(step);
            assert_eq!(heeded.iter().find(is_new), None, "what was remembered makes a write");
        }
        let sent = sent(configuration, &inventory);
        assert!(sent.iter().all(is_sent), "{sent:?} and not as foreseen: {foreseen:?}");
        assert_eq!(sent.len(), foreseen.iter().filter(|step| step.write().is_some()).count(), "{foreseen:?}");
        assert_eq!(steps, plan(configuration, &inventory), "a plan of the same look differs");
        let events = events(configuration, &inventory);
        if !events.iter().any(|event| matches!(event, Event::Ends { .. } | Event::Write(_) | Event::Sign(_)))
        {
            let is_over = |step: &Step| matches!(step.action, Action::Keep | Action::Refuse { .. });
            assert!(steps.iter().all(is_over), "nothing goes on, and {steps:?}");
        }
        for step in &steps {
            if let Action::Wait { on: Waiting::Resource { name } } = &step.action {
                let other = steps.iter().find(|other| other.resource.name() == *name);
                let goes_on = |step: &Step| !matches!(step.action, Action::Keep | Action::Refuse { .. });
                assert!(other.is_none_or(goes_on), "{} waits for {other:?}", step.resource);
            }
        }
        waiting.extend(events.iter().map(|event| after(inventory.clone(), event)));
    }
}

#[test]
fn every_way_of_the_second_generation_ends_as_declared_or_with_a_refusal() {
    let configuration = file(SECOND_GENERATION);
    let mut seen = HashSet::new();
    for root in BEGINNINGS {
        for lines in BEGINNINGS {
            for short in BEGINNINGS {
                for own in BEGINNINGS {
                    let mut inventory = empty();
                    let kinds = [
                        ("root", root, AuthorityType::Root, Issuer::Microsoft),
                        ("lines", lines, AuthorityType::Issuing, Issuer::Microsoft),
                        ("own", own, AuthorityType::Issuing, Issuer::External),
                    ];
                    for (name, beginning, kind, issuer) in kinds {
                        let Some(beginning) = beginning else { continue };
                        let mut made = authority(name, kind, issuer);
                        made.provisioning_state = beginning.state();
                        if !beginning.has_key() {
                            (made.subject, made.status) = (None, None);
                        }
                        inventory.authorities.push(made);
                    }
                    if let (Some(short), Some(_)) = (short, lines) {
                        let mut made = policy("lines/short-lived", Some(30));
                        made.provisioning_state = short.state();
                        inventory.policies.push(made);
                    }
                    inventory.authorities.push(authority(
                        "stranger",
                        AuthorityType::Issuing,
                        Issuer::External,
                    ));
                    inventory.policies.push(policy("stranger/short-lived", Some(1)));
                    visit(&configuration, inventory, &mut seen);
                }
            }
        }
    }
    assert!(seen.len() > 1_000, "{}", seen.len());
}

#[test]
fn every_way_of_the_first_generation_ends_as_declared_or_with_a_refusal() {
    let configuration = file(FIRST_GENERATION);
    let mut seen = HashSet::new();
    for credential in BEGINNINGS {
        for short in BEGINNINGS {
            let mut inventory = empty();
            inventory.credential = credential.map(Beginning::state);
            if let (Some(short), Some(_)) = (short, credential) {
                let mut made = policy("short-lived", Some(30));
                made.provisioning_state = short.state();
                made.issuing_ca.subject = short.has_key().then(|| "CN=key".to_owned());
                inventory.policies.push(made);
            }
            visit(&configuration, inventory, &mut seen);
        }
    }
    assert!(seen.len() > 50, "{}", seen.len());
}
