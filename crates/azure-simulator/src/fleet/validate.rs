//! Checks a fleet file: names that Azure would take, references that exist, numbers within bounds.

mod certificate_authorities;
mod enrollment_groups;

use std::collections::HashSet;

use super::{Fleet, FleetError, LinkingState, Namespace, Policy, UnknownPolicy};
use crate::resource_names;

const STATES: [&str; 5] = ["Succeeded", "Failed", "Canceled", "Accepted", "Deleting"];

fn fail<T>(place: impl Into<String>, problem: impl Into<String>) -> Result<T, FleetError> {
    Err(FleetError::Value { place: place.into(), problem: problem.into() })
}

/// The host names and the paths of the simulator are made of these names, so they are unique over the whole fleet.
#[derive(Default)]
struct Taken {
    namespaces: HashSet<String>,
    hubs: HashSet<String>,
    services: HashSet<String>,
}

impl Fleet {
    /// Checks what the types cannot: names, references, bounds.
    ///
    /// # Errors
    /// The first thing that is wrong, and where it stands.
    pub fn validate(&self) -> Result<(), FleetError> {
        segment("subscription", &self.subscription)?;
        segment("location", &self.location)?;
        within("synchronize_seconds", self.synchronize_seconds, 0, 86_400)?;
        within("operation_seconds", self.operation_seconds, 0, 86_400)?;
        within("retry_after_seconds", self.retry_after_seconds, 0, 3_600)?;
        within("registration_seconds", self.registration_seconds, 0, 3_600)?;
        within("diagnostics_delay_seconds", self.diagnostics_delay_seconds, 0, 86_400)?;
        within("issuing_ca_validity_days", self.issuing_ca_validity_days, 1, 3_650)?;
        within("push_seconds", self.push_seconds, 0, 86_400)?;
        within("page_size", self.page_size, 1, 1_000)?;
        if let Err((key, problem)) = self.lifecycle.check() {
            return fail(format!("lifecycle / {key}"), problem);
        }
        let mut taken = Taken::default();
        for namespace in &self.namespaces {
            self.check_namespace(namespace, &mut taken)?;
        }
        for hub in &self.hubs {
            let place = format!("hub {:?}", hub.name);
            resource(&format!("{place} / name"), &hub.name, &mut taken.hubs)?;
            segment(&format!("{place} / resource_group"), &hub.resource_group)?;
            optional_segment(&format!("{place} / subscription"), hub.subscription.as_deref())?;
        }
        for service in &self.provisioning_services {
            let place = format!("provisioning_service {:?}", service.name);
            resource(&format!("{place} / name"), &service.name, &mut taken.services)?;
            segment(&format!("{place} / resource_group"), &service.resource_group)?;
            let known: HashSet<String> = self
                .namespaces
                .iter()
                .flat_map(|n| &n.hubs)
                .map(|h| &h.name)
                .chain(self.hubs.iter().map(|h| &h.name))
                .map(|n| n.to_ascii_lowercase())
                .collect();
            known_hubs(&format!("{place} / hubs"), &service.hubs, &known)?;
            let hubs = service.hubs.iter().map(|name| name.to_ascii_lowercase()).collect();
            let known = enrollment_groups::Known { hubs, namespace: None, strict: false };
            enrollment_groups::check(&place, &service.enrollment_groups, &known)?;
        }
        Ok(())
    }

    fn check_namespace(&self, namespace: &Namespace, taken: &mut Taken) -> Result<(), FleetError> {
        let place = format!("namespace {:?}", namespace.name);
        resource(&format!("{place} / name"), &namespace.name, &mut taken.namespaces)?;
        segment(&format!("{place} / resource_group"), &namespace.resource_group)?;
        optional_segment(&format!("{place} / subscription"), namespace.subscription.as_deref())?;
        if !namespace.credential && !namespace.policies.is_empty() {
            return fail(format!("{place} / policy"), "a namespace without a credential has no policies");
        }
        if !namespace.generation.has_credentials() && !namespace.policies.is_empty() {
            return fail(
                format!("{place} / policy"),
                "a namespace of generation \"certificate-authorities\" has its policies below certificate_authority",
            );
        }
        if !STATES.contains(&namespace.provisioning_state.as_str()) {
            return fail(
                format!("{place} / provisioning_state"),
                format!("not one of {}", STATES.join(", ")),
            );
        }
        let mut policies = HashSet::new();
        for policy in &namespace.policies {
            check_policy(&place, policy, &mut policies)?;
        }
        let issuing = certificate_authorities::check(&place, namespace)?;
        for hub in &namespace.hubs {
            let place = format!("{place} / hub {:?}", hub.name);
            resource(&format!("{place} / name"), &hub.name, &mut taken.hubs)?;
            optional_segment(&format!("{place} / resource_group"), hub.resource_group.as_deref())?;
            optional_segment(&format!("{place} / subscription"), hub.subscription.as_deref())?;
            check_link(&place, hub.linking_state, hub.linking_error.as_deref())?;
            for name in hub.trusts.iter().flatten().map(|name| name.to_ascii_lowercase()) {
                if !policies.contains(&name) && !issuing.contains(&name) {
                    return fail(
                        format!("{place} / trusts"),
                        format!("the namespace has no policy {name:?} and no issuing CA of that name"),
                    );
                }
            }
        }
        let known = enrollment_groups::Known {
            hubs: namespace.hubs.iter().map(|hub| hub.name.to_ascii_lowercase()).collect(),
            namespace: Some(namespace),
            strict: self.unknown_policy == UnknownPolicy::Refuse,
        };
        for service in &namespace.provisioning_services {
            let place = format!("{place} / provisioning_service {:?}", service.name);
            resource(&format!("{place} / name"), &service.name, &mut taken.services)?;
            optional_segment(&format!("{place} / resource_group"), service.resource_group.as_deref())?;
            optional_segment(&format!("{place} / subscription"), service.subscription.as_deref())?;
            check_link(&place, service.linking_state, service.linking_error.as_deref())?;
            let seconds = service.roles_replicate_after_seconds;
            within(&format!("{place} / roles_replicate_after_seconds"), seconds, 0, 86_400)?;
            enrollment_groups::check(&place, &service.enrollment_groups, &known)?;
        }
        Ok(())
    }
}

fn check_policy(place: &str, policy: &Policy, taken: &mut HashSet<String>) -> Result<(), FleetError> {
    let place = format!("{place} / policy {:?}", policy.name);
    if !resource_names::is_policy_name(&policy.name) {
        return fail(
            format!("{place} / name"),
            "a policy name has 3 to 63 letters, digits and hyphens and starts with a letter or digit",
        );
    }
    if !taken.insert(policy.name.to_ascii_lowercase()) {
        return fail(format!("{place} / name"), "there is another of this name");
    }
    within(&format!("{place} / leaf_validity_days"), policy.leaf_validity_days, 1, 90)?;
    if let Some(days) = policy.issuing_ca_validity_days {
        within(&format!("{place} / issuing_ca_validity_days"), days, 1, 3_650)?;
    }
    if !STATES.contains(&policy.provisioning_state.as_str()) {
        return fail(format!("{place} / provisioning_state"), format!("not one of {}", STATES.join(", ")));
    }
    Ok(())
}

/// A link that works has no error.
fn check_link(place: &str, state: LinkingState, error: Option<&str>) -> Result<(), FleetError> {
    match error {
        Some(_) if state != LinkingState::Failed => fail(
            format!("{place} / linking_error"),
            "only a link whose linking_state is \"Failed\" has an error",
        ),
        Some(error) if !error.chars().all(|c| c.is_ascii_alphanumeric()) || error.is_empty() => {
            fail(format!("{place} / linking_error"), "a code has letters and digits, like AdrMiNotAuthorized")
        }
        _ => Ok(()),
    }
}

fn known_hubs(place: &str, hubs: &[String], known: &HashSet<String>) -> Result<(), FleetError> {
    match hubs.iter().find(|hub| !known.contains(&hub.to_ascii_lowercase())) {
        Some(hub) => fail(place, format!("there is no hub {hub:?} here")),
        None => Ok(()),
    }
}

fn resource(place: &str, name: &str, taken: &mut HashSet<String>) -> Result<(), FleetError> {
    let fit = (3..=63).contains(&name.len())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        && !name.starts_with('-')
        && !name.ends_with('-');
    if !fit {
        return fail(place, "a name has 3 to 63 letters, digits and hyphens, no hyphen at an end");
    }
    if !taken.insert(name.to_ascii_lowercase()) {
        return fail(place, "there is another of this name; host names are made of it");
    }
    Ok(())
}

fn optional_segment(place: &str, text: Option<&str>) -> Result<(), FleetError> {
    text.map_or(Ok(()), |text| segment(place, text))
}

/// A subscription, resource group or location: one segment of a path.
fn segment(place: &str, text: &str) -> Result<(), FleetError> {
    let fit = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '(' | ')' | ' ');
    if text.is_empty() || text.len() > 90 || !text.chars().all(fit) || text.starts_with('.') {
        return fail(place, format!("{text:?} is not 1 to 90 letters, digits and - _ . ( )"));
    }
    Ok(())
}

fn within(place: &str, value: u32, least: u32, most: u32) -> Result<(), FleetError> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    fail(place, format!("{value} is not between {least} and {most}"))
}
