//! Checks the certificate authorities of a fleet file: the limits of the service, and their signers.

use std::collections::HashSet;

use super::{STATES, fail, within};
use crate::fleet::{CertificateAuthority, CertificateAuthorityKind, FleetError, Namespace};
use crate::resource_names;

/// Issuing CAs of a namespace (`azure-wire-facts.md` §1.2).
const MOST_ISSUING: usize = 3;

/// Checks the certificate authorities of a namespace, and gives the lower-case names of the issuing ones.
pub(super) fn check(place: &str, namespace: &Namespace) -> Result<HashSet<String>, FleetError> {
    let of_kind = |kind| namespace.certificate_authorities.iter().filter(move |one| one.kind == kind).count();
    if !namespace.generation.has_certificate_authorities() && !namespace.certificate_authorities.is_empty() {
        return fail(
            format!("{place} / certificate_authority"),
            "certificate authorities need generation = \"certificate-authorities\" or \"both\"",
        );
    }
    let (roots, external) =
        (of_kind(CertificateAuthorityKind::Root), of_kind(CertificateAuthorityKind::External));
    let internal = of_kind(CertificateAuthorityKind::Issuing);
    if roots > 1 || internal + external > MOST_ISSUING {
        return fail(
            format!("{place} / certificate_authority"),
            format!("a namespace has one root and {MOST_ISSUING} issuing CAs at the most"),
        );
    }
    if internal > 0 && roots == 0 {
        return fail(
            format!("{place} / certificate_authority"),
            "an issuing CA needs the namespace's root, or type = \"external\"",
        );
    }
    let (mut taken, mut issuing) = (HashSet::new(), HashSet::new());
    for authority in &namespace.certificate_authorities {
        check_one(place, authority, &mut taken)?;
        if authority.kind != CertificateAuthorityKind::Root {
            issuing.insert(authority.name.to_ascii_lowercase());
        }
    }
    Ok(issuing)
}

fn check_one(
    place: &str,
    authority: &CertificateAuthority,
    taken: &mut HashSet<String>,
) -> Result<(), FleetError> {
    let place = format!("{place} / certificate_authority {:?}", authority.name);
    check_name(&place, &authority.name)?;
    if !taken.insert(authority.name.to_ascii_lowercase()) {
        return fail(format!("{place} / name"), "there is another of this name");
    }
    check_state(&place, &authority.provisioning_state)?;
    if let Some(days) = authority.validity_days {
        if authority.kind == CertificateAuthorityKind::External {
            return fail(format!("{place} / validity_days"), "who signs an external CA decides its validity");
        }
        within(&format!("{place} / validity_days"), days, 1, 3_650)?;
    }
    let Some(policy) = &authority.policy else { return Ok(()) };
    if authority.kind == CertificateAuthorityKind::Root {
        return fail(format!("{place} / policy"), "a root issues no device certificates and has no policy");
    }
    let place = format!("{place} / policy {:?}", policy.name);
    check_name(&place, &policy.name)?;
    check_state(&place, &policy.provisioning_state)?;
    within(&format!("{place} / leaf_validity_days"), policy.leaf_validity_days, 1, 90)
}

fn check_name(place: &str, name: &str) -> Result<(), FleetError> {
    match resource_names::is_policy_name(name) {
        true => Ok(()),
        false => fail(
            format!("{place} / name"),
            "a name has 3 to 63 letters, digits and hyphens and starts with a letter or digit",
        ),
    }
}

fn check_state(place: &str, state: &str) -> Result<(), FleetError> {
    match STATES.contains(&state) {
        true => Ok(()),
        false => fail(format!("{place} / provisioning_state"), format!("not one of {}", STATES.join(", "))),
    }
}
