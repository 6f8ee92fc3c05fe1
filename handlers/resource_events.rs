//! Finds out where to look after an event about an ARM resource, or a `Created` event from the custom topic.

use certificate_management::ArmId;
use serde_json::Value;

use crate::walk::GroupHint;

/// Where to look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wake {
    /// At an enrollment group.
    Group(GroupHint),
    /// At a namespace, since it or something below it was written or acted on.
    Namespace(ArmId),
    /// At a hub, since it or something below it was written or acted on.
    Hub(ArmId),
    /// Nowhere, for this reason: no namespace of the configuration is concerned.
    Nothing(&'static str),
}

/// Where to look after an event of this type about this subject.
#[must_use]
pub fn wake(event_type: &str, subject: Option<&str>, data: &Value) -> Wake {
    let kind = event_type.to_ascii_lowercase();
    if kind.ends_with(".enrollmentgroup.created") {
        let text = |name: &str| {
            let object = data.as_object()?;
            object.iter().find(|(member, _)| member.eq_ignore_ascii_case(name))?.1.as_str()
        };
        return match (text("enrollmentGroupId"), text("provisioningService")) {
            (Some(group), Some(service)) => Wake::Group(GroupHint {
                provisioning_service: Some(service.to_owned()),
                enrollment_group: group.to_owned(),
            }),
            _ => Wake::Nothing("its data has no enrollmentGroupId and provisioningService"),
        };
    }
    if !kind.starts_with("microsoft.resources.resource") || !kind.ends_with("success") {
        return Wake::Nothing("its type is none that says where to look");
    }
    let named = data.get("resourceUri").and_then(Value::as_str).or(subject);
    let Some(id) = named.and_then(arm_id) else { return Wake::Nothing("it names no resource") };
    if let Some(namespace) = ancestor(&id, "Microsoft.DeviceRegistry/namespaces") {
        return Wake::Namespace(namespace);
    }
    match ancestor(&id, "Microsoft.Devices/IotHubs") {
        Some(hub) => Wake::Hub(hub),
        None => Wake::Nothing("it is about a resource that we do not look after"),
    }
}

/// The resource that an event names. An action's id can have the action's name at its end, without a name of its own.
fn arm_id(text: &str) -> Option<ArmId> {
    ArmId::parse(text).ok().or_else(|| ArmId::parse(text.rsplit_once('/')?.0).ok())
}

fn ancestor(id: &ArmId, resource_type: &str) -> Option<ArmId> {
    // `/subscriptions/s/resourceGroups/r/providers/p/type/name`: nine pieces at each `/`.
    let top: Vec<&str> = id.as_str().split('/').take(9).collect();
    ArmId::parse(&top.join("/")).ok().filter(|top| top.is_of_type(resource_type))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NAMESPACE: &str =
        "/subscriptions/S/resourceGroups/R/providers/Microsoft.DeviceRegistry/namespaces/contoso";

    #[test]
    fn a_created_event_names_a_group_whatever_its_publisher() {
        let data = json!({"enrollmentGroupId": "line-7", "provisioningService": "contoso-dps.azure-devices-provisioning.net"});
        let Wake::Group(hint) = wake("Fabrikam.EnrollmentGroup.Created", None, &data) else {
            panic!("no group")
        };
        assert_eq!(hint.enrollment_group, "line-7");
        assert!(matches!(wake("Policysync.EnrollmentGroup.Created", None, &json!(null)), Wake::Nothing(_)));
    }

    #[test]
    fn writes_and_actions_below_a_namespace_lead_to_it() {
        let namespace = ArmId::parse(NAMESPACE).unwrap();
        for (kind, rest) in [
            ("ResourceWriteSuccess", "/credentials/default/policies/p"),
            ("ResourceActionSuccess", "/credentials/default/synchronize"),
            ("ResourceActionSuccess", "/credentials/default/policies/p/revokeIssuer"),
            ("ResourceWriteSuccess", ""),
        ] {
            let subject = format!("{NAMESPACE}{rest}");
            let wake = wake(&format!("Microsoft.Resources.{kind}"), Some(&subject), &json!({}));
            assert_eq!(wake, Wake::Namespace(namespace.clone()), "{kind} {rest}");
        }
    }

    #[test]
    fn a_hub_is_a_hub_and_the_rest_is_nothing() {
        let hub = "/subscriptions/S/resourceGroups/R/providers/Microsoft.Devices/IotHubs/h1";
        let data = json!({"resourceUri": hub});
        let by_data = wake("Microsoft.Resources.ResourceWriteSuccess", Some("x"), &data);
        assert_eq!(by_data, Wake::Hub(ArmId::parse(hub).unwrap()));
        let site = "/subscriptions/S/resourceGroups/R/providers/Microsoft.Web/sites/s";
        for (kind, subject) in [
            ("Microsoft.Resources.ResourceWriteFailure", NAMESPACE),
            ("Microsoft.Devices.DeviceCreated", hub),
            ("Microsoft.Resources.ResourceWriteSuccess", site),
            ("Microsoft.Resources.ResourceWriteSuccess", ""),
        ] {
            assert!(matches!(wake(kind, Some(subject), &json!(null)), Wake::Nothing(_)), "{kind} {subject}");
        }
    }
}
