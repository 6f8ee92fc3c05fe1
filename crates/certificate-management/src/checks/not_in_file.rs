//! What is linked in Azure and that the file does not name. Nothing else of the report counts it, so it would be missed in silence.

use super::CheckId;
use crate::ArmId;
use crate::facts::{Facts, NamespaceFacts};
use crate::finding::{Finding, Subject};
use crate::reason::Reason;

pub(super) fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let of = |namespace: &NamespaceFacts<'_>| -> Vec<Finding> {
        namespace.counted.unnamed.iter().map(|id| of_resource(namespace, id)).collect()
    };
    facts.namespaces.iter().flat_map(of).collect()
}

fn of_resource(namespace: &NamespaceFacts<'_>, id: &ArmId) -> Finding {
    let (reason, subject, message) = if id.is_of_type("Microsoft.DeviceRegistry/namespaces") {
        let message = format!(
            "it is linked to hubs or provisioning services in the scopes of {}, and policysync.toml does not name it",
            namespace.configuration.id.name()
        );
        // One namespace, from however many others it is seen.
        (Reason::NamespaceNotNamed, Subject::namespace(id), message)
    } else {
        let subject = namespace.subject().in_provisioning_service(id.name());
        let message = "it is linked to the namespace, and policysync.toml does not name it, so none of its enrollment \
                       groups is assigned or counted";
        (Reason::ServiceNotNamed, subject, message.to_owned())
    };
    Finding::new(CheckId::NotInFile, reason, subject, message).with_severity(reason.severity()).with("id", id)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{NAMESPACE, World};
    use super::*;
    use crate::reason::Severity;

    #[test]
    fn what_is_linked_and_not_named_is_told_each_once() {
        let mut world = World::healthy();
        assert_eq!(world.found(CheckId::NotInFile), []);
        let service =
            "/subscriptions/S/resourceGroups/R/providers/Microsoft.Devices/provisioningServices/other-dps";
        let namespace = NAMESPACE.replace("contoso", "fabrikam");
        world.counted.unnamed =
            [service, &namespace, &namespace].map(|id| ArmId::parse(id).unwrap()).to_vec();
        let found = world.found(CheckId::NotInFile);
        let told: Vec<_> =
            found.iter().map(|finding| (finding.reason, finding.severity, &*finding.subject.text)).collect();
        assert_eq!(
            told,
            [
                (Reason::ServiceNotNamed, Severity::Warning, "contoso / other-dps"),
                (Reason::NamespaceNotNamed, Severity::Information, "fabrikam"),
            ]
        );
    }
}
