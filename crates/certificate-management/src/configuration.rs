//! `policysync.toml`: what the operator wants. An unknown key is an error that names the key.
//!
//! - [`lines`]: where things are in the file.
//! - [`problem`]: what is wrong, where, and what to do.
//! - [`analysis`]: mistakes that `check` finds and that do not keep the app from starting.

mod address;
pub mod analysis;
mod declared;
mod freeze;
pub mod lines;
mod migration;
mod overlap;
pub mod problem;
mod rule;
pub mod rules;
mod suppression;
mod thresholds;
mod validate;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use time::OffsetDateTime;

pub use self::address::{Addresses, RESERVED};
pub use self::declared::{DeclaredAuthority, DeclaredPolicy};
pub use self::freeze::Freeze;
use self::lines::Lines;
pub use self::migration::Migration;
use self::problem::Problem;
pub use self::rule::{Rule, RuleTest};
pub use self::suppression::Suppression;
pub use self::thresholds::{CaExpiring, HubCertificateLimit, Thresholds};
use crate::ArmId;
use crate::generation::Generation;

/// The tag of the initial twin by which a group opts out, unless the namespace names another.
pub const OPT_OUT_TAG: &str = "policysync";

/// The whole of `policysync.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Configuration {
    /// The namespaces to look after.
    #[serde(default, rename = "namespace")]
    pub namespaces: Vec<NamespaceConfiguration>,
    /// How long records of requests, assignments and reports are kept after their last change, in days.
    #[serde(default = "retention_days")]
    pub retention_days: u16,
    /// The thresholds of the checks.
    #[serde(default)]
    pub checks: Thresholds,
    /// Findings that a person has decided to live with.
    #[serde(default, rename = "suppress")]
    pub suppressions: Vec<Suppression>,
}

impl Default for Configuration {
    /// No namespaces, and every default.
    fn default() -> Self {
        Self {
            namespaces: Vec::new(),
            retention_days: retention_days(),
            checks: Thresholds::default(),
            suppressions: Vec::new(),
        }
    }
}

fn retention_days() -> u16 {
    90
}

/// One namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
    /// Windows of time in which everything is planned and reported, and nothing is written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<freeze::Written>"))]
    pub freeze: Vec<Freeze>,
    /// Whether Policysync starts syncs that no request asked for.
    #[serde(default)]
    pub sync: Sync,
    /// Which generation of the service's API to use.
    #[serde(default)]
    pub api_generation: ApiGeneration,
    /// Whether functions make and change what this file declares as `[[namespace.authority]]` and `[[namespace.policy]]`, as
    /// `policysync policies apply` does. In audit mode they only report what they would do. The identity of the app needs the
    /// roles of `manageAuthorities = true` (`docs/deploy.md`).
    #[serde(default)]
    pub manage: bool,
    /// Certificate authorities that this file owns: `policysync policies apply` makes those that are missing.
    #[serde(default, rename = "authority")]
    pub authorities: Vec<DeclaredAuthority>,
    /// Policies that this file owns: `policysync policies apply` makes those that are missing, and changes how long their
    /// leaf certificates are valid.
    #[serde(default, rename = "policy")]
    pub policies: Vec<DeclaredPolicy>,
    /// Which group gets which policy; the first rule that matches decides.
    #[serde(default, rename = "rule")]
    pub rules: Vec<Rule>,
    /// Which certificate policy takes the place of which credential policy.
    #[serde(default, rename = "migration", skip_serializing_if = "Vec::is_empty")]
    pub migrations: Vec<Migration>,
    /// The policy, or `none`, of a group that no rule matches; without it, such a group is a finding.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_policy: Option<String>,
    /// The tag of the initial twin with which a group opts out: Policysync leaves the group alone when the tag's text
    /// is `off`.
    #[serde(default = "opt_out_tag")]
    pub opt_out_tag: String,
    /// Whether a group gets its policy at once, rather than when every hub of it trusts the policy's current CA.
    /// Devices that provision in between get certificates that their hub refuses. A group whose hubs are not known waits
    /// all the same.
    #[serde(default)]
    pub assign_before_trust: bool,
    /// How long Policysync looks for the evidence of a sync before a hub's outcome is `unverified`, in seconds: from
    /// the moment that its POST was claimed.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    #[serde(default = "evidence_deadline_seconds")]
    pub evidence_deadline_seconds: u32,
    /// Whether another namespace of the file has this name too. No key says it.
    #[serde(skip)]
    pub(crate) has_namesake: bool,
}

fn evidence_deadline_seconds() -> u32 {
    30 * 60
}

fn opt_out_tag() -> String {
    OPT_OUT_TAG.to_owned()
}

/// Whether functions write to ARM and DPS.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// They plan and report only. The default: a wrong write strands devices.
    #[default]
    Audit,
    /// They write what the plan says.
    Enforce,
}

/// Whether Policysync starts syncs that no request asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Sync {
    /// It does.
    #[default]
    Automatic,
    /// It does not; the report makes a finding of the need.
    Ask,
}

/// Generation of the service's API (`azure-wire-facts.md` §0).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ApiGeneration {
    /// The generation that the namespace speaks.
    #[default]
    Auto,
    /// Credentials, policies and an explicit sync.
    Credentials,
    /// Certificate authorities that the service pushes to linked hubs.
    CertificateAuthorities,
}

/// Why a configuration cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigurationError {
    /// It is not TOML, or a key or value is wrong.
    #[error("{0}")]
    Syntax(String),
    /// It can be read, but it does not hold together.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Meaning(Vec<Problem>),
}

/// A configuration that could be read, whether or not it holds together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Examined {
    /// What the file says.
    pub configuration: Configuration,
    /// The problems that keep it from being used, rule tests included.
    pub problems: Vec<Problem>,
    /// Where things are in the file.
    pub lines: Lines,
}

impl Configuration {
    /// Reads the file's text and checks it, rule tests included.
    ///
    /// # Errors
    /// Names the line and the key, or every problem found.
    pub fn parse(text: &str) -> Result<Self, ConfigurationError> {
        let Examined { configuration, problems, .. } = Self::examine(text)?;
        if problems.is_empty() { Ok(configuration) } else { Err(ConfigurationError::Meaning(problems)) }
    }

    /// Reads the file's text and says what is wrong with it, as far as it can be read at all.
    ///
    /// # Errors
    /// `Syntax`, with the line and the key.
    pub fn examine(text: &str) -> Result<Examined, ConfigurationError> {
        let mut configuration: Self = toml::from_str(text)
            .map_err(|error| ConfigurationError::Syntax(error.to_string().trim_end().to_owned()))?;
        configuration.tell_namesakes();
        let lines = Lines::of(text);
        let problems = validate::problems(&configuration, &lines);
        Ok(Examined { configuration, problems, lines })
    }

    /// The configuration of a namespace.
    #[must_use]
    pub fn namespace(&self, id: &ArmId) -> Option<&NamespaceConfiguration> {
        self.namespaces.iter().find(|namespace| namespace.id == *id)
    }

    /// Marks the namespaces whose name does not say which one is meant.
    fn tell_namesakes(&mut self) {
        let mut of_name: BTreeMap<String, usize> = BTreeMap::new();
        for namespace in &self.namespaces {
            *of_name.entry(namespace.id.name().to_ascii_lowercase()).or_default() += 1;
        }
        for namespace in &mut self.namespaces {
            let name = namespace.id.name().to_ascii_lowercase();
            namespace.has_namesake = of_name.get(&name).is_some_and(|several| *several > 1);
        }
    }
}

impl NamespaceConfiguration {
    /// What a person types for it after `--namespace`: its name, and its ARM id where another namespace of the file has that name too.
    #[must_use]
    pub fn as_typed(&self) -> &str {
        if self.has_namesake { self.id.as_str() } else { self.id.name() }
    }

    /// Whether functions write, with the kill switch of the environment taken into account.
    #[must_use]
    pub fn effective_mode(&self, kill_switch: bool) -> Mode {
        if kill_switch { Mode::Audit } else { self.mode }
    }

    /// The window that keeps the namespace, or a group of it with these tags, from being written at this instant: of several the one
    /// that lasts longest.
    #[must_use]
    pub fn frozen(&self, tags: Option<&Map<String, Value>>, now: OffsetDateTime) -> Option<&Freeze> {
        let is_about = |freeze: &&Freeze| freeze.is_whole() || tags.is_some_and(|tags| freeze.is_about(tags));
        self.freeze
            .iter()
            .filter(|freeze| freeze.is_open(now))
            .filter(is_about)
            .max_by_key(|freeze| freeze.to())
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

    /// Whether functions look at what the file declares, and write it where the mode lets them.
    #[must_use]
    pub fn is_managed(&self) -> bool {
        self.manage && self.declares_something()
    }

    /// Whether the file declares an authority or a policy.
    #[must_use]
    pub fn declares_something(&self) -> bool {
        !self.authorities.is_empty() || !self.policies.is_empty()
    }

    /// Whether the file declares something of a generation.
    #[must_use]
    pub fn declares(&self, generation: Generation) -> bool {
        let of_authority = |policy: &DeclaredPolicy| policy.authority.is_some();
        match generation {
            Generation::Credentials => !self.policies.iter().all(of_authority),
            Generation::CertificateAuthorities => {
                !self.authorities.is_empty() || self.policies.iter().any(of_authority)
            }
        }
    }

    /// The default policy; `None` without one, and where the default is `none`.
    #[must_use]
    pub fn default_policy_name(&self) -> Option<&str> {
        self.default_policy.as_deref().and_then(rule::named_policy)
    }
}

#[cfg(test)]
mod tests;
