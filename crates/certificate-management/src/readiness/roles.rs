//! The matrix of roles: which identity needs which role where (`ca-lifecycle-facts.md` §4.1, `azure-wire-facts.md` §6).

use super::seen::{Caller, Grant, Grants, Kind, Linked, Principal, Seen, Sides};
use super::{Aspect, Judged, Outcome, all_or};
use crate::ArmId;
use crate::generation::Generation;
use crate::model::Namespace;
use crate::next_step::{self, Commands, Lacking, PrincipalType, Situation};

/// A built-in role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Role {
    /// Its name.
    pub name: &'static str,
    /// Its GUID.
    pub id: &'static str,
    /// GUIDs of roles that hold everything that it does.
    within: &'static [&'static str],
}

const OWNER: &str = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635";
const CONTRIBUTOR_ID: &str = "b24988ac-6180-42a0-ab88-20f7382dd24c";
const HUB_DATA_CONTRIBUTOR_ID: &str = "4fc6c259-987e-4a07-842e-c321cc9d413f";
const CONTRIBUTOR: Role = Role { name: "Contributor", id: CONTRIBUTOR_ID, within: &[OWNER] };
const HUB_DATA_CONTRIBUTOR: Role =
    Role { name: "IoT Hub Data Contributor", id: HUB_DATA_CONTRIBUTOR_ID, within: &[] };
const HUB_REGISTRY_CONTRIBUTOR: Role = Role {
    name: "IoT Hub Registry Contributor",
    id: "4ea46cd5-c1b2-4a8e-910b-273211f9ce47",
    within: &[HUB_DATA_CONTRIBUTOR_ID],
};
const REGISTRY_ADMINISTRATOR: Role = Role {
    name: "Azure Device Registry Administrator",
    id: "12675fd7-7f59-493f-9201-f7944860a2f1",
    within: &[],
};
const REGISTRY_CONTRIBUTOR: Role = Role {
    name: "Azure Device Registry Contributor",
    id: "a5c3590a-3a1a-4cd4-9648-ea0a32b15137",
    within: &[],
};
const REGISTRY_ONBOARDING: Role = Role {
    name: "Azure Device Registry Onboarding",
    id: "547f7f0a-69c0-4807-bd9e-0321dfb66a84",
    within: &[],
};
/// Roles whose actions may cover another role's; none of them has actions on data.
const BROAD: [&str; 2] = [OWNER, CONTRIBUTOR_ID];

/// A role that an identity needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// Whose it is, in words.
    pub who: String,
    /// The object id of the identity.
    pub principal: String,
    /// The role.
    pub role: Role,
    /// On what.
    pub scope: ArmId,
    /// Whether Microsoft's own help says that this is still to be confirmed.
    is_unconfirmed: bool,
}

impl Need {
    /// The command that grants it.
    #[must_use]
    pub fn grant(&self) -> String {
        grant_command(self.role.name, &self.principal, self.scope.as_str())
    }

    /// What was read of the grants of the identity there.
    fn grants<'s>(&self, seen: &'s Seen) -> Option<&'s Grants> {
        seen.sides.grants.iter().find(|grants| {
            grants.scope == self.scope && grants.principal.eq_ignore_ascii_case(&self.principal)
        })
    }

    /// Whether the role, or one that holds all of it, is among these.
    fn is_among(&self, found: &[Grant]) -> bool {
        has(found, self.role.id) || self.role.within.iter().any(|id| has(found, id))
    }
}

/// The roles that are needed, and the identities that a link names and that are not to be found.
struct Matrix {
    needs: Vec<Need>,
    problems: Vec<Judged>,
}

/// The command that gives a role to a service principal, such as a managed identity.
#[must_use]
pub fn grant_command(role: &str, principal_id: &str, scope_id: &str) -> String {
    next_step::grant_command(role, principal_id, PrincipalType::ServicePrincipal, scope_id)
}

/// The roles that are needed, so that their grants can be read.
#[must_use]
pub fn needed(namespace: &Namespace, sides: &Sides) -> Vec<Need> {
    matrix(namespace, sides).needs
}

fn matrix(namespace: &Namespace, sides: &Sides) -> Matrix {
    let mut matrix = Matrix { needs: Vec::new(), problems: Vec::new() };
    let side = match &sides.side {
        Ok(side) => side,
        Err(error) => {
            matrix.problems.push(Judged::unread(
                Aspect::LinkRoles,
                "",
                "the namespace",
                &namespace.id,
                error,
            ));
            return matrix;
        }
    };
    let id = &namespace.id;
    let outbound = side.outbound.as_ref().unwrap_or(&Caller::SystemAssigned);
    let of_namespace = format!("the identity of namespace {}", id.name());
    let own = side.identities.principal(outbound);
    for linked in &sides.linked {
        let generation = namespace.generation_of_link(&linked.id);
        let on_linked: &[(Role, bool)] = match (generation, linked.kind) {
            (Generation::CertificateAuthorities, Kind::Hub) => {
                &[(CONTRIBUTOR, false), (HUB_DATA_CONTRIBUTOR, true)]
            }
            (Generation::CertificateAuthorities, Kind::ProvisioningService) => &[(CONTRIBUTOR, false)],
            (Generation::Credentials, Kind::Hub) => {
                &[(CONTRIBUTOR, false), (HUB_REGISTRY_CONTRIBUTOR, false)]
            }
            (Generation::Credentials, Kind::ProvisioningService) => &[],
        };
        for (role, is_unconfirmed) in on_linked {
            matrix.need(linked, &of_namespace, own, *role, &linked.id, *is_unconfirmed);
        }
        if (generation, linked.kind) == (Generation::CertificateAuthorities, Kind::ProvisioningService) {
            // Its own identity, also where another one calls what is linked.
            let system = side.identities.principal(&Caller::SystemAssigned);
            let who = format!("the system-assigned identity of namespace {}", id.name());
            matrix.need(linked, &who, system, REGISTRY_ADMINISTRATOR, id, false);
        }
        let resource = match &linked.side {
            Ok(resource) => resource,
            Err(error) => {
                let what = format!("{} with its identity", linked.id.name());
                matrix.problems.push(Judged::unread(
                    Aspect::LinkRoles,
                    linked.id.name(),
                    &what,
                    &linked.id,
                    error,
                ));
                continue;
            }
        };
        let endpoint = side.endpoints.iter().find(|endpoint| endpoint.resource == linked.id);
        let (caller, roles): (_, &[Role]) = match generation {
            Generation::CertificateAuthorities => {
                (endpoint.and_then(|endpoint| endpoint.inbound.as_ref()), &[CONTRIBUTOR])
            }
            Generation::Credentials => {
                (resource.caller.as_ref(), &[REGISTRY_CONTRIBUTOR, REGISTRY_ONBOARDING])
            }
        };
        let Some(caller) = caller else { continue };
        let who = format!("the identity of {}", linked.id.name());
        for role in roles {
            let principal = resource.identities.principal(caller);
            matrix.need(linked, &who, principal, *role, id, false);
        }
    }
    matrix
}

impl Matrix {
    fn need(
        &mut self,
        linked: &Linked,
        who: &str,
        principal: Principal<'_>,
        role: Role,
        scope: &ArmId,
        is_unconfirmed: bool,
    ) {
        let problem = |outcome, message: String, next_step: &str| {
            Judged::new(Aspect::LinkRoles, linked.id.name(), outcome, message, next_step.to_owned())
        };
        let found = match principal {
            Principal::Known(principal) => {
                let (who, principal) = (who.to_owned(), principal.to_owned());
                let need = Need { who, principal, role, scope: scope.clone(), is_unconfirmed };
                if !self.needs.contains(&need) {
                    self.needs.push(need);
                }
                return;
            }
            Principal::NotAttached => problem(
                Outcome::Wrong,
                format!("{who}, which the link names, is not attached to the resource"),
                "Attach the identity (`az resource update --set identity.type=SystemAssigned --ids ID` for a system-assigned one), then link again.",
            ),
            Principal::NotShown => problem(
                Outcome::Unchecked,
                format!("could not be checked: the object id of {who} is not shown"),
                "Look at the identity's role assignments in Azure.",
            ),
        };
        if !self.problems.contains(&found) {
            self.problems.push(found);
        }
    }
}

pub(super) fn judge(seen: &Seen) -> Vec<Judged> {
    let Matrix { needs, mut problems } = matrix(&seen.namespace, &seen.sides);
    for need in &needs {
        match need.grants(seen) {
            None => problems.push(unasked(need)),
            Some(Grants { found: Err(error), .. }) => {
                let what = format!("the role assignments of {}", need.who);
                problems.push(Judged::unread(
                    Aspect::LinkRoles,
                    need.scope.name(),
                    &what,
                    &need.scope,
                    error,
                ));
            }
            Some(Grants { found: Ok(found), .. }) => {
                if need.is_among(found) {
                    continue;
                }
                let is_covered = BROAD.iter().any(|id| has(found, id));
                problems.push(missing(need, is_covered));
            }
        }
    }
    problems.dedup();
    let later = match seen.namespace.generation.has(Generation::Credentials) {
        true => "; not looked at: Contributor of IoT Hub's own application on the resource group",
        false => "",
    };
    all_or(problems, Aspect::LinkRoles, needs.len(), || {
        format!("roles granted: {}, each that the links need{later}", needs.len())
    })
}

/// The roles on a resource that were seen to be missing.
pub(super) fn lacking(seen: &Seen, scope: &ArmId) -> Vec<Need> {
    let is_missing = |need: &Need| {
        let found = need.grants(seen).and_then(|grants| grants.found.as_ref().ok());
        need.scope == *scope && found.is_some_and(|found| !need.is_among(found))
    };
    let mut needs = needed(&seen.namespace, &seen.sides);
    needs.retain(is_missing);
    needs
}

/// Whether every role that is needed on a resource was seen to be granted.
pub(super) fn are_all_granted(seen: &Seen, scope: &ArmId) -> bool {
    let mut needs = needed(&seen.namespace, &seen.sides);
    needs.retain(|need| need.scope == *scope);
    let is_granted = |need: &Need| {
        let found = need.grants(seen).and_then(|grants| grants.found.as_ref().ok());
        found.is_some_and(|found| need.is_among(found))
    };
    !needs.is_empty() && needs.iter().all(is_granted)
}

/// Whether a role is granted, without a condition.
fn has(found: &[Grant], role: &str) -> bool {
    found.iter().any(|grant| !grant.is_conditional && grant.role.eq_ignore_ascii_case(role))
}

fn unasked(need: &Need) -> Judged {
    Judged::new(
        Aspect::LinkRoles,
        need.scope.name(),
        Outcome::Unchecked,
        format!("could not be checked: the role assignments of {} were not read", need.who),
        "Look at the identity's role assignments in Azure.".to_owned(),
    )
}

fn missing(need: &Need, is_covered: bool) -> Judged {
    let Need { who, role, scope, .. } = need;
    let mut message = format!("{who} lacks `{}` on {}", role.name, scope.name());
    if is_covered {
        message.push_str("; a broader role may cover it (inferred: that role has no actions on data)");
    }
    if need.is_unconfirmed {
        message.push_str(" (inferred: Microsoft's own help says that this is to be confirmed)");
    }
    let outcome = match is_covered || need.is_unconfirmed {
        true => Outcome::Doubtful,
        false => Outcome::Wrong,
    };
    // It is not the caller who lacks it.
    let situation = Situation::of_fleet(false, next_step::Caller::Person);
    let next_step = next_step::to_grant(Lacking::Link, Commands::Below(1), &situation);
    let judged = Judged::new(Aspect::LinkRoles, scope.name(), outcome, message, next_step);
    Judged { missing: Some(need.clone()), ..judged }
}
