//! What is so, as far as a next step depends on it.

use serde_json::{Map, Value};
use time::OffsetDateTime;

use crate::configuration::{Mode, NamespaceConfiguration};
use crate::generation::{Generation, NamespaceGeneration};
use crate::model::Policy;
use crate::plan;
use crate::plan::permit;

/// Whose calls were made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    /// The app, with its identity.
    App,
    /// A person at a command line, with a login of their own.
    Person,
    /// A command with an identity that its environment names, as in a pipeline.
    Pipeline,
}

impl Caller {
    /// Whether it is a command, and no function.
    #[must_use]
    pub const fn is_command(self) -> bool {
        matches!(self, Self::Person | Self::Pipeline)
    }
}

/// How the CA of a policy comes to hubs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// By a sync that a client asks for: the first generation.
    Synced,
    /// The service pushes it without being asked: the second.
    Pushed,
}

/// How far a policy is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Nothing is said of a policy, or it was not seen.
    Unknown,
    /// The service is at work on it.
    UnderWay,
    /// Its signing request waits for the customer's own root.
    Signature,
    /// The service could not make it, or takes it away.
    Failed,
    /// It signs.
    Active,
}

/// What is so about the namespace and the policy that a next step is about.
#[derive(Debug, Clone, Copy)]
pub struct Situation<'a> {
    /// The namespace; `None`: it is about none, or about one that the file does not name.
    pub configuration: Option<&'a NamespaceConfiguration>,
    /// Whether `POLICYSYNC_MODE=audit` is set.
    pub kill_switch: bool,
    /// Whether a window of `freeze` is open for the namespace.
    pub is_frozen: bool,
    /// Whose calls were made.
    pub caller: Caller,
    /// Whether the caller has a token.
    pub is_logged_in: bool,
    /// How the CA comes to hubs.
    pub delivery: Delivery,
    /// How far the policy is.
    pub stage: Stage,
    /// Whether the customer's own root signs the policy.
    pub has_own_root: bool,
    /// Whether the link of the hub was seen to lack a role, without which the service pushes nothing to it.
    pub link_lacks_role: bool,
}

impl<'a> Situation<'a> {
    /// Of what is about no namespace.
    #[must_use]
    pub fn of_fleet(kill_switch: bool, caller: Caller) -> Self {
        Self {
            configuration: None,
            kill_switch,
            is_frozen: false,
            caller,
            is_logged_in: true,
            delivery: Delivery::Synced,
            stage: Stage::Unknown,
            has_own_root: false,
            link_lacks_role: false,
        }
    }

    /// Of a namespace, with a login.
    #[must_use]
    pub fn of(configuration: &'a NamespaceConfiguration, kill_switch: bool, caller: Caller) -> Self {
        Self { configuration: Some(configuration), ..Self::of_fleet(kill_switch, caller) }
    }

    /// The same at this time, at which a window of `freeze` may be open.
    #[must_use]
    pub fn at(self, now: OffsetDateTime) -> Self {
        let is_frozen = self.configuration.is_some_and(|one| one.frozen(None, now).is_some());
        Self { is_frozen, ..self }
    }

    /// The same of a write to a group with these tags of its initial twin: a window of `freeze` may be open for it alone.
    #[must_use]
    pub fn of_group(self, tags: &Map<String, Value>, now: OffsetDateTime) -> Self {
        let is_frozen = self.configuration.is_some_and(|one| one.frozen(Some(tags), now).is_some());
        Self { is_frozen, ..self }
    }

    /// The same of a caller without a token.
    #[must_use]
    pub fn logged_out(self) -> Self {
        Self { is_logged_in: false, ..self }
    }

    /// The same in a namespace of this generation. In one that is being migrated a sync still helps.
    #[must_use]
    pub fn in_generation(self, generation: NamespaceGeneration) -> Self {
        let delivery = match generation.has(Generation::Credentials) {
            true => Delivery::Synced,
            false => Delivery::Pushed,
        };
        Self { delivery, ..self }
    }

    /// The same of one policy.
    #[must_use]
    pub fn about(self, policy: &Policy) -> Self {
        let delivery = match policy.generation() {
            Generation::Credentials => Delivery::Synced,
            Generation::CertificateAuthorities => Delivery::Pushed,
        };
        let own = policy.bring_your_own_root.as_ref();
        let stage = match &policy.provisioning_state {
            _ if plan::is_active(policy) => Stage::Active,
            _ if own.is_some_and(|own| own.status.eq_ignore_ascii_case("PendingActivation")) => {
                Stage::Signature
            }
            state if state.is_under_way() => Stage::UnderWay,
            _ => Stage::Failed,
        };
        Self { delivery, stage, has_own_root: own.is_some(), ..self }
    }

    /// What has to change before Policysync may write.
    pub(super) fn before_a_write(&self) -> String {
        let thaw = "A window of `freeze` in policysync.toml is open: do it after that, or in an emergency with `--break-freeze` and a `--reason`.";
        let writes = permit::Writer::Function;
        let is_stopped =
            self.configuration.is_none_or(|one| permit::mode(one, self.kill_switch, writes).is_err());
        match (is_stopped, self.is_frozen) {
            (false, true) => thaw.to_owned(),
            (true, true) => format!("{} {thaw}", self.mode_to_change()),
            (_, false) => self.mode_to_change().to_owned(),
        }
    }

    fn mode_to_change(&self) -> &'static str {
        let in_file = self.configuration.is_some_and(|configuration| configuration.mode == Mode::Audit);
        match (self.kill_switch, in_file) {
            (true, true) => {
                "Unset POLICYSYNC_MODE, and set `mode = \"enforce\"` for the namespace in policysync.toml, when its plan looks right."
            }
            (true, false) => "Unset POLICYSYNC_MODE when the plan looks right.",
            (false, true) => {
                "Set `mode = \"enforce\"` for the namespace in policysync.toml when its plan looks right."
            }
            // The namespace was taken out of the file.
            (false, false) => {
                "Set `mode = \"enforce\"` for the namespace in policysync.toml (and unset POLICYSYNC_MODE) when its plan looks right."
            }
        }
    }
}
