//! What the identity of the app may do, which hubs it can read, and which hubs there are.

use std::time::Duration;

use http::Method;
use serde_json::json;
use tokio::time::sleep;

use super::Workload;
use crate::oracles::Event;

/// What the role of the callers can leave out: actions on resources, and on data. Roles are taken away as a whole more often than action by
/// action, and what a caller sees of that is a part of this.
pub(super) const ROLES: [(&[&str], &[&str]); 9] = [
    (&["Microsoft.DeviceRegistry/namespaces/credentials/synchronize/action"], &[]),
    (&["Microsoft.DeviceRegistry/namespaces/*"], &[]),
    (&["Microsoft.DeviceRegistry/namespaces/credentials/policies/read"], &[]),
    (&["Microsoft.Devices/IotHubs/certificates/read"], &[]),
    (&["Microsoft.Devices/IotHubs/*"], &[]),
    (&["Microsoft.Devices/provisioningServices/read"], &[]),
    (&[], &["Microsoft.Devices/provisioningServices/enrollmentGroups/write"]),
    (&[], &["Microsoft.Devices/provisioningServices/attestationmechanism/details/action"]),
    (&["*"], &["*"]),
];

/// What is missing now.
#[derive(Default)]
pub(super) struct Missing {
    /// By deed.
    roles: Vec<(usize, usize)>,
    /// Names of hubs that cannot be read, by deed.
    hidden: Vec<(usize, String)>,
}

impl Workload {
    /// Takes a role away, for a while or for ever.
    pub(super) async fn revoke(&self, number: usize, role: usize, until: Option<Duration>) {
        self.missing().roles.push((number, role));
        self.tell_access().await;
        let Some(until) = until else { return };
        sleep(until).await;
        self.around.network.trace.line(format_args!("role {role} is back"));
        self.missing().roles.retain(|(by, _)| *by != number);
        self.tell_access().await;
    }

    /// Lets a hub be unreadable, for a while or for ever.
    pub(super) async fn hide(&self, number: usize, hub: &str, until: Option<Duration>) {
        self.missing().hidden.push((number, hub.to_owned()));
        self.tell_access().await;
        let Some(until) = until else { return };
        sleep(until).await;
        self.around.network.trace.line(format_args!("{hub} can be read again"));
        self.missing().hidden.retain(|(by, _)| *by != number);
        self.tell_access().await;
    }

    async fn tell_access(&self) {
        let (roles, hidden): (Vec<usize>, Vec<String>) = {
            let missing = self.missing();
            let roles = missing.roles.iter().map(|(_, role)| *role);
            (roles.collect(), missing.hidden.iter().map(|(_, hub)| hub.clone()).collect())
        };
        let actions: Vec<&str> = roles.iter().flat_map(|role| ROLES[*role].0).copied().collect();
        let data: Vec<&str> = roles.iter().flat_map(|role| ROLES[*role].1).copied().collect();
        let left_out = json!({"notActions": actions, "notDataActions": data});
        self.ask(Method::PUT, "/simulator/permissions", None, &left_out).await;
        let refused =
            |hub| json!({"method": "GET", "path": format!("*/IotHubs/{hub}/certificates*"), "status": 403});
        let faults: Vec<_> = hidden.iter().map(refused).collect();
        self.ask(Method::PUT, "/simulator/faults", None, &json!({ "faults": faults })).await;
        let hidden: Vec<String> = hidden.iter().map(|hub| format!("{hub}.azure-devices.net")).collect();
        self.around.network.judge.see(&Event::Access { is_whole: roles.is_empty(), hidden: &hidden });
    }

    /// Links a hub that has no link, or takes the link of one away.
    pub(super) fn relink(&self, namespace: &str, hub: &str, is_linked: bool) {
        let azure = &self.around.network.azure;
        let before = azure.truth();
        let done = if is_linked { azure.link(hub, namespace) } else { azure.unlink(hub) };
        if done.is_ok() {
            let after = azure.truth();
            self.around.network.judge.see(&Event::TrustLost { namespace, before: &before, after: &after });
        }
    }
}
