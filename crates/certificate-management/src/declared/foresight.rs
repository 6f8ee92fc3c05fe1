//! What all of the writes will be, of which a look shows only the first: what a person approves before anything is there.

use super::inventory::Inventory;
use super::judge::plan;
use super::step::{Resource, Signer, Step, Write};
use crate::ArmId;
use crate::authority::{Authority, AuthorityType, Issuer};
use crate::configuration::NamespaceConfiguration;
use crate::model::{BringYourOwnRoot, IssuingCa, Policy, ProvisioningState};

/// Every write until everything is as declared, in the order that the service needs, where the service does what it takes; and
/// after them what waits or is refused then. What is as declared already is left out.
#[must_use]
pub fn foresee(configuration: &NamespaceConfiguration, inventory: &Inventory) -> Vec<Step> {
    let mut inventory = inventory.clone();
    let mut foreseen: Vec<Step> = Vec::new();
    loop {
        let steps = plan(configuration, &inventory);
        let is_foreseen = |step: &Step| foreseen.iter().any(|one| one.resource.is(&step.resource));
        let (writes, others): (Vec<_>, Vec<_>) =
            steps.into_iter().filter(|step| !is_foreseen(step)).partition(|step| step.write().is_some());
        // Each round adds a resource that the file declares, so there is an end.
        if writes.is_empty() {
            let is_left = |step: &Step| step.action != super::Action::Keep;
            foreseen.extend(others.into_iter().filter(is_left));
            return foreseen;
        }
        for step in &writes {
            if let Some(write) = step.write() {
                done(&mut inventory, &step.resource, write);
            }
        }
        foreseen.extend(writes);
    }
}

/// What there is once the service has done a write. The clients alone know the ids of resources, and no decision here looks at them:
/// the id of the namespace stands for each.
fn done(inventory: &mut Inventory, resource: &Resource, write: &Write) {
    let namespace = inventory.namespace.id.clone();
    match (resource, write) {
        (_, Write::Credential { .. }) => inventory.credential = Some(ProvisioningState::Succeeded),
        (Resource::Authority { name }, Write::Authority { signer, .. }) => {
            inventory.authorities.retain(|known| !known.name.eq_ignore_ascii_case(name));
            inventory.authorities.push(authority(&namespace, name, signer));
        }
        (_, Write::LeafValidity { to, .. }) => {
            let name = resource.name();
            let policies = inventory.policies.iter_mut();
            for policy in policies.filter(|policy| policy.name.eq_ignore_ascii_case(&name)) {
                policy.leaf_validity_days = Some(*to);
            }
        }
        (
            Resource::Policy { authority, .. },
            Write::CredentialPolicy { leaf_validity_days, .. }
            | Write::CertificatePolicy { leaf_validity_days },
        ) => {
            let own_root = matches!(write, Write::CredentialPolicy { own_root: true, .. });
            let full_name = resource.name();
            inventory.policies.retain(|known| !known.name.eq_ignore_ascii_case(&full_name));
            inventory.policies.push(Policy {
                id: namespace.clone(),
                name: full_name,
                provisioning_state: ProvisioningState::Succeeded,
                issuing_ca: IssuingCa {
                    id: authority.is_some().then_some(namespace),
                    ..IssuingCa::default()
                },
                leaf_validity_days: Some(*leaf_validity_days),
                bring_your_own_root: own_root
                    .then(|| BringYourOwnRoot { status: "PendingActivation".to_owned() }),
            });
        }
        // The planner pairs no other resource with these.
        (_, Write::Authority { .. } | Write::CredentialPolicy { .. } | Write::CertificatePolicy { .. }) => {}
    }
}

fn authority(namespace: &ArmId, name: &str, signer: &Signer) -> Authority {
    let (kind, issuer) = match signer {
        Signer::Itself => (AuthorityType::Root, Issuer::Microsoft),
        Signer::Root { .. } => (AuthorityType::Issuing, Issuer::Microsoft),
        Signer::External => (AuthorityType::Issuing, Issuer::External),
    };
    Authority {
        id: namespace.clone(),
        name: name.to_owned(),
        kind,
        issuer,
        provisioning_state: ProvisioningState::Succeeded,
        status: (issuer == Issuer::External).then(|| "PendingActivation".to_owned()),
        subject: None,
        not_after: None,
    }
}
