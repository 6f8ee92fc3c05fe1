//! What is wrong with a configuration, where, and what to do about it.

use serde::{Deserialize, Serialize};

/// What was checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Check {
    /// The file can be read, and each value makes sense for itself and beside the others.
    Configuration,
    /// The rules do what their tests expect.
    RuleTests,
    /// Every rule can match, and no two rules contradict each other.
    RuleOrder,
    /// The policies that rules name exist.
    RulePolicies,
}

impl Check {
    /// The stable code, e.g. `rule-order`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::RuleTests => "rule-tests",
            Self::RuleOrder => "rule-order",
            Self::RulePolicies => "rule-policies",
        }
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// What was checked.
    pub check: Check,
    /// The line of the file, from 1, where there is one to point at.
    pub line: Option<usize>,
    /// What it is about, e.g. ``namespace contoso, rule `lines` ``; the file itself when empty.
    pub subject: String,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub next_step: String,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        if !self.subject.is_empty() {
            write!(f, "{}: ", self.subject)?;
        }
        f.write_str(&self.message)
    }
}
