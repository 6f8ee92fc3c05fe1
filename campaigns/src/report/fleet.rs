//! The fleet: namespaces over several subscriptions, each of which has an ARM budget of its own; a part of them has a DPS. One hub
//! in every fourth namespace was never synced, and a twentieth of the groups has no policy.
//!
//! Namespaces that lack nothing are in `enforce` mode: a report that wrote or sent anything for them would be seen. Those with such
//! a hub are in `audit` mode, so that they are findings and no sync is asked for.

use std::fmt::Write as _;

use azure_simulator::fleet::{Fleet, FleetError};
use clap::Args;
use clap::builder::TypedValueParser;

/// Policies of each namespace.
pub const POLICIES: [&str; 3] = ["default", "short-lived", "gateways"];
/// Entries of one page of an ARM list.
pub const PAGE_SIZE: usize = 100;
/// How long the app uses a list of a subscription (`handlers/observation.rs`).
const LISTS_HOLD_SECONDS: f64 = 300.0;
/// One namespace in so many has a hub that was never synced.
const ASTRAY: usize = 4;
/// One group in so many has no policy.
const UNASSIGNED: usize = 20;

/// How much there is of everything in each namespace.
#[derive(Args, Clone)]
pub struct Shape {
    /// Namespaces of one subscription at the most
    #[arg(long, default_value_t = 250, value_parser = clap::value_parser!(u16).range(1..).map(usize::from))]
    pub namespaces_per_subscription: usize,
    /// Hubs of each namespace
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..).map(usize::from))]
    pub hubs: usize,
    /// One namespace in so many has a DPS
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..).map(usize::from))]
    pub namespaces_per_service: usize,
    /// Enrollment groups of each DPS; it has 200 at the most
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(20..=200).map(usize::from))]
    pub groups: usize,
}

/// How many namespaces there are, and how much of everything is in them.
#[derive(Clone)]
pub struct Size {
    /// Namespaces.
    pub namespaces: usize,
    /// What is in them.
    pub shape: Shape,
}

/// What the report has to say of a namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected {
    /// Pairs of a policy and a hub.
    pub pairs: usize,
    /// Those of them whose hub trusts the policy.
    pub trusting: usize,
    /// Enrollment groups.
    pub groups: usize,
    /// Those of them that have a policy.
    pub assigned: usize,
}

impl Size {
    /// How many subscriptions there are.
    pub fn subscriptions(&self) -> usize {
        self.namespaces.div_ceil(self.shape.namespaces_per_subscription).max(1)
    }

    /// How many DPS there are.
    pub fn services(&self) -> usize {
        (0..self.namespaces).filter(|index| self.has_service(*index)).count()
    }

    /// How many hubs there are.
    pub fn hubs(&self) -> usize {
        self.namespaces * self.shape.hubs
    }

    /// Calls to ARM that a report of so many seconds cannot do without: each namespace with its policies, each hub, and for each
    /// subscription one question which versions there are and the pages of its lists, again when these have grown old. Beside those, the
    /// links of a hundredth of the namespaces, of four at least: the namespace and its DPS, and each hub with the roles at both ends.
    pub fn needed_reads(&self, seconds: f64) -> usize {
        let times = 1 + (seconds / LISTS_HOLD_SECONDS) as usize;
        let of_one = |subscription: usize| {
            let own = (0..self.namespaces).filter(|index| self.subscription_of(*index) == subscription);
            let (namespaces, services) =
                own.fold((0, 0), |(all, with), index| (all + 1, with + usize::from(self.has_service(index))));
            let hubs = namespaces * self.shape.hubs;
            let lists = hubs.div_ceil(PAGE_SIZE) + services.div_ceil(PAGE_SIZE);
            namespaces * 2 + hubs + lists * times + 1
        };
        let of_links = self.namespaces.div_ceil(100).max(4) * (3 * self.shape.hubs + 3);
        (0..self.subscriptions()).map(of_one).sum::<usize>() + of_links
    }

    /// What the report has to say of a namespace.
    pub fn expected(&self, index: usize) -> Expected {
        let pairs = self.shape.hubs * POLICIES.len();
        let groups = if self.has_service(index) { self.shape.groups } else { 0 };
        let lacking = if is_astray(index) { POLICIES.len() } else { 0 };
        Expected { pairs, trusting: pairs - lacking, groups, assigned: groups - groups.div_ceil(UNASSIGNED) }
    }

    fn has_service(&self, index: usize) -> bool {
        index.is_multiple_of(self.shape.namespaces_per_service)
    }

    fn subscription_of(&self, index: usize) -> usize {
        index % self.subscriptions()
    }

    /// ARM id of a namespace.
    pub fn id(&self, index: usize) -> String {
        let subscription = subscription(self.subscription_of(index));
        format!(
            "/subscriptions/{subscription}/resourceGroups/rg-{index:04}/providers/Microsoft.DeviceRegistry/namespaces/{}",
            name(index)
        )
    }

    /// Names of the DPS.
    pub fn service_names(&self) -> impl Iterator<Item = String> {
        (0..self.namespaces).filter(|index| self.has_service(*index)).map(service_name)
    }
}

fn is_astray(index: usize) -> bool {
    index % ASTRAY == ASTRAY - 1
}

/// The id of a subscription.
pub fn subscription(index: usize) -> String {
    format!("6f1c2a94-7d53-4b0e-9a28-{index:012}")
}

/// The name of a namespace.
pub fn name(index: usize) -> String {
    format!("contoso-{index:04}")
}

fn service_name(index: usize) -> String {
    format!("{}-dps", name(index))
}

/// The simulated Azure.
///
/// # Errors
/// When the fleet does not hold together.
pub fn fleet(size: &Size) -> Result<Fleet, FleetError> {
    let mut text = format!(
        "subscription = \"{}\"\nlocation = \"westeurope\"\npage_size = {PAGE_SIZE}\n",
        subscription(0)
    );
    // Writing to a string cannot fail.
    for index in 0..size.namespaces {
        let name = name(index);
        let _ = writeln!(text, "[[namespace]]\nname = \"{name}\"\nresource_group = \"rg-{index:04}\"");
        let _ = writeln!(text, "subscription = \"{}\"", subscription(size.subscription_of(index)));
        for policy in POLICIES {
            let _ = writeln!(text, "[[namespace.policy]]\nname = \"{policy}\"\nleaf_validity_days = 30");
        }
        for hub in 0..size.shape.hubs {
            let _ = writeln!(text, "[[namespace.hub]]\nname = \"{name}-hub-{hub:02}\"");
            if hub == 0 && is_astray(index) {
                let _ = writeln!(text, "trusts = []");
            }
        }
        if size.has_service(index) {
            let service = service_name(index);
            let _ = writeln!(text, "[[namespace.provisioning_service]]\nname = \"{service}\"");
            for group in 0..size.shape.groups {
                let _ = writeln!(
                    text,
                    "[[namespace.provisioning_service.enrollment_group]]\nname = \"line-{group:03}\""
                );
                if group % UNASSIGNED != 0 {
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
        let id = size.id(index);
        let group = id.split("/Microsoft.DeviceRegistry").next().unwrap_or_default();
        let service = if size.has_service(index) {
            let service = service_name(index);
            format!(
                "provisioning_services = [\"{group}/Microsoft.Devices/provisioningServices/{service}\"]\n"
            )
        } else {
            String::new()
        };
        let mode = if is_astray(index) { "audit" } else { "enforce" };
        format!(
            "[[namespace]]\nid = \"{id}\"\nmode = \"{mode}\"\n{service}\
             [[namespace.rule]]\nname = \"lines\"\nenrollment_groups = [\"line-*\"]\npolicy = \"{}\"\n\n",
            POLICIES[0]
        )
    };
    (0..size.namespaces).map(namespace).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(namespaces: usize) -> Size {
        let shape = Shape { namespaces_per_subscription: 4, hubs: 3, namespaces_per_service: 3, groups: 40 };
        Size { namespaces, shape }
    }

    #[test]
    fn the_fleet_holds_together_and_is_spread_over_its_subscriptions() {
        let size = size(9);
        let fleet = fleet(&size).unwrap();
        fleet.validate().unwrap();
        assert_eq!((size.subscriptions(), size.services(), size.hubs()), (3, 3, 27));
        assert_eq!(size.service_names().collect::<Vec<_>>()[1], "contoso-0003-dps");
        assert!(size.id(4).starts_with(&format!("/subscriptions/{}/", subscription(1))));
    }

    #[test]
    fn what_is_expected_of_a_namespace_is_what_the_fleet_has() {
        let size = size(9);
        let of = |index| {
            let Expected { pairs, trusting, groups, assigned } = size.expected(index);
            (pairs, trusting, groups, assigned)
        };
        assert_eq!([of(0), of(1), of(3)], [(9, 9, 40, 38), (9, 9, 0, 0), (9, 6, 40, 38)]);
        // 9 namespaces with their policies, 27 hubs, for each of three subscriptions one question and the list of its hubs, and the
        // list of the one that has all DPS; and the links of four namespaces with three hubs each.
        let links = 4 * (3 * 3 + 3);
        assert_eq!(size.needed_reads(299.0), 18 + 27 + 3 + 4 + links);
        assert_eq!(size.needed_reads(301.0), 18 + 27 + 3 + 4 * 2 + links);
    }
}
