//! `policysync.toml`: what the operator wants. Unknown keys are errors that name the key.

use serde::{Deserialize, Serialize};

use crate::ArmId;
use crate::rules::{self, Verdict};

/// The whole file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Configuration {
    /// The namespaces to look after.
    #[serde(default, rename = "namespace")]
    pub namespaces: Vec<NamespaceConfiguration>,
}

/// One namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamespaceConfiguration {
    /// Its ARM id.
    pub id: ArmId,
    /// Its DPS: endpoint URLs or ARM ids.
    #[serde(default)]
    pub provisioning_services: Vec<String>,
    /// Where its hubs and DPS are looked up, `/subscriptions/{id}`; without any, the namespace's own subscription.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Whether functions write.
    #[serde(default)]
    pub mode: Mode,
    /// Whether syncs that nobody requested happen by themselves.
    #[serde(default)]
    pub sync: Sync,
    /// Which generation of the service's API to use.
    #[serde(default)]
    pub api_generation: ApiGeneration,
    /// Policies that this file owns. They are read and checked; no function creates or changes them.
    #[serde(default, rename = "policy")]
    pub policies: Vec<DeclaredPolicy>,
    /// Which group gets which policy; the first rule that matches decides.
    #[serde(default, rename = "rule")]
    pub rules: Vec<Rule>,
}

/// Whether functions write to ARM and DPS.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// They plan and report only. The default: a wrong write strands devices.
    #[default]
    Audit,
    /// They write what the plan says.
    Enforce,
}

/// Whether syncs that nobody requested happen by themselves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sync {
    /// They do.
    #[default]
    Automatic,
    /// They become findings.
    Ask,
}

/// Generation of the service's API (`azure-wire-facts.md` §0).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ApiGeneration {
    /// Whatever the namespace speaks.
    #[default]
    Auto,
    /// Credentials, policies and an explicit sync.
    Credentials,
    /// Certificate authorities that are pushed to linked hubs by the service.
    CertificateAuthorities,
}

/// A policy that the file owns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeclaredPolicy {
    /// Its name, 3 to 63 letters, digits and hyphens (`azure-wire-facts.md` §1.2).
    pub name: String,
    /// How long a device certificate is valid, in days.
    #[serde(default)]
    pub leaf_validity_days: Option<u32>,
}

/// Selects enrollment groups and names the policy they get.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Its name, shown in explanations.
    pub name: String,
    /// Globs on the group's id; one that matches is enough.
    pub enrollment_groups: Vec<String>,
    /// The policy's name, or `none`.
    pub policy: String,
    /// Whether it wins over a policy that the group already names.
    #[serde(default)]
    pub reassign: bool,
    /// What the operator expects of the rules.
    #[serde(default)]
    pub test: Vec<RuleTest>,
}

/// An expectation that is checked before anything runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleTest {
    /// Id of a group, which need not exist.
    pub enrollment_group: String,
    /// The policy that the rules give it, or `none`.
    pub expect: String,
}

impl Rule {
    /// The policy, or `None` where the rule says that a group gets none.
    #[must_use]
    pub fn policy_name(&self) -> Option<&str> {
        (self.policy != "none").then_some(self.policy.as_str())
    }
}

/// Why a configuration cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigurationError {
    /// It is not TOML, or a key or value is wrong.
    #[error("{0}")]
    Syntax(String),
    /// It can be read, but it does not hold together.
    #[error("{}", .0.join("\n"))]
    Meaning(Vec<String>),
}

impl Configuration {
    /// Reads the file's text and checks it, rule tests included.
    ///
    /// # Errors
    /// Names the line and the key, or every problem found.
    pub fn parse(text: &str) -> Result<Self, ConfigurationError> {
        let configuration: Self = toml::from_str(text)
            .map_err(|error| ConfigurationError::Syntax(error.to_string().trim_end().to_owned()))?;
        let problems = configuration.problems();
        if problems.is_empty() { Ok(configuration) } else { Err(ConfigurationError::Meaning(problems)) }
    }

    /// The configuration of a namespace.
    #[must_use]
    pub fn namespace(&self, id: &ArmId) -> Option<&NamespaceConfiguration> {
        self.namespaces.iter().find(|namespace| namespace.id == *id)
    }

    fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.namespaces.is_empty() {
            problems.push("there is no [[namespace]]: nothing would be looked after".to_owned());
        }
        for (index, namespace) in self.namespaces.iter().enumerate() {
            let id = &namespace.id;
            if !id.is_of_type("Microsoft.DeviceRegistry/namespaces") {
                problems.push(format!(
                    "namespace.id `{id}` is not the id of a Microsoft.DeviceRegistry namespace"
                ));
            }
            if self.namespaces[..index].iter().any(|earlier| earlier.id == *id) {
                problems.push(format!("namespace `{id}` is there twice"));
            }
            if namespace.api_generation == ApiGeneration::CertificateAuthorities {
                problems.push(format!(
                    "namespace {}: api_generation = \"certificate-authorities\" is not supported yet; \
                     use \"credentials\" or \"auto\"",
                    id.name()
                ));
            }
            for scope in &namespace.scopes {
                let subscription = scope.strip_prefix("/subscriptions/").filter(|id| !id.is_empty());
                if subscription.is_none_or(|id| id.contains('/')) {
                    problems.push(format!(
                        "namespace {}: scope `{scope}` is not `/subscriptions/{{id}}`",
                        id.name()
                    ));
                }
            }
            for service in &namespace.provisioning_services {
                let is_id = ArmId::parse(service)
                    .is_ok_and(|id| id.is_of_type("Microsoft.Devices/provisioningServices"));
                if !is_id && !service.starts_with("https://") && !service.starts_with("http://127.0.0.1:") {
                    problems.push(format!(
                        "namespace {}: provisioning service `{service}` is neither an https:// endpoint nor the ARM id of a DPS",
                        id.name()
                    ));
                }
            }
            problems.extend(namespace.rule_problems());
        }
        problems
    }
}

impl NamespaceConfiguration {
    /// Whether functions write, with the kill switch of the environment taken into account.
    #[must_use]
    pub fn effective_mode(&self, kill_switch: bool) -> Mode {
        if kill_switch { Mode::Audit } else { self.mode }
    }

    /// The subscriptions where its hubs and DPS are looked up, without repeats.
    #[must_use]
    pub fn subscriptions(&self) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        let own = format!("/subscriptions/{}", self.id.subscription());
        let scopes = if self.scopes.is_empty() { std::slice::from_ref(&own) } else { &self.scopes };
        for scope in scopes {
            let subscription = scope.trim_start_matches("/subscriptions/");
            if !found.iter().any(|known| known.eq_ignore_ascii_case(subscription)) {
                found.push(subscription.to_owned());
            }
        }
        found
    }

    fn rule_problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for (index, rule) in self.rules.iter().enumerate() {
            let place = format!("namespace {}, rule `{}`", self.id.name(), rule.name);
            if rule.enrollment_groups.is_empty() {
                problems.push(format!("{place}: enrollment_groups is empty, so it can never match"));
            }
            if self.rules[..index].iter().any(|earlier| earlier.name == rule.name) {
                problems.push(format!("{place}: there are two rules of this name"));
            }
            for test in &rule.test {
                let decision = rules::decide(&self.rules, &test.enrollment_group);
                let (got, by) = match &decision.verdict {
                    Verdict::Policy { policy, rule, .. } => (policy.as_str(), format!("rule `{rule}`")),
                    Verdict::None { rule } => ("none", format!("rule `{rule}`")),
                    Verdict::NoRule => ("none", "no rule matches".to_owned()),
                };
                if got != test.expect {
                    problems.push(format!(
                        "{place}: test expects `{}` for group `{}`, but it gets `{got}` ({by})",
                        test.expect, test.enrollment_group
                    ));
                }
            }
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str =
        "/subscriptions/S/resourceGroups/R/providers/Microsoft.DeviceRegistry/namespaces/contoso";

    fn parse(rest: &str) -> Result<Configuration, String> {
        Configuration::parse(&format!("[[namespace]]\nid = \"{ID}\"\n{rest}"))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn audit_is_the_default_and_the_own_subscription_is_the_scope() {
        let configuration = parse("").unwrap();
        let namespace = &configuration.namespaces[0];
        assert_eq!((namespace.mode, namespace.sync), (Mode::Audit, Sync::Automatic));
        assert_eq!(namespace.subscriptions(), ["S"]);
    }

    #[test]
    fn the_kill_switch_wins() {
        let configuration = parse("mode = \"enforce\"").unwrap();
        assert_eq!(configuration.namespaces[0].effective_mode(false), Mode::Enforce);
        assert_eq!(configuration.namespaces[0].effective_mode(true), Mode::Audit);
    }

    #[test]
    fn unknown_keys_are_named_with_their_line() {
        let error = parse("mod = \"audit\"").unwrap_err();
        assert!(error.contains("mod") && error.contains("line 3"), "{error}");
    }

    #[test]
    fn a_rule_test_that_does_not_hold_is_an_error() {
        let rules = |expect: &str| {
            parse(&format!(
                "[[namespace.rule]]\nname = \"lines\"\nenrollment_groups = [\"line-*\"]\npolicy = \"short\"\n\
                 [[namespace.rule.test]]\nenrollment_group = \"line-7\"\nexpect = \"{expect}\""
            ))
        };
        assert!(rules("short").is_ok());
        let error = rules("long").unwrap_err();
        assert!(error.contains("`long`") && error.contains("`short`") && error.contains("line-7"), "{error}");
    }

    #[test]
    fn what_does_not_hold_together_is_said() {
        for (rest, problem) in [
            ("scopes = [\"/subscriptions/S/resourceGroups/R\"]", "scope"),
            ("provisioning_services = [\"contoso-dps\"]", "provisioning service"),
            ("api_generation = \"certificate-authorities\"", "not supported yet"),
            ("[[namespace.rule]]\nname = \"a\"\nenrollment_groups = []\npolicy = \"p\"", "never match"),
            (
                "[[namespace]]\nid = \"/SUBSCRIPTIONS/S/resourceGroups/R/providers/Microsoft.DeviceRegistry/namespaces/CONTOSO\"",
                "twice",
            ),
        ] {
            let error = parse(rest).unwrap_err();
            assert!(error.contains(problem), "{rest}: {error}");
        }
        assert!(Configuration::parse("").unwrap_err().to_string().contains("no [[namespace]]"));
    }
}
