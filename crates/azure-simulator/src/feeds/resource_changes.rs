//! Changes of ARM resources, as the Event Grid topic of their subscription tells of them, in `CloudEvents` form.

use serde_json::json;

use super::Feeds;
use crate::dates;
use crate::world::change::{Change, Deed, ResourceKind, Watcher};

impl Watcher for Feeds {
    fn changed(&self, change: &Change<'_>) {
        let subscription = change.resource_id.split('/').nth(2).unwrap_or_default();
        let operation = operation(change.kind, change.deed);
        self.enqueue(
            json!({
                "id": uuid::Uuid::new_v4().to_string(),
                "source": format!("/subscriptions/{subscription}"),
                "specversion": "1.0",
                "type": event_type(change.deed),
                "subject": change.resource_id,
                "time": dates::ticks(change.at),
                "data": {
                    "correlationId": uuid::Uuid::new_v4().to_string(),
                    "resourceProvider": operation.split('/').next().unwrap_or_default(),
                    "resourceUri": change.resource_id,
                    "operationName": operation,
                    "status": "Succeeded",
                    "subscriptionId": subscription,
                    "tenantId": change.tenant_id,
                },
            }),
            change.at,
        );
    }
}

fn event_type(deed: Deed) -> &'static str {
    match deed {
        Deed::Write => "Microsoft.Resources.ResourceWriteSuccess",
        Deed::Delete => "Microsoft.Resources.ResourceDeleteSuccess",
        Deed::Synchronize
        | Deed::RevokeIssuer
        | Deed::ActivateBringYourOwnRoot
        | Deed::Activate
        | Deed::RevokeAndRotate => "Microsoft.Resources.ResourceActionSuccess",
    }
}

/// As in role definitions, e.g. `Microsoft.DeviceRegistry/namespaces/credentials/synchronize/action`.
fn operation(kind: ResourceKind, deed: Deed) -> String {
    let resource = match kind {
        ResourceKind::Namespace => "Microsoft.DeviceRegistry/namespaces",
        ResourceKind::Credential => "Microsoft.DeviceRegistry/namespaces/credentials",
        ResourceKind::CredentialPolicy => "Microsoft.DeviceRegistry/namespaces/credentials/policies",
        ResourceKind::CertificateAuthority => "Microsoft.DeviceRegistry/namespaces/certificateAuthorities",
        ResourceKind::CertificatePolicy => {
            "Microsoft.DeviceRegistry/namespaces/certificateAuthorities/certificatePolicies"
        }
        ResourceKind::HubCertificate => "Microsoft.Devices/iotHubs/certificates",
        ResourceKind::ProvisioningService => "Microsoft.Devices/provisioningServices",
    };
    let verb = match deed {
        Deed::Write => "write",
        // As `Microsoft.Devices` spells it.
        Deed::Delete if kind == ResourceKind::HubCertificate => "Delete",
        Deed::Delete => "delete",
        Deed::Synchronize => "synchronize/action",
        Deed::RevokeIssuer => "revokeIssuer/action",
        Deed::ActivateBringYourOwnRoot => "activateBringYourOwnRoot/action",
        Deed::Activate => "activate/action",
        Deed::RevokeAndRotate => "revokeAndRotate/action",
    };
    format!("{resource}/{verb}")
}
