//! What is true in the simulated cloud, for a judge of what its callers did. No caller can read it.

use serde_json::{Map, Value};

use super::cloud::Cloud;
use super::pki::{self, Authority};
use super::world::World;
use super::world::enrollment::{EnrollmentGroup, PolicyReference, ProvisioningService};
use super::world::hub::{Hub, Origin};
use super::world::namespace::Namespace;
use super::world::operation::{Effect, Operation, Outcome};
use super::world::resource::ProvisioningState;

/// The members by which a group names its policy, in either generation.
const REFERENCE: [&str; 4] =
    ["credentialPolicyName", "namespaceName", "certificateAuthorityName", "certificatePolicyName"];

/// A namespace, with the policies of both generations. No `Debug`: its groups hold keys.
#[derive(Clone, PartialEq)]
pub struct NamespaceTruth {
    /// ARM id.
    pub id: String,
    /// Host names of its linked hubs.
    pub hubs: Vec<String>,
    /// Whether the service works on a sync of it.
    pub is_syncing: bool,
    /// Its active policies.
    pub policies: Vec<PolicyTruth>,
    /// The enrollment groups of the provisioning services that are linked to it.
    pub groups: Vec<GroupTruth>,
}

/// An active policy, and how far its current issuing CA has come.
#[derive(Debug, Clone, PartialEq)]
pub struct PolicyTruth {
    /// ARM id.
    pub id: String,
    /// Its name; `authority/policy` of a certificate policy.
    pub name: String,
    /// SHA-1 thumbprint of its current issuing CA, upper-case hexadecimal.
    pub thumbprint: String,
    /// Host names of the linked hubs that do not have its current issuing CA.
    pub lacking: Vec<String>,
}

/// An enrollment group. No `Debug`: it holds keys.
#[derive(Clone, PartialEq)]
pub struct GroupTruth {
    /// The name of its provisioning service.
    pub service: String,
    /// Its id.
    pub id: String,
    /// The policy of its namespace that it names: `authority/policy` of a certificate policy.
    pub policy: Option<String>,
    /// Host names of the hubs to which its devices can go.
    pub hubs: Vec<String>,
    /// Everything that was written but for the members that name the policy, keys included.
    pub rest: Map<String, Value>,
}

pub(crate) fn of(cloud: &Cloud) -> Vec<NamespaceTruth> {
    let world = cloud.lock();
    world.namespaces.iter().map(|namespace| of_namespace(&world, namespace)).collect()
}

fn of_namespace(world: &World, namespace: &Namespace) -> NamespaceTruth {
    let lacking = |origin: &Origin, authority: &Authority| {
        let has_it = |hub: &Hub| {
            let mut certificates = hub.certificates.iter();
            certificates.any(|one| one.origin == *origin && one.der == authority.der())
        };
        let lacking = world.linked_hubs(&namespace.id).filter(|hub| !has_it(hub));
        lacking.map(Hub::host_name).collect()
    };
    let thumbprint = |authority: &Authority| pki::sha1_thumbprint(authority.der());
    let of_credential = namespace.policies().filter_map(|policy| {
        let id = namespace.policy_id(&policy.name);
        let active = policy.active_authority()?;
        let lacking = lacking(&Origin::Policy(id.clone()), active);
        Some(PolicyTruth { id, name: policy.name.clone(), thumbprint: thumbprint(active), lacking })
    });
    let of_authorities = namespace.certificate_authorities.values().flat_map(|authority| {
        let origin = Origin::CertificateAuthority(namespace.certificate_authority_id(&authority.name));
        let seen = authority.active_authority().map(|active| (thumbprint(active), lacking(&origin, active)));
        let policies =
            authority.policies.values().filter(|one| one.provisioning_state == ProvisioningState::Succeeded);
        let policies = policies.filter_map(move |policy| {
            let id = namespace.certificate_policy_id(&authority.name, &policy.name);
            let name = format!("{}/{}", authority.name, policy.name);
            let (thumbprint, lacking) = seen.clone()?;
            Some(PolicyTruth { id, name, thumbprint, lacking })
        });
        policies.collect::<Vec<_>>()
    });
    let active = of_credential.chain(of_authorities);
    let services = world.services.iter().filter(|service| service.is_linked_to(&namespace.id));
    let groups =
        services.flat_map(|service| service.groups.values().map(|group| of_group(namespace, service, group)));
    let is_sync = |operation: &Operation| {
        operation.effect == Some(Effect::Synchronize)
            && operation.outcome == Outcome::Running
            && operation.namespace_id.eq_ignore_ascii_case(&namespace.id)
    };
    NamespaceTruth {
        id: namespace.id.clone(),
        is_syncing: world.operations.iter().any(is_sync),
        hubs: world.linked_hubs(&namespace.id).map(Hub::host_name).collect(),
        policies: active.collect(),
        groups: groups.collect(),
    }
}

fn of_group(namespace: &Namespace, service: &ProvisioningService, group: &EnrollmentGroup) -> GroupTruth {
    let policy = match &group.policy {
        Some(PolicyReference::Credential(name)) => Some(name.clone()),
        Some(PolicyReference::Certificate { namespace: named, authority, policy })
            if named.eq_ignore_ascii_case(&namespace.name) =>
        {
            Some(format!("{authority}/{policy}"))
        }
        Some(PolicyReference::Certificate { namespace: other, authority, policy }) => {
            Some(format!("{other}/{authority}/{policy}"))
        }
        None => None,
    };
    // It was an object when it was taken in.
    let mut rest: Map<String, Value> = serde_json::from_str(group.written.text()).unwrap_or_default();
    for member in REFERENCE {
        rest.shift_remove(member);
    }
    let hubs = if group.hubs.is_empty() { &service.hubs } else { &group.hubs };
    GroupTruth { service: service.name.clone(), id: group.id.clone(), policy, hubs: hubs.clone(), rest }
}
