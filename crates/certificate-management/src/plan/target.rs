//! Finds the policy of the namespace that a text of the configuration means.

use super::Observation;
use crate::configuration::NamespaceConfiguration;
use crate::model::Policy;
use crate::reason::Reason;

impl Observation {
    /// The policy that a text names: by a full name, or by its own name alone where one certificate authority only has a
    /// policy of that name. A credential policy's own name is its full one, so it wins over those of authorities.
    ///
    /// # Errors
    /// `PolicyNotFound` or `PolicyAmbiguous`, with the particulars.
    pub fn policy_named(&self, text: &str) -> Result<&Policy, (Reason, String)> {
        if let Some(policy) = self.policies.iter().find(|policy| policy.is_named(text)) {
            return Ok(policy);
        }
        let alike: Vec<&Policy> =
            self.policies.iter().filter(|policy| policy.own_name().eq_ignore_ascii_case(text)).collect();
        match alike.as_slice() {
            [] => Err((Reason::PolicyNotFound, format!("the namespace has no policy `{text}`"))),
            [policy] => Ok(policy),
            several => {
                let names: Vec<String> = several.iter().map(|policy| format!("`{}`", policy.name)).collect();
                Err((Reason::PolicyAmbiguous, format!("`{text}` may be {}", names.join(" or "))))
            }
        }
    }

    /// The policy that a group's own reference means. A group names policies in full.
    #[must_use]
    pub fn policy_referenced(&self, reference: &str) -> Option<&Policy> {
        self.policies.iter().find(|policy| policy.reference().eq_ignore_ascii_case(reference))
    }

    /// The policy that `[[namespace.migration]]` puts in the place of the one that a group names.
    ///
    /// # Errors
    /// As [`Observation::policy_named`], when the successor cannot be found.
    pub fn successor(
        &self,
        configuration: &NamespaceConfiguration,
        reference: &str,
    ) -> Option<Result<&Policy, (Reason, String)>> {
        let migration = configuration.migration(reference)?;
        Some(self.policy_named(&migration.to))
    }
}
