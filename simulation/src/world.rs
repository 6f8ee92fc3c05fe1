//! What exists at the beginning of a play, and how the app is configured.

use std::fmt::Write as _;

use crate::seed::{Draws, Seed};

const SUBSCRIPTION: &str = "6f1c2a94-7d53-4b0e-9a28-c3d5e8b71f40";
/// The names that policies can have: the first are those that most worlds have.
const POLICIES: [&str; 2] = ["short-lived", "default"];

/// How an operation shows its success and its failure, which the sources do not agree on (`ca-lifecycle-facts.md` §1.4).
const ENDS: [&str; 3] = ["status", "empty", "no-content"];
const FAILURES: [&str; 4] = ["status", "accepted", "wrapped", "error-status"];

/// What a seed has drawn cannot be played: a mistake of the simulation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unplayable(pub String);

impl std::fmt::Display for Unplayable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "this seed cannot be played: {}", self.0)
    }
}

impl std::error::Error for Unplayable {}

/// A world.
#[derive(Debug, Clone)]
pub struct World {
    /// The fleet file of the simulated Azure.
    pub fleet: String,
    /// The `policysync.toml`.
    pub configuration: String,
    /// The namespaces.
    pub namespaces: Vec<Drawn>,
    /// `POLICYSYNC_MODE=audit`.
    pub kill_switch: bool,
    /// How many instances of the app there are.
    pub instances: usize,
}

/// A namespace as it was drawn.
#[derive(Debug, Clone)]
pub struct Drawn {
    /// Its ARM id.
    pub id: String,
    /// Its DPS.
    pub service: String,
    /// Its policies.
    pub policies: Vec<String>,
    /// Whether it is in `enforce`.
    pub is_enforced: bool,
    /// Whether syncs are made that no person asked for.
    pub is_automatic: bool,
    /// The policy of groups that are no lines; `None`: they get none.
    rest: Option<String>,
}

impl Drawn {
    /// The policy that the rules want for a group.
    #[must_use]
    pub fn policy_of(&self, group: &str) -> Option<&str> {
        if group.starts_with("line-") { self.policies.first() } else { self.rest.as_ref() }
            .map(String::as_str)
    }

    /// The ARM id of a policy.
    #[must_use]
    pub fn policy_id(&self, policy: &str) -> String {
        format!("{}/credentials/default/policies/{policy}", self.id)
    }
}

impl World {
    /// Draws a world.
    #[must_use]
    pub fn draw(seed: Seed) -> Self {
        let (mut draws, mut ends) = (seed.stream("world"), seed.stream("operations"));
        let mut fleet = format!(
            "subscription = \"{SUBSCRIPTION}\"\nlocation = \"westeurope\"\nsynchronize_seconds = {}\noperation_seconds = {}\n\
             page_size = {}\ndiagnostics_delay_seconds = {}\n",
            draws.between(1, 100),
            draws.between(1, 20),
            // Small pages, so that most lists have more than one.
            draws.pick(&[1, 2, 3, 20]).copied().unwrap_or(20),
            draws.between(1, 240),
        );
        let mut configuration = String::new();
        let count = if draws.percent(70) { 1 } else { 2 };
        let namespaces = (0..count).map(|index| namespace(index, &mut draws, &mut fleet, &mut configuration));
        let namespaces = namespaces.collect();
        let mut end = |of: &[&'static str]| ends.pick(of).copied().unwrap_or("status");
        let (end, failure) = (end(&ENDS), end(&FAILURES));
        let _ = writeln!(fleet, "[lifecycle]\noperation_end = \"{end}\"\noperation_failure = \"{failure}\"");
        Self {
            namespaces,
            kill_switch: draws.percent(4),
            instances: if draws.percent(50) { 1 } else { 2 },
            fleet,
            configuration,
        }
    }

    /// Whether functions may write to a namespace.
    #[must_use]
    pub fn writes_to(&self, namespace: &Drawn) -> bool {
        namespace.is_enforced && !self.kill_switch
    }
}

/// Draws a namespace, and writes it into both files. Writing to a text cannot fail.
fn namespace(index: u64, draws: &mut Draws, fleet: &mut String, configuration: &mut String) -> Drawn {
    let name = format!("plant-{index}");
    let group = format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers");
    let id = format!("{group}/Microsoft.DeviceRegistry/namespaces/{name}");
    let service = format!("{name}-dps");
    let policies: Vec<String> =
        POLICIES[..draws.between(1, 2) as usize].iter().map(ToString::to_string).collect();
    let is_enforced = draws.percent(80);
    let is_automatic = draws.percent(85);
    let rest = if draws.percent(70) { policies.last().cloned() } else { None };

    let _ = writeln!(fleet, "[[namespace]]\nname = \"{name}\"\nresource_group = \"rg\"");
    for policy in &policies {
        let _ = writeln!(fleet, "[[namespace.policy]]\nname = \"{policy}\"\nleaf_validity_days = 30");
    }
    for hub in 0..draws.between(1, 3) {
        let _ = writeln!(fleet, "[[namespace.hub]]\nname = \"{name}-hub-{hub}\"");
        if draws.percent(40) {
            let trusted: Vec<&String> = policies.iter().filter(|_| draws.percent(50)).collect();
            let _ = writeln!(fleet, "trusts = {trusted:?}");
        }
    }
    let _ = writeln!(fleet, "[[namespace.provisioning_service]]\nname = \"{service}\"");
    for group in 0..draws.between(0, 5) {
        let kind = if draws.percent(60) { "line" } else { "gate" };
        let _ = writeln!(
            fleet,
            "[[namespace.provisioning_service.enrollment_group]]\nname = \"{kind}-{group}\"\ntags = {{ site = \"north\" }}"
        );
        if draws.percent(30)
            && let Some(policy) = draws.pick(&policies)
        {
            let _ = writeln!(fleet, "policy = \"{policy}\"");
        }
        if draws.percent(30) {
            let _ = writeln!(fleet, "hubs = [\"{name}-hub-0\"]");
        }
    }

    let _ = writeln!(
        configuration,
        "[[namespace]]\nid = \"{id}\"\nprovisioning_services = [\"{group}/Microsoft.Devices/provisioningServices/{service}\"]\n\
         mode = \"{}\"\nsync = \"{}\"",
        if is_enforced { "enforce" } else { "audit" },
        if is_automatic { "automatic" } else { "ask" },
    );
    let lines = policies.first().map_or("none", String::as_str);
    for (name, groups, policy) in
        [("lines", "line-*", lines), ("rest", "*", rest.as_deref().unwrap_or("none"))]
    {
        let _ = writeln!(
            configuration,
            "[[namespace.rule]]\nname = \"{name}\"\nenrollment_groups = [\"{groups}\"]\npolicy = \"{policy}\""
        );
    }
    Drawn { id, service, policies, is_enforced, is_automatic, rest }
}

#[cfg(test)]
mod tests {
    use azure_simulator::fleet::Fleet;
    use certificate_management::configuration::Configuration;

    use super::*;

    #[test]
    fn every_world_can_be_built_and_is_configured() {
        let worlds: Vec<World> = (0..300).map(|seed| World::draw(Seed(seed))).collect();
        for (seed, world) in worlds.iter().enumerate() {
            let fleet = Fleet::from_toml(&world.fleet)
                .unwrap_or_else(|error| panic!("seed {seed}: {error}\n{}", world.fleet));
            let configuration = Configuration::parse(&world.configuration).unwrap();
            assert_eq!(fleet.namespaces.len(), configuration.namespaces.len());
            for (drawn, namespace) in world.namespaces.iter().zip(&configuration.namespaces) {
                assert!(namespace.id.as_str().eq_ignore_ascii_case(&drawn.id), "seed {seed}");
            }
        }
        let any = |what: fn(&World) -> bool| worlds.iter().any(what) && !worlds.iter().all(what);
        assert!(any(|world| world.kill_switch) && any(|world| world.instances == 2));
        assert!(
            any(|world| world.namespaces[0].is_enforced) && any(|world| world.namespaces[0].is_automatic)
        );
        assert!(any(|world| world.namespaces[0].policies.len() == 2));
    }
}
