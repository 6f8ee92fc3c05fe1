//! The subject of a finding: its parts for a program, and one text for a person and for suppressions.

use serde::{Deserialize, Serialize};

use crate::ArmId;

/// The part of a namespace that is the list of its DPS.
pub const PROVISIONING_SERVICES: &str = "provisioning-services";
/// The part of a namespace that is the list of its hubs.
pub const HUBS: &str = "hubs";
/// The part of a namespace that is what the file declares of its authorities and policies.
pub const DECLARED: &str = "declared";

/// The part of a namespace that is both sides of its links, with the roles that they need.
pub const LINKS: &str = "links";
/// The part of a DPS that holds the devices that registered with its groups.
pub const DEVICES: &str = "devices";

/// What a finding is about, from the namespace down. A part that has nothing to do with it is absent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Subject {
    /// The parts as one readable text, e.g. `contoso / short-lived / contoso-hub-1`.
    pub text: String,
    /// ARM id of the namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace_id: Option<ArmId>,
    /// Name of the policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// Name of the hub.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hub: Option<String>,
    /// Name of a certificate on the hub.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hub_certificate: Option<String>,
    /// Endpoint of the provisioning service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provisioning_service: Option<String>,
    /// Id of the enrollment group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enrollment_group: Option<String>,
    /// Id of the sync request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// A part of Policysync itself, e.g. `report`, or a list of the namespace, e.g. `hubs`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component: Option<String>,
}

/// The name of a DPS, which its endpoint begins with.
#[must_use]
pub(crate) fn name_of_service(endpoint: &str) -> &str {
    let last = endpoint.trim_end_matches('/').rsplit('/').next().unwrap_or(endpoint);
    last.split('.').next().unwrap_or(last)
}

impl Subject {
    /// A namespace.
    #[must_use]
    pub fn namespace(id: &ArmId) -> Self {
        let subject = Self { namespace_id: Some(id.clone()), ..Self::default() };
        subject.add(id.name())
    }

    /// A part of Policysync itself.
    #[must_use]
    pub fn component(name: &str) -> Self {
        let subject = Self { component: Some(name.to_owned()), ..Self::default() };
        subject.add(name)
    }

    /// A list of it as a whole, e.g. [`HUBS`].
    #[must_use]
    pub fn part(mut self, name: &str) -> Self {
        self.component = Some(name.to_owned());
        self.add(name)
    }

    /// A policy of it.
    #[must_use]
    pub fn in_policy(mut self, name: &str) -> Self {
        self.policy = Some(name.to_owned());
        self.add(name)
    }

    /// A hub of it.
    #[must_use]
    pub fn on_hub(mut self, name: &str) -> Self {
        self.hub = Some(name.to_owned());
        self.add(name)
    }

    /// A certificate on its hub.
    #[must_use]
    pub fn certificate(mut self, name: &str) -> Self {
        self.hub_certificate = Some(name.to_owned());
        self.add(name)
    }

    /// A provisioning service of it, by endpoint; the text has the first label of its host name.
    #[must_use]
    pub fn in_provisioning_service(mut self, endpoint: &str) -> Self {
        // The configuration may write an endpoint with a slash at its end, which the service does not show.
        let endpoint = endpoint.trim_end_matches('/');
        self.provisioning_service = Some(endpoint.to_owned());
        let last = endpoint.rsplit('/').next().unwrap_or(endpoint);
        self.add(last.split('.').next().unwrap_or(last))
    }

    /// An enrollment group of it.
    #[must_use]
    pub fn group(mut self, id: &str) -> Self {
        self.enrollment_group = Some(id.to_owned());
        self.add(id)
    }

    /// A sync request of it.
    #[must_use]
    pub fn of_request(mut self, id: &str) -> Self {
        self.request = Some(id.to_owned());
        self.add(id)
    }

    /// Every part, in an order that never changes. An absent part is an empty text.
    pub fn parts(&self) -> impl Iterator<Item = &str> {
        [
            self.namespace_id.as_ref().map(ArmId::as_str),
            self.policy.as_deref(),
            self.hub.as_deref(),
            self.hub_certificate.as_deref(),
            self.provisioning_service.as_deref(),
            self.enrollment_group.as_deref(),
            self.request.as_deref(),
            self.component.as_deref(),
        ]
        .into_iter()
        .map(Option::unwrap_or_default)
    }

    fn add(mut self, part: &str) -> Self {
        if !self.text.is_empty() {
            self.text.push_str(" / ");
        }
        self.text.push_str(part);
        self
    }
}

impl std::fmt::Display for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_names_the_parts_from_the_outside_in() {
        let id = "/subscriptions/S/resourceGroups/R/providers/Microsoft.DeviceRegistry/namespaces/contoso";
        let id = ArmId::parse(id).unwrap();
        let subject = Subject::namespace(&id)
            .in_provisioning_service("https://contoso-dps.azure-devices-provisioning.net/")
            .group("line-7");
        assert_eq!(subject.to_string(), "contoso / contoso-dps / line-7");
        assert_eq!(subject.parts().filter(|part| !part.is_empty()).count(), 3);
    }
}
