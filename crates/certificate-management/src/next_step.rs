//! What a person does next, made from what is so: the mode, the kill switch, whether syncs come by themselves, the generation, the
//! login.
//!
//! [`Reason::next_step`] is the row of the runbook, which holds for every namespace. What is told of one namespace is made
//! here instead. A next step is made of parts ([`Part`]), so that a test can ask of each command whether it would be refused, and of
//! each thing to wait for whether it comes.

mod granting;
mod part;
mod performing;
mod situation;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

pub use self::granting::{Commands, Lacking, PrincipalType, grant_command, of_unread, to_grant};
use self::part::{Coming, Command, Part};
pub use self::performing::{to_apply, to_perform};
pub use self::situation::{Caller, Delivery, Situation, Stage};
use crate::declared::Hindrance;
use crate::model::MissingPermission;
use crate::reason::Reason;

/// The next step of a reason.
#[must_use]
pub fn of(reason: Reason, situation: &Situation<'_>) -> String {
    part::text(&parts(reason, situation), situation)
}

/// Whether what is missing comes to the hubs without a person's doing.
#[must_use]
pub fn comes_by_itself(situation: &Situation<'_>) -> bool {
    Coming::Sync.comes(situation) || Coming::Push.comes(situation)
}

/// What is to be done where nothing can be read or written for lack of a token.
#[must_use]
pub fn login(caller: Caller) -> String {
    let situation = Situation::of_fleet(false, caller).logged_out();
    part::text(&parts(Reason::NotPermitted, &situation), &situation)
}

/// What is to be done where an action is missing that the service has named.
#[must_use]
pub fn grant(missing: &MissingPermission, caller: Caller) -> String {
    let whom = match caller {
        Caller::App => "the identity on it",
        Caller::Person => "the person who runs this",
        Caller::Pipeline => "the identity that runs this",
    };
    format!(
        "Grant `{}` (for {}) to {whom}; role assignments take minutes to arrive.",
        missing.action, missing.feature
    )
}

/// What is to be done about a declared resource that cannot be made so.
#[must_use]
pub fn of_hindrance(hindrance: &Hindrance, situation: &Situation<'_>) -> String {
    let mut parts = vec![does(hindrance.remedy())];
    let within = match hindrance {
        Hindrance::NotKept { .. } => Some(Coming::DeclaredAfterADay),
        Hindrance::Service { .. } => Some(Coming::DeclaredWithinAnHour),
        _ => None,
    };
    if let Some(retry) = within {
        if retry.comes(situation) {
            parts.push(Part::Await(retry));
        }
        parts.extend(declare(situation));
    }
    part::text(&with_login(parts, false, situation), situation)
}

/// What is to be done about a group that names a policy of the previous generation, whose successor the file names.
#[must_use]
pub fn of_migration(situation: &Situation<'_>) -> String {
    part::text(&with_login(migrate(situation), false, situation), situation)
}

/// What is to be done about a policy that the namespace does not have.
#[must_use]
pub fn of_missing_policy(is_declared: bool, situation: &Situation<'_>) -> String {
    if !is_declared {
        return of(Reason::PolicyNotFound, situation);
    }
    let parts = std::iter::once(does("policysync.toml declares it.")).chain(declare(situation));
    part::text(&with_login(parts.collect(), false, situation), situation)
}

fn does(text: impl Into<Cow<'static, str>>) -> Part {
    Part::Do(text.into())
}

/// The parts of a next step, with the login first where there is none.
fn parts(reason: Reason, situation: &Situation<'_>) -> Vec<Part> {
    with_login(parts_of(reason, situation), is_about_access(reason), situation)
}

/// Puts the login before commands that take one, and in place of roles that would not help without it.
fn with_login(parts: Vec<Part>, is_about_access: bool, situation: &Situation<'_>) -> Vec<Part> {
    let takes_one = is_about_access || parts.iter().any(|part| matches!(part, Part::Run(_)));
    if situation.is_logged_in || !takes_one {
        return parts;
    }
    match situation.caller {
        Caller::App if is_about_access => vec![does(
            "Look whether the app has its identity: AZURE_CLIENT_ID names a user-assigned one, which has to be attached to the app.",
        )],
        Caller::App => parts,
        Caller::Person if is_about_access => vec![Part::Run(Command::Login)],
        Caller::Person => std::iter::once(Part::Run(Command::Login)).chain(parts).collect(),
        Caller::Pipeline => vec![does(
            "Look at the identity that the environment names: IDENTITY_ENDPOINT a managed one, AZURE_FEDERATED_TOKEN_FILE a federated \
             one; without either, the login of `az` is used.",
        )],
    }
}

/// Whether it is told where a call was denied.
fn is_about_access(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::NotPermitted
            | Reason::PermissionMissing
            | Reason::HubUnreadable
            | Reason::GroupUnreadable
            | Reason::NamespaceUnreadable
            | Reason::RecordsUnreadable
    )
}

fn parts_of(reason: Reason, situation: &Situation<'_>) -> Vec<Part> {
    let one = |text: &'static str| vec![does(text)];
    let then = |first: Cow<'static, str>, rest: Vec<Part>| {
        std::iter::once(Part::Do(first)).chain(rest).collect::<Vec<_>>()
    };
    match reason {
        Reason::AuditMode => vec![does(situation.before_a_write())],
        // The window may be one of the group alone.
        Reason::Frozen => vec![does(Situation { is_frozen: true, ..*situation }.before_a_write())],
        Reason::ServiceUnavailable if situation.caller.is_command() => {
            one("Run it again; if it lasts, look at Azure's status page.")
        }
        Reason::NamespaceLocked => then(
            "Remove the lock that the detail names (`az lock list`); a lock does not go of its own accord."
                .into(),
            once_more(situation),
        ),
        Reason::SyncConflict => {
            then("Look at the namespace's activity log for what goes on there.".into(), once_more(situation))
        }
        Reason::SyncFailed => then(
            "Read the service's message; check the namespace identity's roles on the hub.".into(),
            once_more(situation),
        ),
        Reason::EvidenceMissing => then(
            "Check the hub's link and the namespace identity's Contributor role on the hub.".into(),
            once_more(situation),
        ),
        Reason::HubGone => one("Nothing, if that was meant; else link the hub again."),
        Reason::SyncCoversWholeNamespace if Command::Submit.is_refused(situation) => {
            vec![does(situation.before_a_write())]
        }
        Reason::SyncCoversWholeNamespace => one(
            "Submit it again with `allowWholeNamespace: true` if syncing everything is meant; a sync cannot be undone.",
        ),
        Reason::PolicyNotActive => match situation.stage {
            Stage::UnderWay => vec![Part::Await(Coming::Policy)],
            Stage::Signature => hand_back(situation),
            Stage::Failed => one(
                "Read the activity log of the policy and of its authority in Azure; a write that failed has to be repeated.",
            ),
            Stage::Active | Stage::Unknown => {
                one("Look at its provisioning state in Azure; where it brings its own root, activate it.")
            }
        },
        Reason::PolicyMissing | Reason::PolicyStale | Reason::WaitingForTrust => sync(situation),
        Reason::CaExpiring => then(
            match situation.has_own_root {
                true => "Renew it with your own root.".into(),
                false => {
                    "Expect a rotation by the service, or renew it if it is signed by your own root.".into()
                }
            },
            sync(situation),
        ),
        Reason::CaExpired => then("Rotate or renew the issuing CA.".into(), sync(situation)),
        Reason::OwnRootPendingActivation => hand_back(situation),
        Reason::OwnRootPendingRenewal => {
            let mut parts = hand_back(situation);
            if situation.delivery == Delivery::Synced && !Command::Activate.is_refused(situation) {
                parts.extend(sync(situation));
            }
            parts
        }
        Reason::GroupUnassigned if Coming::Assignment.comes(situation) => {
            vec![Part::Await(Coming::Assignment)]
        }
        Reason::GroupUnassigned => vec![does(situation.before_a_write())],
        Reason::GroupMoved => match (situation.caller, Coming::Reconcile.comes(situation)) {
            (Caller::App, true) => vec![Part::Await(Coming::Reconcile)],
            (Caller::App, false) => vec![does(situation.before_a_write())],
            (Caller::Person | Caller::Pipeline, _) => {
                one("Make the plan anew; it is made from the group as it is now.")
            }
        },
        Reason::LinkNotReady => {
            let lasting = "If it lasts, write a tag of the provisioning service, which tells it anew.";
            match Coming::Reconcile.comes(situation) {
                true => vec![Part::Await(Coming::Reconcile), does(lasting)],
                false => one(
                    "The link takes some minutes to arrive. If it lasts, write a tag of the provisioning service, which tells it anew.",
                ),
            }
        }
        Reason::LinkInProgress => vec![
            Part::Await(Coming::Link),
            does("If it lasts, look at the endpoint's linkingState on the namespace."),
        ],
        // It is told of a policy that the service pushes.
        Reason::PushAwaited if situation.link_lacks_role => give_role(),
        Reason::PushAwaited => vec![Part::Await(Coming::Push)],
        Reason::PreviousGeneration
            if situation.configuration.is_some_and(|one| !one.migrations.is_empty()) =>
        {
            then(
                "State its successor as [[namespace.migration]], unless policysync.toml does already.".into(),
                migrate(situation),
            )
        }
        Reason::PreviousGeneration => {
            then("State its successor as [[namespace.migration]].".into(), migrate(situation))
        }
        Reason::DeclaredRefused => then(
            "Read the service's message: correct the value in policysync.toml, or grant the role.".into(),
            declared_again(Coming::DeclaredWithinAnHour, situation),
        ),
        Reason::DeclaredNotKept => then(
            "Look at the resource's activity log in Azure, and correct the value in policysync.toml.".into(),
            declared_again(Coming::DeclaredAfterADay, situation),
        ),
        // What is left depends on nothing.
        other => one(other.next_step()),
    }
}

/// What brings the current CA of a policy to the hubs.
fn sync(situation: &Situation<'_>) -> Vec<Part> {
    if Coming::Push.comes(situation) {
        return vec![Part::Await(Coming::Push)];
    }
    if Coming::Sync.comes(situation) {
        return vec![Part::Await(Coming::Sync)];
    }
    once_more(situation)
}

/// What a person does where the service would push, and may not.
fn give_role() -> Vec<Part> {
    vec![does(
        "Grant the role that its link lacks: the finding `link-unready` and `policysync check` have the command. The service pushes nothing \
         to the hub before that.",
    )]
}

/// What a person does for a sync after one that has not helped: the app would make its own only tomorrow.
fn once_more(situation: &Situation<'_>) -> Vec<Part> {
    if Coming::Push.comes(situation) {
        return vec![Part::Await(Coming::Push)];
    }
    match Command::Submit.is_refused(situation) {
        _ if situation.delivery == Delivery::Pushed => give_role(),
        true => vec![does(format!("A sync is needed. {}", situation.before_a_write()))],
        false => vec![Part::Run(Command::Submit)],
    }
}

fn migrate(situation: &Situation<'_>) -> Vec<Part> {
    let write = match Command::Migrate.is_refused(situation) {
        true => does(situation.before_a_write()),
        false => Part::Run(Command::Migrate),
    };
    vec![Part::Run(Command::Plan), write]
}

/// Signing a request with the customer's own root, and handing the chain back.
fn hand_back(situation: &Situation<'_>) -> Vec<Part> {
    let sign = "`policysync policies csr` shows the signing request and how to sign it with your root; `policysync policies lint` checks the chain.";
    match Command::Activate.is_refused(situation) {
        true => vec![does(sign), does(situation.before_a_write())],
        false => vec![does(sign), Part::Run(Command::Activate)],
    }
}

fn declared_again(retry: Coming, situation: &Situation<'_>) -> Vec<Part> {
    match retry.comes(situation) {
        true => vec![Part::Await(retry)],
        false => declare(situation),
    }
}

fn declare(situation: &Situation<'_>) -> Vec<Part> {
    match Command::DeclaredApply.is_refused(situation) {
        true => vec![does(situation.before_a_write())],
        false => vec![Part::Run(Command::DeclaredApply)],
    }
}
