//! What exists at the beginning of a play, and how the app is configured.

use std::fmt::Write as _;
use std::sync::Arc;

use azure_simulator::fleet::Generation;

use crate::seed::{Draws, Seed};
pub use crate::stated::{Drawn, Stated};

const SUBSCRIPTION: &str = "6f1c2a94-7d53-4b0e-9a28-c3d5e8b71f40";
/// Another one, in which some hubs are.
const OTHER: &str = "0b7e9d21-4c86-4f13-8a5d-e2f90c6b3d74";
/// The names that policies can have: the first are those that most worlds have.
const POLICIES: [&str; 2] = ["short-lived", "default"];
/// The same of issuing CAs with their policy.
const ISSUING: [(&str, &str); 2] = [("lines-ica", "weekly"), ("rest-ica", "monthly")];

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
    /// The first version of the `policysync.toml`.
    pub first: Arc<Stated>,
    /// Whether that is a blob.
    pub is_blob: bool,
    /// The namespaces.
    pub namespaces: Vec<Drawn>,
    /// `POLICYSYNC_MODE=audit`, at the beginning.
    pub kill_switch: bool,
    /// Whether events of Event Grid come.
    pub has_event_grid: bool,
    /// How many instances of the app there are.
    pub instances: usize,
}

impl World {
    /// Draws a world.
    #[must_use]
    pub fn draw(seed: Seed) -> Self {
        let (mut draws, mut ends) = (seed.stream("world"), seed.stream("operations"));
        let mut fleet = format!(
            "subscription = \"{SUBSCRIPTION}\"\nlocation = \"westeurope\"\nsynchronize_seconds = {}\noperation_seconds = {}\n\
             page_size = {}\ndiagnostics_delay_seconds = {}\npush_seconds = {}\nunknown_reference = \"{}\"\n",
            draws.between(1, 100),
            draws.between(1, 20),
            // Small pages, so that most lists have more than one.
            draws.pick(&[1, 2, 3, 20]).copied().unwrap_or(20),
            draws.between(1, 240),
            draws.between(1, 900),
            if draws.percent(50) { "drop" } else { "keep" },
        );
        // Small worlds are played faster, and show most of what large ones do.
        let count = match draws.between(0, 99) {
            0..65 => 1,
            65..90 => 2,
            90..97 => 3,
            _ => draws.between(4, 6),
        };
        let namespaces: Vec<Drawn> =
            (0..count).map(|index| namespace(index, &mut draws, &mut fleet)).collect();
        let spare =
            namespaces.iter().flat_map(|one| one.hubs.iter().filter(|hub| **hub == spare_of(&one.name)));
        for hub in spare {
            let _ = writeln!(fleet, "[[hub]]\nname = \"{hub}\"\nresource_group = \"rg\"");
        }
        let mut end = |of: &[&'static str]| ends.pick(of).copied().unwrap_or("status");
        let (end, failure) = (end(&ENDS), end(&FAILURES));
        let _ = writeln!(fleet, "[lifecycle]\noperation_end = \"{end}\"\noperation_failure = \"{failure}\"");
        Self {
            first: Arc::new(Stated { namespaces: namespaces.clone() }),
            is_blob: draws.percent(40),
            namespaces,
            kill_switch: draws.percent(4),
            has_event_grid: draws.percent(60),
            instances: if draws.percent(50) { 1 } else { 2 },
            fleet,
        }
    }
}

/// Draws a namespace, and writes it into the fleet. Writing to a text cannot fail.
fn namespace(index: u64, draws: &mut Draws, fleet: &mut String) -> Drawn {
    let name = format!("plant-{index}");
    let group = format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers");
    let service = format!("{name}-dps");
    let generation = match draws.between(0, 99) {
        0..65 => Generation::Credentials,
        65..85 => Generation::CertificateAuthorities,
        _ => Generation::Both,
    };
    let _ = writeln!(fleet, "[[namespace]]\nname = \"{name}\"\nresource_group = \"rg\"");
    let policies = policies(generation, draws, fleet);
    let names_other = draws.percent(50);
    let (mut hubs, far) = hubs(&name, &policies, draws, fleet);
    let _ = writeln!(fleet, "[[namespace.provisioning_service]]\nname = \"{service}\"");
    for group in 0..draws.between(0, 5) {
        enrollment_group(group, &name, &policies, draws, fleet);
    }
    if draws.percent(30) {
        hubs.push(spare_of(&name));
    }
    let scopes = [SUBSCRIPTION, OTHER].map(|subscription| format!("/subscriptions/{subscription}"));
    let freeze = draws.percent(15).then(|| {
        let from = draws.milliseconds(0, 80 * 60_000);
        (from, from + draws.milliseconds(180_000, 40 * 60_000))
    });
    Drawn {
        freeze,
        // A subscription in which nothing is does not exist.
        scopes: if names_other && !far.is_empty() { scopes.into() } else { Vec::new() },
        hidden: if names_other { Vec::new() } else { far },
        hubs,
        id: format!("{group}/Microsoft.DeviceRegistry/namespaces/{name}"),
        name,
        generation,
        service_id: format!("{group}/Microsoft.Devices/provisioningServices/{service}"),
        service,
        is_enforced: draws.percent(80),
        is_automatic: draws.percent(85),
        rest: if draws.percent(70) { policies.last().cloned() } else { None },
        policies,
    }
}

/// Draws the policies of a namespace, as rules name them.
fn policies(generation: Generation, draws: &mut Draws, fleet: &mut String) -> Vec<String> {
    let word = match generation {
        Generation::Credentials => "credentials",
        Generation::CertificateAuthorities => "certificate-authorities",
        Generation::Both => "both",
    };
    let _ = writeln!(fleet, "generation = \"{word}\"");
    let mut policies = Vec::new();
    if generation.has_credentials() {
        for policy in &POLICIES[..draws.between(1, 2) as usize] {
            let _ = writeln!(fleet, "[[namespace.policy]]\nname = \"{policy}\"\nleaf_validity_days = 30");
            policies.push((*policy).to_owned());
        }
    }
    if generation.has_certificate_authorities() {
        let _ = writeln!(fleet, "[[namespace.certificate_authority]]\nname = \"own-root\"\ntype = \"root\"");
        for (authority, policy) in &ISSUING[..draws.between(1, 2) as usize] {
            let _ = writeln!(
                fleet,
                "[[namespace.certificate_authority]]\nname = \"{authority}\"\ntype = \"issuing\"\n\
                 policy = {{ name = \"{policy}\", leaf_validity_days = 7 }}"
            );
            policies.push(format!("{authority}/{policy}"));
        }
    }
    // In a namespace of both generations the lines can be of either.
    if draws.percent(50) {
        policies.reverse();
    }
    policies
}

/// Draws the hubs of a namespace; the names of all, and the host names of those that are in the other subscription.
fn hubs(
    namespace: &str,
    policies: &[String],
    draws: &mut Draws,
    fleet: &mut String,
) -> (Vec<String>, Vec<String>) {
    let (mut names, mut far) = (Vec::new(), Vec::new());
    let is_far = draws.percent(15);
    let count = if draws.percent(95) { draws.between(1, 3) } else { draws.between(4, 8) };
    for hub in 0..count {
        let name = format!("{namespace}-hub-{hub}");
        let _ = writeln!(fleet, "[[namespace.hub]]\nname = \"{name}\"");
        if is_far && draws.percent(50) {
            let _ = writeln!(fleet, "subscription = \"{OTHER}\"");
            far.push(format!("{name}.azure-devices.net"));
        }
        names.push(name);
        if draws.percent(40) {
            let origins = policies.iter().map(|policy| policy.split('/').next().unwrap_or_default());
            let trusted: Vec<&str> = origins.filter(|_| draws.percent(50)).collect();
            let _ = writeln!(fleet, "trusts = {trusted:?}");
        }
    }
    (names, far)
}

/// The name of the hub without a link.
fn spare_of(namespace: &str) -> String {
    format!("{namespace}-spare-hub")
}

fn enrollment_group(
    number: u64,
    namespace: &str,
    policies: &[String],
    draws: &mut Draws,
    fleet: &mut String,
) {
    let kind = if draws.percent(60) { "line" } else { "gate" };
    let attestation = match draws.between(0, 9) {
        0..7 => "symmetric-key",
        7..9 => "x509-ca-reference",
        _ => "x509-signing-certificate",
    };
    let _ = writeln!(
        fleet,
        "[[namespace.provisioning_service.enrollment_group]]\nname = \"{kind}-{number}\"\n\
         attestation = \"{attestation}\"\ntags = {{ site = \"north\" }}"
    );
    if draws.percent(30)
        && let Some(policy) = draws.pick(policies)
    {
        let _ = match policy.split_once('/') {
            None => writeln!(fleet, "policy = \"{policy}\""),
            Some((authority, policy)) => {
                writeln!(fleet, "certificate_authority = \"{authority}\"\ncertificate_policy = \"{policy}\"")
            }
        };
    }
    if draws.percent(30) {
        let _ = writeln!(fleet, "hubs = [\"{namespace}-hub-0\"]");
    }
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
            let configuration = Configuration::parse(&world.first.text()).unwrap();
            assert_eq!(fleet.namespaces.len(), configuration.namespaces.len());
            for (drawn, namespace) in world.namespaces.iter().zip(&configuration.namespaces) {
                assert!(namespace.id.as_str().eq_ignore_ascii_case(&drawn.id), "seed {seed}");
            }
        }
        let any = |what: fn(&World) -> bool| worlds.iter().any(what) && !worlds.iter().all(what);
        assert!(
            any(|world| world.kill_switch) && any(|world| world.instances == 2) && any(|world| world.is_blob)
        );
        assert!(
            any(|world| world.namespaces[0].is_enforced) && any(|world| world.namespaces[0].is_automatic)
        );
        assert!(
            any(|world| world.namespaces[0].policies.len() == 2) && any(|world| world.namespaces.len() > 3)
        );
        for generation in [Generation::Credentials, Generation::CertificateAuthorities, Generation::Both] {
            let has =
                |world: &World| world.namespaces.iter().any(|namespace| namespace.generation == generation);
            assert!(worlds.iter().any(has), "{generation:?}");
        }
        assert!(any(|world| world.fleet.contains("x509-signing-certificate")));
        assert!(any(|world| world.fleet.contains("hub-7")) && any(|world| world.fleet.contains("spare")));
        assert!(any(|world| world.has_event_grid) && any(|world| world.namespaces[0].freeze.is_some()));
        assert!(any(|world| !world.namespaces[0].hidden.is_empty()));
        assert!(any(|world| !world.namespaces[0].scopes.is_empty() && world.fleet.contains(OTHER)));
    }

    #[test]
    fn every_next_version_can_be_used_and_each_kind_of_change_is_drawn() {
        let mut draws = Seed(7).stream("versions");
        let world =
            (0..).map(|seed| World::draw(Seed(seed))).find(|world| world.namespaces.len() == 2).unwrap();
        let mut stated = Stated::clone(&world.first);
        let mut seen = [false; 4];
        for _ in 0..200 {
            let next = stated.next(&world.namespaces, &mut draws);
            Configuration::parse(&next.text()).unwrap();
            let pairs = || stated.namespaces.iter().zip(&next.namespaces);
            seen[0] |= next.namespaces.len() < stated.namespaces.len();
            seen[1] |= pairs().any(|(old, new)| old.id == new.id && old.is_enforced != new.is_enforced);
            seen[2] |= pairs().any(|(old, new)| old.id == new.id && old.is_automatic != new.is_automatic);
            seen[3] |= pairs().any(|(old, new)| old.id == new.id && old.rest != new.rest);
            assert!(!next.text().eq(&stated.text()));
            stated = next;
        }
        assert_eq!(seen, [true; 4]);
    }
}
