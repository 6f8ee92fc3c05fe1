//! What people state in a `policysync.toml`, and how that changes from one version to the next.

use std::fmt::Write as _;
use std::time::Duration;

use azure_simulator::fleet::Generation;
use time::format_description::well_known::Rfc3339;

use crate::engine::BEGIN;
use crate::seed::Draws;

/// A write may come so long after the guard was asked, by a clock that is a minute off.
const AFTER_GUARD: Duration = Duration::from_secs(120);
/// How wrong a clock is at the most.
const SKEW: Duration = Duration::from_secs(60);

/// A version of the configuration that can be used.
#[derive(Debug, Clone)]
pub struct Stated {
    /// The namespaces that it names.
    pub namespaces: Vec<Drawn>,
}

/// A namespace as it was drawn, and what is wanted of it.
#[derive(Debug, Clone)]
pub struct Drawn {
    /// Its ARM id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The generation that it speaks.
    pub generation: Generation,
    /// Its DPS.
    pub service: String,
    /// The ARM id of its DPS.
    pub service_id: String,
    /// The names of its hubs at the beginning, and of one more where there is one without a link.
    pub hubs: Vec<String>,
    /// Host names of hubs that the app does not find: they are in a subscription that the file does not name.
    pub hidden: Vec<String>,
    /// The scopes that the file names.
    pub scopes: Vec<String>,
    /// Its policies, as rules name them.
    pub policies: Vec<String>,
    /// Whether it is in `enforce`.
    pub is_enforced: bool,
    /// From when to when nothing is written, since the beginning of the play.
    pub freeze: Option<(Duration, Duration)>,
    /// Whether syncs are made that no person asked for.
    pub is_automatic: bool,
    /// The policy of groups that are no lines; `None`: they get none.
    pub rest: Option<String>,
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
        match policy.split_once('/') {
            None => format!("{}/credentials/default/policies/{policy}", self.id),
            Some((authority, policy)) => {
                format!("{}/certificateAuthorities/{authority}/certificatePolicies/{policy}", self.id)
            }
        }
    }

    /// Whether a path lies below it, or below its DPS.
    #[must_use]
    pub fn has(&self, path: &str) -> bool {
        let path = path.to_ascii_lowercase();
        path.starts_with(&format!("{}/", self.id.to_ascii_lowercase()))
            || path.starts_with(&format!("/dps/{}/", self.service))
    }

    /// Whether nothing may be written at this time, for all that a clock can be wrong.
    fn is_frozen(&self, at: Duration) -> bool {
        self.freeze.is_some_and(|(from, to)| (from + AFTER_GUARD..to.saturating_sub(SKEW)).contains(&at))
    }

    /// Its part of the file. Writing to a text cannot fail.
    fn write(&self, text: &mut String) {
        let Self { id, service_id, is_enforced, is_automatic, .. } = self;
        let mode = if *is_enforced { "enforce" } else { "audit" };
        let sync = if *is_automatic { "automatic" } else { "ask" };
        let _ = writeln!(
            text,
            "[[namespace]]\nid = \"{id}\"\nprovisioning_services = [\"{service_id}\"]\nmode = \"{mode}\"\nsync = \"{sync}\""
        );
        if let Some((from, to)) = self.freeze {
            let [from, to] = [from, to].map(|end| (BEGIN + end).format(&Rfc3339).unwrap_or_default());
            let _ = writeln!(
                text,
                "freeze = [{{ from = {from}, to = {to}, reason = \"the lines are rebuilt\" }}]"
            );
        }
        if !self.scopes.is_empty() {
            let _ = writeln!(text, "scopes = {:?}", self.scopes);
        }
        let lines = self.policies.first().map_or("none", String::as_str);
        let rest = self.rest.as_deref().unwrap_or("none");
        for (name, groups, policy) in [("lines", "line-*", lines), ("rest", "*", rest)] {
            let _ = writeln!(
                text,
                "[[namespace.rule]]\nname = \"{name}\"\nenrollment_groups = [\"{groups}\"]\npolicy = \"{policy}\""
            );
        }
    }
}

impl Stated {
    /// The text of the file.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        self.namespaces.iter().for_each(|namespace| namespace.write(&mut text));
        text
    }

    /// Whether it lets functions write at a path at this time, since the beginning of the play.
    #[must_use]
    pub fn writes_at(&self, path: &str, at: Duration) -> bool {
        let thawed = self.namespaces.iter().filter(|namespace| !namespace.is_frozen(at));
        thawed.filter(|namespace| namespace.is_enforced).any(|namespace| namespace.has(path))
    }

    /// The next version: one thing is changed. `all` are the namespaces that there are, as they are when they come back.
    #[must_use]
    pub fn next(&self, all: &[Drawn], draws: &mut Draws) -> Self {
        let mut namespaces = self.namespaces.clone();
        let missing = all.iter().find(|known| !namespaces.iter().any(|named| named.id == known.id));
        if let Some(missing) = missing {
            namespaces.push(missing.clone());
            return Self { namespaces };
        }
        let at = usize::try_from(draws.between(0, namespaces.len() as u64 - 1)).unwrap_or_default();
        match draws.between(0, 9) {
            0..4 => namespaces[at].is_enforced = !namespaces[at].is_enforced,
            4..6 => namespaces[at].is_automatic = !namespaces[at].is_automatic,
            6 if namespaces.len() > 1 => drop(namespaces.remove(at)),
            _ => {
                let namespace = &mut namespaces[at];
                let next = draws.pick(&namespace.policies).cloned();
                namespace.rest = if namespace.rest == next { None } else { next };
            }
        }
        Self { namespaces }
    }
}
