//! Finds the issuer of a device's certificate.

use std::sync::Arc;

use time::OffsetDateTime;

use crate::pki::Authority;
use crate::world::enrollment::PolicyReference;
use crate::world::namespace::Namespace;
use crate::world::resource::ProvisioningState;

/// The issuing CA of a policy and the validity of what it issues, in days. Otherwise why there is none: an expired CA
/// issues nothing, since no device certificate outlives its CA (`ca-lifecycle-facts.md` §1.8).
pub(crate) fn of(
    namespace: Option<&Namespace>,
    reference: &PolicyReference,
    now: OffsetDateTime,
) -> Result<(Arc<Authority>, u32), String> {
    let is_valid = |authority: &Authority| authority.not_after() > now;
    match reference {
        PolicyReference::Credential(name) => {
            let policy = namespace.and_then(|namespace| namespace.policy(name));
            let found =
                policy.and_then(|policy| Some((policy.active_authority()?, policy.leaf_validity_days)));
            found
                .filter(|(authority, _)| is_valid(authority))
                .map(|(authority, days)| (Arc::clone(authority), days))
                .ok_or_else(|| format!("The credential policy '{name}' cannot issue certificates."))
        }
        PolicyReference::Certificate { namespace: name, authority, policy } => {
            let found = namespace
                .filter(|namespace| namespace.name.eq_ignore_ascii_case(name))
                .and_then(|namespace| namespace.certificate_authority(authority))
                .and_then(|authority| Some((authority.active_authority()?, authority.policy(policy)?)))
                .filter(|(_, policy)| policy.provisioning_state == ProvisioningState::Succeeded)
                .filter(|(authority, _)| is_valid(authority));
            found.map(|(authority, policy)| (Arc::clone(authority), policy.validity_days)).ok_or_else(|| {
                format!("The certificate policy '{name}/{authority}/{policy}' cannot issue certificates.")
            })
        }
    }
}
