//! What is still to be made before Policysync has something to look after, in the order that the service wants
//! (`azure-wire-facts.md` §0, §2.4, `ca-lifecycle-facts.md` §4.2): in the older generation links, credential, policies; in the
//! newer one the DPS, then hubs, then authorities, then policies. Groups come last in both.

use serde::Serialize;

use super::seen::{Seen, SeenNamespace};
use super::some_of;
use crate::generation::{Generation, NamespaceGeneration};

/// How many names a step shows.
const SHOWN: usize = 3;
/// Where the templates are that make all of it.
const SAMPLE: &str = "docs/deploy.md, \"A sample world\", has templates that make all of it";

/// Something to make.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// The name of the namespace that it is for; empty: there is none yet.
    pub namespace: String,
    /// What to make, as a sentence.
    pub what: String,
    /// How, as a sentence.
    pub how: String,
}

/// What is missing, in order. Of what could not be read nothing is said to be missing.
#[must_use]
pub fn missing(seen: &Seen) -> Vec<Step> {
    if seen.namespaces.is_empty() {
        return if seen.unread.is_empty() { from_nothing(seen) } else { Vec::new() };
    }
    seen.namespaces.iter().flat_map(|namespace| of_namespace(seen, namespace)).collect()
}

fn from_nothing(seen: &Seen) -> Vec<Step> {
    let namespace = "An Azure Device Registry namespace with a system-assigned identity.".to_owned();
    let mut steps = vec![step("", namespace, format!("{SAMPLE}."))];
    steps.push(service_step(seen, ""));
    steps.push(hub_step(seen, ""));
    steps.push(step(
        "",
        "An issuing certificate authority, and a policy under it (in the older generation a credential, and a policy of it)."
            .to_owned(),
        "Declare them in policysync.toml and run `policysync policies apply --apply`; docs/authorities.md shows how.".to_owned(),
    ));
    steps.push(group_step(""));
    steps
}

fn of_namespace(seen: &Seen, namespace: &SeenNamespace) -> Vec<Step> {
    let name = namespace.id.name();
    let Ok(generation) = namespace.generation else { return Vec::new() };
    let all_lists_read = seen.unread.is_empty();
    let mut steps = Vec::new();
    if namespace.services.is_empty() && all_lists_read {
        steps.push(service_step(seen, name));
    }
    if namespace.hubs.is_empty() && all_lists_read {
        steps.push(hub_step(seen, name));
    }
    if namespace.policies.as_ref().is_ok_and(Vec::is_empty) {
        steps.push(policy_step(generation, name));
    }
    let is_without = |service: &super::seen::SeenService| service.groups.as_ref().is_ok_and(Vec::is_empty);
    if !namespace.services.is_empty() && namespace.services.iter().all(is_without) {
        steps.push(group_step(name));
    }
    steps
}

fn step(namespace: &str, what: String, how: String) -> Step {
    Step { namespace: namespace.to_owned(), what, how }
}

fn service_step(seen: &Seen, name: &str) -> Step {
    let what =
        "A Device Provisioning Service (DPS) that is linked to the namespace and to its hubs.".to_owned();
    step(name, what, how_to_link(name, &seen.free_services))
}

fn hub_step(seen: &Seen, name: &str) -> Step {
    let what = "IoT hubs that are linked to the namespace.".to_owned();
    step(name, what, how_to_link(name, &seen.free_hubs))
}

/// Without a namespace an earlier step has named the templates.
fn how_to_link(name: &str, free: &[String]) -> String {
    let templates =
        if name.is_empty() { "The same templates make it.".to_owned() } else { format!("{SAMPLE}.") };
    match free {
        [] => templates,
        free => format!("Link one that is linked to no namespace: {}. {templates}", some_of(free, SHOWN)),
    }
}

fn policy_step(generation: NamespaceGeneration, name: &str) -> Step {
    let what = match generation.has(Generation::CertificateAuthorities) {
        true => "A policy under an issuing certificate authority.",
        false => "A policy of its credential; where it has no credential, that too.",
    };
    let how =
        "Declare it as [[namespace.policy]] in policysync.toml and run `policysync policies apply --apply`.";
    step(name, what.to_owned(), how.to_owned())
}

fn group_step(name: &str) -> Step {
    step(
        name,
        "An enrollment group in the DPS.".to_owned(),
        "`policysync group create --file GROUP.json --policy POLICY` shows what it would create; with --apply it does.".to_owned(),
    )
}
