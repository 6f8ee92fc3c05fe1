//! Enrollment groups of a fleet file: ids, hubs and references that exist.

use std::collections::HashSet;

use super::{fail, known_hubs};
use crate::fleet::{CertificateAuthorityKind, EnrollmentGroup, FleetError, Namespace};
use crate::resource_names;

/// The resources that the groups of one service may name.
pub(super) struct Known<'a> {
    /// Lower-case names of the hubs.
    pub hubs: HashSet<String>,
    /// The namespace, where there is one.
    pub namespace: Option<&'a Namespace>,
    /// Whether a policy that does not exist is an error.
    pub strict: bool,
}

pub(super) fn check(place: &str, groups: &[EnrollmentGroup], known: &Known<'_>) -> Result<(), FleetError> {
    let mut taken = HashSet::new();
    for group in groups {
        let place = format!("{place} / enrollment_group {:?}", group.name);
        if !resource_names::is_enrollment_group_id(&group.name) {
            return fail(
                format!("{place} / name"),
                "an id has up to 128 letters, digits and : . _ - with a letter or digit at both ends",
            );
        }
        if !taken.insert(group.name.to_ascii_lowercase()) {
            return fail(format!("{place} / name"), "there is another of this name");
        }
        known_hubs(&format!("{place} / hubs"), &group.hubs, &known.hubs)?;
        if let (Some(namespace), Some(policy)) = (known.namespace, &group.policy)
            && known.strict
            && !namespace.policies.iter().any(|one| one.name.eq_ignore_ascii_case(policy))
        {
            return fail(
                format!("{place} / policy"),
                format!("the namespace has no policy {policy:?}, and unknown_policy is \"refuse\""),
            );
        }
        check_certificate_policy(&place, group, known)?;
    }
    Ok(())
}

/// The service takes no partial reference, and none to a root (`azure-wire-facts.md` §3).
fn check_certificate_policy(
    place: &str,
    group: &EnrollmentGroup,
    known: &Known<'_>,
) -> Result<(), FleetError> {
    let (authority, policy) = match (&group.certificate_authority, &group.certificate_policy) {
        (None, None) => return Ok(()),
        (Some(authority), Some(policy)) => (authority, policy),
        (Some(_), None) => {
            return fail(format!("{place} / certificate_policy"), "is required beside certificate_authority");
        }
        (None, Some(_)) => {
            return fail(format!("{place} / certificate_authority"), "is required beside certificate_policy");
        }
    };
    let Some(namespace) = known.namespace else {
        return fail(format!("{place} / certificate_authority"), "the service has no namespace");
    };
    let place = format!("{place} / certificate_authority");
    let found = namespace.certificate_authorities.iter().find(|one| one.name.eq_ignore_ascii_case(authority));
    match found {
        Some(found) if found.kind == CertificateAuthorityKind::Root => {
            fail(place, format!("{authority:?} is a root, which issues no device certificates"))
        }
        Some(found) if found.policy.as_ref().is_some_and(|one| one.name.eq_ignore_ascii_case(policy)) => {
            Ok(())
        }
        _ if known.strict => fail(
            place,
            format!(
                "the namespace has no {authority:?} with a policy {policy:?}, and unknown_policy is \"refuse\""
            ),
        ),
        _ => Ok(()),
    }
}
