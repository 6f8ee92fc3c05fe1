//! The fleet: namespaces in one subscription, so that all share one ARM budget; some have a DPS. One hub in every fourth
//! namespace was never synced, and a twentieth of the groups has no policy.

use std::fmt::Write as _;

use azure_simulator::fleet::{Fleet, FleetError};
use clap::Args;
use clap::builder::TypedValueParser;

const SUBSCRIPTION: &str = "6f1c2a94-7d53-4b0e-9a28-c3d5e8b71f40";
/// Policies of each namespace.
pub const POLICIES: [&str; 3] = ["default", "short-lived", "gateways"];

/// How much of everything.
#[derive(Args, Clone)]
pub struct Size {
    /// Namespaces, in one subscription
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..).map(usize::from))]
    pub namespaces: usize,
    /// Hubs of each namespace
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..).map(usize::from))]
    pub hubs: usize,
    /// Provisioning services; as many namespaces have one
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(0..).map(usize::from))]
    pub provisioning_services: usize,
    /// Enrollment groups of each; a DPS has 200 at the most
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u16).range(20..=200).map(usize::from))]
    pub groups: usize,
}

/// The name of a DPS.
pub fn service_name(index: usize) -> String {
    format!("contoso-{index:03}-dps")
}

/// The simulated Azure.
///
/// # Errors
/// When the fleet does not hold together.
pub fn fleet(size: &Size) -> Result<Fleet, FleetError> {
    let mut text = format!("subscription = \"{SUBSCRIPTION}\"\nlocation = \"westeurope\"\npage_size = 100\n");
    // Writing to a string cannot fail.
    for index in 0..size.namespaces {
        let _ = writeln!(
            text,
            "[[namespace]]\nname = \"contoso-{index:03}\"\nresource_group = \"rg-{index:03}\""
        );
        for policy in POLICIES {
            let _ = writeln!(text, "[[namespace.policy]]\nname = \"{policy}\"\nleaf_validity_days = 30");
        }
        for hub in 0..size.hubs {
            let _ = writeln!(text, "[[namespace.hub]]\nname = \"contoso-{index:03}-hub-{hub:02}\"");
            if hub == 0 && index % 4 == 3 {
                let _ = writeln!(text, "trusts = []");
            }
        }
        if index < size.provisioning_services {
            let name = service_name(index);
            let _ = writeln!(text, "[[namespace.provisioning_service]]\nname = \"{name}\"");
            for group in 0..size.groups {
                let _ = writeln!(
                    text,
                    "[[namespace.provisioning_service.enrollment_group]]\nname = \"line-{group:03}\""
                );
                if group % 20 != 0 {
                    let _ = writeln!(text, "policy = \"{}\"", POLICIES[group % POLICIES.len()]);
                }
            }
        }
    }
    Fleet::from_toml(&text)
}

/// The `policysync.toml` that goes with it.
pub fn configuration(size: &Size) -> String {
    let namespace = |index: usize| {
        let group = format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-{index:03}/providers");
        let service = if index < size.provisioning_services {
            let name = service_name(index);
            format!("provisioning_services = [\"{group}/Microsoft.Devices/provisioningServices/{name}\"]\n")
        } else {
            String::new()
        };
        format!(
            "[[namespace]]\nid = \"{group}/Microsoft.DeviceRegistry/namespaces/contoso-{index:03}\"\n{service}\
             [[namespace.rule]]\nname = \"lines\"\nenrollment_groups = [\"line-*\"]\npolicy = \"{}\"\n\n",
            POLICIES[0]
        )
    };
    (0..size.namespaces).map(namespace).collect()
}
