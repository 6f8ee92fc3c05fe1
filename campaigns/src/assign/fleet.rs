//! The fleets: a namespace per DPS, with four hubs that trust two policies, and groups of symmetric keys, which cost the
//! most to write.

use std::fmt::Write as _;

use azure_simulator::fleet::{Fleet, FleetError};

/// The subscription of all namespaces. Each ten provisioning services are in one of their own, which holds no more
/// (`azure-wire-facts.md` §7).
const HOME: &str = "6f1c2a94-7d53-4b0e-9a28-c3d5e8b71f40";
const SERVICES_PER_SUBSCRIPTION: usize = 10;
/// The policy of every group that is assigned already, and the policy that the rules name for every group.
pub const POLICY: &str = "default";
/// The policy of [`SOURCE`] alone.
pub const OTHER_POLICY: &str = "short-lived";
/// The group that others copy from. Rules leave it alone.
pub const SOURCE: &str = "source";
const HUBS: usize = 4;

/// A DPS and its groups at the start.
#[derive(Debug, Clone)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// Ids of its groups, all with [`POLICY`].
    pub groups: Vec<String>,
}

/// The name of a DPS.
pub fn service_name(index: usize) -> String {
    format!("contoso-{index:02}-dps")
}

/// The subscription of a DPS.
fn subscription(index: usize) -> String {
    format!("8a4de0b7-15c2-4f68-b3a9-{:012}", index / SERVICES_PER_SUBSCRIPTION)
}

/// Groups for each DPS: `{prefix}000` and on.
pub fn groups(prefix: &str, count: usize) -> Vec<String> {
    (0..count).map(|index| format!("{prefix}{index:03}")).collect()
}

/// The simulated Azure with these DPS, each in a namespace of its own.
///
/// # Errors
/// When the fleet does not hold together.
pub fn fleet(services: &[Service]) -> Result<Fleet, FleetError> {
    // Records come at once, since the measurement begins when a record is there.
    let mut text = format!(
        "subscription = \"{}\"\nlocation = \"westeurope\"\ndiagnostics_delay_seconds = 0\npage_size = 100\n",
        HOME
    );
    // Writing to a string cannot fail.
    for (index, service) in services.iter().enumerate() {
        let _ = writeln!(
            text,
            "[[namespace]]\nname = \"contoso-{index:02}\"\nresource_group = \"rg-{index:02}\""
        );
        for policy in [POLICY, OTHER_POLICY] {
            let _ = writeln!(text, "[[namespace.policy]]\nname = \"{policy}\"\nleaf_validity_days = 30");
        }
        for hub in 0..HUBS {
            let _ = writeln!(text, "[[namespace.hub]]\nname = \"contoso-{index:02}-hub-{hub}\"");
        }
        let subscription = subscription(index);
        let _ = writeln!(
            text,
            "[[namespace.provisioning_service]]\nname = \"{}\"\nsubscription = \"{subscription}\"",
            service.name
        );
        let own = service.groups.iter().map(|group| (group.as_str(), POLICY));
        for (group, policy) in own.chain([(SOURCE, OTHER_POLICY)]) {
            let _ = writeln!(
                text,
                "[[namespace.provisioning_service.enrollment_group]]\nname = \"{group}\"\npolicy = \"{policy}\""
            );
        }
    }
    Fleet::from_toml(&text)
}

/// The `policysync.toml` that goes with it.
pub fn configuration(services: &[Service]) -> String {
    let namespace = |(index, service): (usize, &Service)| {
        let away = subscription(index);
        format!(
            "[[namespace]]\n\
             id = \"/subscriptions/{HOME}/resourceGroups/rg-{index:02}/providers/Microsoft.DeviceRegistry/namespaces/contoso-{index:02}\"\n\
             provisioning_services = [\"/subscriptions/{away}/resourceGroups/rg-{index:02}/providers/Microsoft.Devices/provisioningServices/{}\"]\n\
             scopes = [\"/subscriptions/{HOME}\", \"/subscriptions/{away}\"]\nmode = \"enforce\"\n\n\
             [[namespace.rule]]\nname = \"source\"\nenrollment_groups = [\"{SOURCE}\"]\npolicy = \"none\"\n\n\
             [[namespace.rule]]\nname = \"all\"\nenrollment_groups = [\"*\"]\npolicy = \"{POLICY}\"\n\n",
            service.name
        )
    };
    services.iter().enumerate().map(namespace).collect()
}
