//! The parts of a next step, and how they become sentences.

use std::borrow::Cow;

use super::situation::{Delivery, Situation, Stage};
use crate::configuration::{Mode, NamespaceConfiguration, Sync};
use crate::plan::permit::{self, Insistence, Writer};

/// One part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    /// What a person does elsewhere, as whole sentences.
    Do(Cow<'static, str>),
    /// A command that a person runs.
    Run(Command),
    /// What comes without a person's doing.
    Await(Coming),
}

/// A command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Command {
    /// Logs in.
    Login,
    /// Shows the plan.
    Plan,
    /// Asks for a sync of the namespace.
    Submit,
    /// Gives groups the successors of their policies.
    Migrate,
    /// Makes what the file declares.
    DeclaredApply,
    /// Hands back a chain that the customer's root has signed.
    Activate,
}

/// What comes by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coming {
    /// A function writes the group's policy.
    Assignment,
    /// A function tries a group again.
    Reconcile,
    /// The app asks for a sync.
    Sync,
    /// The service pushes an authority.
    Push,
    /// The service finishes a policy.
    Policy,
    /// The service finishes a link.
    Link,
    /// A function writes what the file declares again.
    DeclaredWithinAnHour,
    /// The same, later.
    DeclaredAfterADay,
}

impl Command {
    /// Whether it would be refused. What has a login before it in the same next step has one.
    pub(super) fn is_refused(self, situation: &Situation<'_>) -> bool {
        let Some(configuration) = situation.configuration else {
            // Nothing can be asked for of a namespace that the file does not name.
            return !matches!(self, Self::Login | Self::Plan);
        };
        match self {
            Self::Login | Self::Plan => false,
            // The function that takes the request refuses it.
            Self::Submit => {
                configuration.effective_mode(situation.kill_switch) == Mode::Audit || situation.is_frozen
            }
            Self::Migrate | Self::DeclaredApply | Self::Activate => {
                let even_in_audit = configuration.mode == Mode::Audit;
                let writer = Writer::Person(Insistence { even_in_audit, ..Insistence::default() });
                permit::mode(configuration, situation.kill_switch, writer).is_err() || situation.is_frozen
            }
        }
    }

    /// As it is typed.
    pub(super) fn text(self, situation: &Situation<'_>) -> String {
        let audit = situation.configuration.is_some_and(|configuration| configuration.mode == Mode::Audit);
        let even = if audit { " --even-in-audit" } else { "" };
        match self {
            Self::Login => "az login".to_owned(),
            Self::Plan => "policysync plan".to_owned(),
            Self::Submit => {
                let namespace = situation.configuration.map_or("ID", NamespaceConfiguration::as_typed);
                format!("policysync submit --namespace {namespace}")
            }
            Self::Migrate => format!("policysync assign --migrate --apply{even}"),
            Self::DeclaredApply => format!("policysync policies apply --apply{even}"),
            Self::Activate => format!("policysync policies activate NAME --chain FILE --apply{even}"),
        }
    }

    fn sentence(self, situation: &Situation<'_>, is_first: bool) -> String {
        let text = self.text(situation);
        match (self, is_first) {
            (Self::Login, _) => format!("Log in (`{text}`, or `azd auth login`), and run it again."),
            (Self::Activate, _) => format!("`{text}` hands it back."),
            (Self::DeclaredApply, false) => format!("`{text}` tries it at once."),
            (_, true) => format!("Run `{text}`."),
            (_, false) => format!("Then run `{text}`."),
        }
    }
}

impl Coming {
    /// Whether it comes.
    pub(super) fn comes(self, situation: &Situation<'_>) -> bool {
        let configuration = situation.configuration;
        let permitted = || {
            configuration.is_some_and(|configuration| {
                permit::mode(configuration, situation.kill_switch, Writer::Function).is_ok()
                    && !situation.is_frozen
            })
        };
        match self {
            Self::Assignment | Self::Reconcile => permitted(),
            Self::Sync => {
                let is_automatic = configuration.is_some_and(|one| one.sync == Sync::Automatic);
                permitted() && is_automatic && situation.delivery == Delivery::Synced
            }
            Self::Push => situation.delivery == Delivery::Pushed && !situation.link_lacks_role,
            Self::Policy => situation.stage == Stage::UnderWay,
            Self::Link => true,
            Self::DeclaredWithinAnHour | Self::DeclaredAfterADay => {
                permitted() && configuration.is_some_and(|one| one.is_managed())
            }
        }
    }

    /// As a sentence: alone, or after what a person has done.
    pub(super) const fn sentence(self, is_first: bool) -> &'static str {
        match (self, is_first) {
            (Self::Assignment, true) => "Nothing; the next event or reconcile writes it.",
            (Self::Assignment, false) => "The next event or reconcile then writes it.",
            (Self::Reconcile, true) => "Nothing; the next reconcile looks again.",
            (Self::Reconcile, false) => "The next reconcile looks again.",
            (Self::Sync, true) => "Nothing: Policysync has the namespace synced by itself.",
            (Self::Sync, false) => "Policysync then has the namespace synced by itself.",
            (Self::Push, true) => "Wait: the service pushes it by itself.",
            (Self::Push, false) => "The service then pushes it by itself.",
            (Self::Policy, _) => "Wait: the service is at work on it.",
            (Self::Link, _) => "Wait: the service is making the link.",
            (Self::DeclaredWithinAnHour, _) => "The app tries again within an hour.",
            (Self::DeclaredAfterADay, _) => "The app tries again after a day.",
        }
    }
}

/// The parts as sentences.
pub(super) fn text(parts: &[Part], situation: &Situation<'_>) -> String {
    let sentences = parts.iter().enumerate().map(|(place, part)| match part {
        Part::Do(text) => text.clone(),
        Part::Run(command) => command.sentence(situation, place == 0).into(),
        Part::Await(coming) => coming.sentence(place == 0).into(),
    });
    sentences.collect::<Vec<_>>().join(" ")
}
