//! What is true in the simulated cloud, for a judge of what its callers did. No caller can read it.

use serde_json::{Map, Value};

use super::cloud::Cloud;
use super::pki;
use super::world::World;
use super::world::enrollment::{EnrollmentGroup, PolicyReference, ProvisioningService};
use super::world::hub::{Hub, Origin};
use super::world::namespace::Namespace;

/// The members by which a group names its policy, in either generation.
const REFERENCE: [&str; 4] =
    ["credentialPolicyName", "namespaceName", "certificateAuthorityName", "certificatePolicyName"];

/// A namespace, with the credential policies of generation A. No `Debug`: its groups hold keys.
#[derive(Clone, PartialEq)]
pub struct NamespaceTruth {
    /// ARM id.
    pub id: String,
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
    /// Its name.
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
    /// The credential policy that it names.
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
    let active = namespace.policies().filter_map(|policy| {
        let authority = policy.active_authority()?;
        let id = namespace.policy_id(&policy.name);
        let origin = Origin::Policy(id.clone());
        let has_it = |hub: &Hub| {
            let mut certificates = hub.certificates.iter();
            certificates.any(|one| one.origin == origin && one.der == authority.der())
        };
        let lacking = world.linked_hubs(&namespace.id).filter(|hub| !has_it(hub));
        Some(PolicyTruth {
            id,
            name: policy.name.clone(),
            thumbprint: pki::sha1_thumbprint(authority.der()),
            lacking: lacking.map(Hub::host_name).collect(),
        })
    });
    let services = world.services.iter().filter(|service| service.is_linked_to(&namespace.id));
    let groups = services.flat_map(|service| service.groups.values().map(|group| of_group(service, group)));
    NamespaceTruth { id: namespace.id.clone(), policies: active.collect(), groups: groups.collect() }
}

fn of_group(service: &ProvisioningService, group: &EnrollmentGroup) -> GroupTruth {
    let policy = match &group.policy {
        Some(PolicyReference::Credential(name)) => Some(name.clone()),
        Some(PolicyReference::Certificate { .. }) | None => None,
    };
    // It was an object when it was taken in.
    let mut rest: Map<String, Value> = serde_json::from_str(group.written.text()).unwrap_or_default();
    for member in REFERENCE {
        rest.shift_remove(member);
    }
    let hubs = if group.hubs.is_empty() { &service.hubs } else { &group.hubs };
    GroupTruth { service: service.name.clone(), id: group.id.clone(), policy, hubs: hubs.clone(), rest }
}
