//! The fleet of a campaign: many namespaces in one subscription, so that all of them share one ARM budget, and each in
//! one of four states at the start. A quarter of them needs nothing, and the app must leave these alone.

use azure_simulator::Simulator;
use azure_simulator::fleet::{Fleet, Hub, Namespace, Policy};

use crate::error::CampaignError;

const SUBSCRIPTION: &str = "6f1c2a94-7d53-4b0e-9a28-c3d5e8b71f40";

/// How a namespace is at the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// Every hub trusts every policy.
    Trusted,
    /// The service has renewed the issuing CA of its first policy: every hub has the old one.
    Rotated,
    /// No hub has ever been synced.
    Missing,
    /// Every second hub was linked after the last sync.
    Partly,
}

/// A namespace of the campaign.
#[derive(Debug, Clone)]
pub struct CampaignNamespace {
    /// ARM id.
    pub id: String,
    /// Last segment of it.
    pub name: String,
    /// How it is at the start.
    pub start: Start,
    /// Names of its hubs.
    pub hubs: Vec<String>,
    /// Names of its policies.
    pub policies: Vec<String>,
}

impl CampaignNamespace {
    /// Whether one sync is needed; otherwise none is allowed.
    pub fn needs_sync(&self) -> bool {
        self.start != Start::Trusted
    }
}

/// Makes `namespaces` namespaces with `hubs` hubs each, and 2 or 3 policies. `page_size`: entries of one page of a list.
pub fn generate(namespaces: usize, hubs: usize, page_size: u32) -> (Fleet, Vec<CampaignNamespace>) {
    let known: Vec<CampaignNamespace> = (0..namespaces)
        .map(|index| {
            let name = format!("contoso-{index:03}");
            let start = [Start::Rotated, Start::Missing, Start::Partly, Start::Trusted][index % 4];
            CampaignNamespace {
                id: format!(
                    "/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-{name}/providers/Microsoft.DeviceRegistry/namespaces/{name}"
                ),
                hubs: (0..hubs).map(|hub| format!("{name}-hub-{hub:02}")).collect(),
                policies: ["default", "short-lived", "gateways"][..2 + index % 2].iter().map(ToString::to_string).collect(),
                name,
                start,
            }
        })
        .collect();
    let mut fleet = Fleet { namespaces: Vec::new(), hubs: Vec::new(), ..Fleet::default_fleet() };
    fleet.subscription = SUBSCRIPTION.to_owned();
    fleet.provisioning_services.clear();
    fleet.page_size = page_size;
    fleet.namespaces = known.iter().map(in_fleet).collect();
    (fleet, known)
}

fn in_fleet(known: &CampaignNamespace) -> Namespace {
    let hub = |(index, name): (usize, &String)| {
        let is_new = known.start == Start::Missing || (known.start == Start::Partly && index % 2 == 0);
        Hub { trusts: is_new.then(Vec::new), ..Hub::new(name) }
    };
    let policy = |name: &String| Policy {
        name: name.clone(),
        leaf_validity_days: 30,
        issuing_ca_validity_days: None,
        provisioning_state: "Succeeded".to_owned(),
        bring_your_own_root: false,
    };
    Namespace {
        policies: known.policies.iter().map(policy).collect(),
        hubs: known.hubs.iter().enumerate().map(hub).collect(),
        ..Namespace::new(&known.name, &format!("rg-{}", known.name))
    }
}

/// Lets the service renew the first policy of each namespace that is [`Start::Rotated`].
///
/// # Errors
/// When the simulated Azure does not have such a policy.
pub fn rotate(simulator: &Simulator, namespaces: &[CampaignNamespace]) -> Result<(), CampaignError> {
    let mut rotated = namespaces.iter().filter(|namespace| namespace.start == Start::Rotated);
    rotated.try_for_each(|namespace| renew(simulator, namespace))
}

/// Lets the service renew the first policy of a namespace.
///
/// # Errors
/// When the simulated Azure does not have it.
pub fn renew(simulator: &Simulator, namespace: &CampaignNamespace) -> Result<(), CampaignError> {
    let policy = format!("{}/credentials/default/policies/{}", namespace.id, namespace.policies[0]);
    simulator
        .rotate(&policy)
        .map_err(|error| CampaignError::unanswered(format!("rotating {policy}"), format!("{error:?}")))
}

/// The `policysync.toml` that goes with it.
pub fn configuration(namespaces: &[CampaignNamespace]) -> String {
    namespaces
        .iter()
        .map(|namespace| {
            format!("[[namespace]]\nid = \"{}\"\nmode = \"enforce\"\nsync = \"automatic\"\n\n", namespace.id)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generated_fleet_holds_together_and_a_quarter_needs_nothing() {
        let (fleet, known) = generate(100, 10, 100);
        fleet.validate().unwrap();
        assert_eq!(fleet.namespaces.iter().map(|namespace| namespace.hubs.len()).sum::<usize>(), 1_000);
        assert_eq!(known.iter().filter(|namespace| !namespace.needs_sync()).count(), 25);
        assert!(known.iter().any(|namespace| namespace.policies.len() == 2));
        assert!(known.iter().any(|namespace| namespace.policies.len() == 3));
    }

    #[test]
    fn each_namespace_starts_as_it_says() {
        let (_, known) = generate(4, 4, 100);
        let hubs = |start| {
            let namespace = known.iter().find(|namespace| namespace.start == start).unwrap();
            in_fleet(namespace).hubs.iter().filter(|hub| hub.trusts.is_some()).count()
        };
        assert_eq!([Start::Trusted, Start::Rotated, Start::Partly, Start::Missing].map(hubs), [0, 0, 2, 4]);
    }
}
