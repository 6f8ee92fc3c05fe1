//! What a person does where a role is missing: the command that grants it is a part of what they are told, or stands below it.

use super::{Caller, Situation, login};
use crate::read_failure::{ReadFailure, ReadFailureKind};
use crate::reason::Reason;

/// Whom a role is granted to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrincipalType {
    /// A managed identity, or another app.
    ServicePrincipal,
    /// A person.
    User,
}

/// The command that gives a role on a scope to a principal, by its object id.
#[must_use]
pub fn grant_command(role: &str, principal_id: &str, principal: PrincipalType, scope_id: &str) -> String {
    let principal = match principal {
        PrincipalType::ServicePrincipal => "ServicePrincipal",
        PrincipalType::User => "User",
    };
    format!(
        "az role assignment create --assignee-object-id {principal_id} --assignee-principal-type {principal} \
         --role \"{role}\" --scope \"{scope_id}\""
    )
}

/// What a missing role is needed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lacking<'a> {
    /// What the app does: its identity lacks it.
    Feature,
    /// A link of a namespace: the identity of the namespace, or of what is linked to it, lacks it.
    Link,
    /// A read of the caller: who runs this lacks the role of this name.
    Read(&'a str),
}

/// Where a person finds the commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Commands<'a> {
    /// In the sentence.
    Here(&'a str),
    /// Below everything that is told, where they can be copied: so many.
    Below(usize),
}

/// What is to be done where a role is missing and a command grants it.
#[must_use]
pub fn to_grant(lacking: Lacking<'_>, commands: Commands<'_>, situation: &Situation<'_>) -> String {
    if matches!(lacking, Lacking::Read(_)) && !situation.is_logged_in {
        return login(situation.caller);
    }
    let what = match lacking {
        Lacking::Feature | Lacking::Link if matches!(commands, Commands::Below(2..)) => {
            "Grant the roles".to_owned()
        }
        Lacking::Feature | Lacking::Link => "Grant the role".to_owned(),
        Lacking::Read(role) => {
            let whom = match situation.caller {
                Caller::App => "the app's identity",
                Caller::Person => "the person who runs this",
                Caller::Pipeline => "the identity that runs this",
            };
            format!("Grant `{role}` there to {whom}")
        }
    };
    let how = match commands {
        Commands::Here(command) => format!("`{command}`"),
        Commands::Below(2..) => "the commands are below".to_owned(),
        Commands::Below(_) => "the command is below".to_owned(),
    };
    let then = match lacking {
        Lacking::Link => " Then link again where the link has failed.",
        Lacking::Feature | Lacking::Read(_) => "",
    };
    format!("{what}: {how}; role assignments take minutes to arrive.{then}")
}

/// What is to be done about a read that failed so. `role`: the one that lets the caller read it, where its command stands below.
#[must_use]
pub fn of_unread(failure: &ReadFailure, role: Option<&str>, situation: &Situation<'_>) -> String {
    match failure.kind {
        ReadFailureKind::Forbidden => match role {
            Some(role) => to_grant(Lacking::Read(role), Commands::Below(1), situation),
            None => super::of(Reason::NotPermitted, situation),
        },
        ReadFailureKind::Unauthorized => login(situation.caller),
        ReadFailureKind::NotFound => {
            "Look whether it is there and the id in policysync.toml is right; what was deleted a moment ago may still be named."
                .to_owned()
        }
        ReadFailureKind::ApiVersionRejected => super::of(Reason::ApiVersionRejected, situation),
        ReadFailureKind::OutsideCloud => super::of(Reason::AddressOutsideCloud, situation),
        ReadFailureKind::Unavailable | ReadFailureKind::NotVisited => {
            "Check the network and POLICYSYNC_ARM_ENDPOINT, and run it again; if it lasts, look at Azure's status page."
                .to_owned()
        }
        ReadFailureKind::Other => super::of(Reason::ServiceRejected, situation),
    }
}
