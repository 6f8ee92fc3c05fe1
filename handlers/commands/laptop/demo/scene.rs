//! Finds the namespace, rule, policy and group of the story in any fleet and rules.

use certificate_management::ArmId;
use certificate_management::configuration::{Configuration, Mode};
use certificate_management::report::{NamespaceReport, Report};
use certificate_management::rules::{self, Verdict};
use serde_json::Value;

use super::operator::Operator;

/// The namespace, the rule, the policy and the group of the story.
#[derive(Debug, Clone)]
pub struct Scene {
    /// The namespace.
    pub namespace_id: ArmId,
    /// The name of its DPS.
    pub provisioning_service: String,
    /// The id of a group that does not exist yet.
    pub enrollment_group: String,
    /// The rule that matches it.
    pub rule: String,
    /// The policy that the rule names.
    pub policy: String,
    /// Whether every hub of the namespace trusts every policy already.
    pub is_trusted: bool,
}

/// Finds a scene: the first rule of a namespace in `enforce` mode that names an existing policy. It prefers a namespace
/// where every hub trusts every policy already.
pub async fn find(
    configuration: &Configuration,
    report: &Report,
    state: &Value,
    operator: &Operator,
) -> Result<Scene, String> {
    let mut scenes = Vec::new();
    for namespace in configuration.namespaces.iter().filter(|namespace| namespace.mode == Mode::Enforce) {
        let Some(seen) = report.namespaces.iter().find(|seen| seen.id == namespace.id) else { continue };
        let Some(service) = provisioning_service(state, &namespace.id) else { continue };
        for rule in &namespace.rules {
            for glob in &rule.enrollment_groups {
                let Some(id) = free_id(operator, &service, glob).await? else { continue };
                let Verdict::Policy { policy, rule, .. } = rules::decide_by_id(namespace, &id).verdict else {
                    continue;
                };
                let Some(policy) = active_policy(seen, &policy) else { continue };
                scenes.push(Scene {
                    namespace_id: namespace.id.clone(),
                    provisioning_service: service.clone(),
                    enrollment_group: id,
                    rule,
                    policy,
                    is_trusted: seen.trust.iter().all(|pair| pair.trust.admits_current()),
                });
            }
        }
    }
    scenes.sort_by_key(|scene| !scene.is_trusted);
    scenes.into_iter().next().ok_or_else(|| {
        "the configuration has no namespace of this fleet with mode = \"enforce\", a provisioning service, hubs, \
         and a rule that names one of its active policies"
            .to_owned()
    })
}

fn provisioning_service(state: &Value, namespace_id: &ArmId) -> Option<String> {
    let namespaces = state["namespaces"].as_array()?;
    let found = namespaces.iter().find(|known| {
        known["id"].as_str().is_some_and(|id| id.eq_ignore_ascii_case(namespace_id.as_str()))
    })?;
    let has_hubs = found["hubs"].as_array().is_some_and(|hubs| !hubs.is_empty());
    found["provisioningServices"].as_array()?.first()?.as_str().filter(|_| has_hubs).map(str::to_owned)
}

fn active_policy(seen: &NamespaceReport, name: &str) -> Option<String> {
    let pair = seen.trust.iter().find(|pair| pair.policy.eq_ignore_ascii_case(name))?;
    Some(pair.policy.clone())
}

/// An id that a glob matches and no group has.
async fn free_id(operator: &Operator, service: &str, glob: &str) -> Result<Option<String>, String> {
    for number in 1..=9 {
        let id = glob
            .replacen('*', &format!("demo-{number}"), 1)
            .replace('*', "")
            .replace('?', &number.to_string());
        let has_name = id.starts_with(|c: char| c.is_ascii_alphanumeric())
            && id.ends_with(|c: char| c.is_ascii_alphanumeric());
        if has_name && rules::matches(glob, &id) && !operator.group_exists(service, &id).await? {
            return Ok(Some(id));
        }
    }
    Ok(None)
}
