//! What is to be done about each declared resource.

use super::DEFAULT_LEAF_VALIDITY_DAYS;
use super::inventory::{Inventory, Links};
use super::step::{Action, Hindrance, Resource, Signer, Step, Waiting, Write};
use crate::authority::{Authority, AuthorityType, Issuer};
use crate::configuration::{DeclaredAuthority, DeclaredPolicy, NamespaceConfiguration};
use crate::generation::Generation;
use crate::model::{Policy, ProvisioningState};

/// What is to be done about everything that the file declares in a namespace, in the order that the service needs: the
/// credential and the root first, then the issuing authorities, then the policies. It says nothing of what the file does
/// not name.
#[must_use]
pub fn plan(configuration: &NamespaceConfiguration, inventory: &Inventory) -> Vec<Step> {
    let mut planner = Planner { configuration, inventory, steps: Vec::new() };
    if configuration.policies.iter().any(|policy| policy.authority.is_none()) {
        planner.credential();
    }
    for kind in [AuthorityType::Root, AuthorityType::Issuing] {
        for authority in configuration.authorities.iter().filter(|authority| authority.kind == kind) {
            planner.authority(authority);
        }
    }
    for policy in &configuration.policies {
        planner.policy(policy);
    }
    planner.steps
}

struct Planner<'a> {
    configuration: &'a NamespaceConfiguration,
    inventory: &'a Inventory,
    steps: Vec<Step>,
}

impl Planner<'_> {
    fn credential(&mut self) {
        let action = match &self.inventory.credential {
            None => Action::Write(Write::Credential { location: self.location() }),
            Some(ProvisioningState::Succeeded) => Action::Keep,
            // A credential that failed and has no policies has signed nothing.
            Some(state) if has_failed(state) && !self.has_credential_policies() => {
                Action::Write(Write::Credential { location: self.location() })
            }
            Some(state) => unfinished(state),
        };
        self.steps.push(Step { resource: Resource::Credential, action });
    }

    fn authority(&mut self, declared: &DeclaredAuthority) {
        let found = self.inventory.authority(&declared.name);
        let action = match found {
            Some(found) => self.existing_authority(declared, found),
            None => self.new_authority(declared),
        };
        let resource = Resource::Authority { name: declared.name.clone() };
        self.steps.push(Step { resource, action });
    }

    fn existing_authority(&self, declared: &DeclaredAuthority, found: &Authority) -> Action {
        let differs = |key: &str, declared: String, found: String| {
            refuse(Hindrance::Differs { key: key.to_owned(), declared, found })
        };
        if found.kind != declared.kind {
            return differs("type", declared.kind.to_string(), found.kind.to_string());
        }
        if found.kind == AuthorityType::Issuing && found.issuer != declared.issuer {
            return differs("issuer", declared.issuer.to_string(), found.issuer.to_string());
        }
        match &found.provisioning_state {
            ProvisioningState::Succeeded if found.awaits_signature() => {
                wait(Waiting::Signature { of: found.name.clone() })
            }
            ProvisioningState::Succeeded => Action::Keep,
            state if has_failed(state) && !found.may_have_worked() => self.new_authority(declared),
            state => unfinished(state),
        }
    }

    /// Makes an authority that is not there, as soon as a hub is linked and its signer is ready.
    fn new_authority(&self, declared: &DeclaredAuthority) -> Action {
        let signer = match (declared.kind, declared.issuer) {
            (AuthorityType::Root, _) => match self.other_root(&declared.name) {
                Some(root) => return refuse(Hindrance::OtherRoot { name: root.name.clone() }),
                None => Signer::Itself,
            },
            (AuthorityType::Issuing, Issuer::External) => Signer::External,
            (AuthorityType::Issuing, Issuer::Microsoft) => match self.root() {
                Ok(root) => Signer::Root { root },
                Err(action) => return action,
            },
        };
        match self.inventory.links() {
            Links::Missing => wait(Waiting::Link),
            Links::BeingMade => wait(Waiting::LinkBeingMade),
            Links::Stand => Action::Write(Write::Authority { location: self.location(), signer }),
        }
    }

    /// The root that signs new issuing authorities; or why there is none yet.
    fn root(&self) -> Result<String, Action> {
        let mut declared = self.configuration.authorities.iter();
        let declared = declared.find(|declared| declared.kind == AuthorityType::Root);
        if let Some(step) = declared.and_then(|declared| self.planned_authority(&declared.name)) {
            ready(step)?;
        }
        match self.inventory.authorities.iter().find(|found| found.kind == AuthorityType::Root) {
            Some(root) if root.is_ready() => Ok(root.name.clone()),
            Some(root) => Err(wait(Waiting::Resource { name: root.name.clone() })),
            None => Err(refuse(Hindrance::NoRoot)),
        }
    }

    /// A root of the namespace with another name.
    fn other_root(&self, name: &str) -> Option<&Authority> {
        let mut roots = self.inventory.authorities.iter().filter(|one| one.kind == AuthorityType::Root);
        roots.find(|root| !root.name.eq_ignore_ascii_case(name))
    }

    fn policy(&mut self, declared: &DeclaredPolicy) {
        let name = declared.full_name();
        let generation = match declared.authority {
            Some(_) => Generation::CertificateAuthorities,
            None => Generation::Credentials,
        };
        let found = self
            .inventory
            .policies
            .iter()
            .find(|policy| policy.generation() == generation && policy.name.eq_ignore_ascii_case(&name));
        let action = match self.parent(declared) {
            Err(action) => action,
            Ok(()) => match found {
                Some(found) => existing_policy(declared, found),
                None => Action::Write(new_policy(declared)),
            },
        };
        let resource =
            Resource::Policy { name: declared.name.clone(), authority: declared.authority.clone() };
        self.steps.push(Step { resource, action });
    }

    /// Whether what a policy stands under is ready; or why not.
    fn parent(&self, declared: &DeclaredPolicy) -> Result<(), Action> {
        let Some(authority) = &declared.authority else {
            // `plan` has judged the credential before, since this policy is declared.
            let credential = self.steps.iter().find(|step| step.resource == Resource::Credential);
            return credential.map_or(Ok(()), ready);
        };
        let planned = self.planned_authority(authority);
        let found = self.inventory.authority(authority);
        if let Some(root) = found.filter(|found| found.kind == AuthorityType::Root) {
            return Err(refuse(Hindrance::PolicyOfRoot { name: root.name.clone() }));
        }
        match (planned, found) {
            (Some(step), _) => ready(step),
            (None, Some(found)) if found.is_ready() => Ok(()),
            (None, Some(found)) if found.awaits_signature() => {
                Err(wait(Waiting::Signature { of: found.name.clone() }))
            }
            (None, Some(found)) => Err(wait(Waiting::Resource { name: found.name.clone() })),
            (None, None) => Err(refuse(Hindrance::NoAuthority { name: authority.clone() })),
        }
    }

    fn has_credential_policies(&self) -> bool {
        self.inventory.policies.iter().any(|policy| policy.generation() == Generation::Credentials)
    }

    fn location(&self) -> String {
        self.inventory.namespace.location.clone()
    }

    /// The step of a declared authority.
    fn planned_authority(&self, name: &str) -> Option<&Step> {
        self.steps.iter().find(|step| {
            matches!(&step.resource, Resource::Authority { name: planned } if planned.eq_ignore_ascii_case(name))
        })
    }
}

/// Whether what a step is about is ready; otherwise what is to be done about those that need it.
fn ready(step: &Step) -> Result<(), Action> {
    match &step.action {
        Action::Keep => Ok(()),
        Action::Refuse { .. } => Err(refuse(Hindrance::Needs { name: step.resource.name() })),
        Action::Wait { on: on @ (Waiting::Signature { .. } | Waiting::Link) } => Err(wait(on.clone())),
        Action::Write(_) | Action::Wait { .. } => Err(wait(Waiting::Resource { name: step.resource.name() })),
    }
}

fn existing_policy(declared: &DeclaredPolicy, found: &Policy) -> Action {
    let has_own_root = found.bring_your_own_root.is_some();
    if found.generation() == Generation::Credentials && has_own_root != declared.own_root {
        return refuse(Hindrance::Differs {
            key: "own_root".to_owned(),
            declared: declared.own_root.to_string(),
            found: has_own_root.to_string(),
        });
    }
    match &found.provisioning_state {
        ProvisioningState::Succeeded => {}
        state if has_failed(state) && !may_have_worked(found) => return Action::Write(new_policy(declared)),
        state => return unfinished(state),
    }
    match (found.leaf_validity_days, declared.leaf_validity_days) {
        (Some(from), Some(to)) if from != to => return Action::Write(Write::LeafValidity { from, to }),
        // Where the service does not say how long they are valid, a change could not be seen and would come again for ever.
        _ => {}
    }
    let pending =
        found.bring_your_own_root.as_ref().filter(|_| found.generation() == Generation::Credentials);
    match pending {
        Some(own) if own.status.eq_ignore_ascii_case("PendingActivation") => {
            wait(Waiting::Signature { of: found.name.clone() })
        }
        _ => Action::Keep,
    }
}

/// Whether there is any sign that a policy has signed something, or could have. A certificate policy has no key of its own.
fn may_have_worked(found: &Policy) -> bool {
    found.generation() == Generation::Credentials
        && (found.issuing_ca.subject.is_some()
            || found.issuing_ca.not_after.is_some()
            || found.bring_your_own_root.as_ref().is_some_and(|own| !own.status.is_empty()))
}

fn new_policy(declared: &DeclaredPolicy) -> Write {
    let leaf_validity_days = declared.leaf_validity_days.unwrap_or(DEFAULT_LEAF_VALIDITY_DAYS);
    match declared.authority {
        Some(_) => Write::CertificatePolicy { leaf_validity_days },
        None => Write::CredentialPolicy { leaf_validity_days, own_root: declared.own_root },
    }
}

fn has_failed(state: &ProvisioningState) -> bool {
    matches!(state, ProvisioningState::Failed | ProvisioningState::Canceled)
}

/// What is to be done about a resource that is there and not ready.
fn unfinished(state: &ProvisioningState) -> Action {
    if has_failed(state) {
        refuse(Hindrance::Failed { state: state.to_string() })
    } else {
        wait(Waiting::Service { state: state.to_string() })
    }
}

fn wait(on: Waiting) -> Action {
    Action::Wait { on }
}

fn refuse(because: Hindrance) -> Action {
    Action::Refuse { because }
}
