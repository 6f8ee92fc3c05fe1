//! Who asks, and what they are granted where they may not read something.

use azure::Error;
use certificate_management::model::{ReadFailure, ReadFailureKind};
use certificate_management::next_step::{self, Caller, PrincipalType, Situation};

use super::Checked;
use crate::commands::operator::reader;
use crate::failure;
use crate::fleet::Fleet;

/// The identity of the app that the templates made; `--principal` names another.
pub(super) const APP_IDENTITY: &str =
    "$(az identity list --query \"[?starts_with(name, 'id-policysync-')].principalId | [0]\" --output tsv)";
/// The person who is logged in.
const SIGNED_IN: &str = "$(az ad signed-in-user show --query id --output tsv)";
/// Reads everything of Azure Resource Manager, role assignments too.
pub(super) const READER: &str = "Reader";
/// Reads the enrollment groups of a provisioning service, which is no call of Azure Resource Manager.
pub(super) const GROUPS_READER: &str = "Device Provisioning Service Data Reader";

/// Who asks.
#[derive(Debug, Clone)]
pub(super) struct Asking {
    /// The object id that commands grant to, or what yields it.
    principal: String,
    kind: PrincipalType,
}

/// Something that was read: the role that reads it, and where that is granted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Right<'a> {
    /// The role.
    pub role: &'a str,
    /// The ARM id; `None`: it is not known.
    pub scope: Option<&'a str>,
}

impl Asking {
    /// Who asks, by `--principal`, else by their token.
    pub async fn of(fleet: &Fleet, principal: Option<&str>) -> Self {
        let caller = fleet.caller(azure::Service::ResourceManager).await.and_then(|caller| caller.object_id);
        Self::from(principal, reader::caller(), caller)
    }

    fn from(principal: Option<&str>, caller: Caller, object_id: Option<String>) -> Self {
        let (kind, unknown) = match (principal, caller) {
            (None, Caller::Person) => (PrincipalType::User, SIGNED_IN),
            _ => (PrincipalType::ServicePrincipal, APP_IDENTITY),
        };
        let principal = principal.map(str::to_owned).or(object_id);
        Self { principal: principal.unwrap_or_else(|| unknown.to_owned()), kind }
    }

    /// A row of what could not be read, with what cures it.
    pub fn unread(
        &self,
        check: &'static str,
        subject: &str,
        error: &Error,
        right: Right<'_>,
        situation: &Situation<'_>,
    ) -> Checked {
        let row = Checked::failed(check, subject, error.to_string(), String::new());
        self.cured(row, &failure::of(error), right, situation)
    }

    /// The row with what cures it, and the command for it.
    pub fn cured(
        &self,
        row: Checked,
        failure: &ReadFailure,
        right: Right<'_>,
        situation: &Situation<'_>,
    ) -> Checked {
        let Right { role, scope } = right;
        let is_cured =
            scope.is_some() && failure.kind == ReadFailureKind::Forbidden && situation.is_logged_in;
        let next_step = next_step::of_unread(failure, is_cured.then_some(role), situation);
        let command = |scope| next_step::grant_command(role, &self.principal, self.kind, scope);
        Checked { next_step: Some(next_step), grant: scope.filter(|_| is_cured).map(command), ..row }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "/subscriptions/S/resourceGroups/R/providers/Microsoft.Devices/IotHubs/h1";

    fn row(principal: Option<&str>, caller: Caller, kind: ReadFailureKind, scope: Option<&str>) -> Checked {
        let failure = ReadFailure { kind, ..ReadFailure::other("it answered 403") };
        let asking = Asking::from(principal, caller, None);
        let row = Checked::failed("hub", "contoso / h1", "it answered 403", "");
        asking.cured(row, &failure, Right { role: READER, scope }, &Situation::of_fleet(false, caller))
    }

    #[test]
    fn what_may_not_be_read_comes_with_the_command_that_grants_it_to_who_runs_this() {
        let denied = ReadFailureKind::Forbidden;
        let person = row(None, Caller::Person, denied, Some(ID));
        let grant = person.grant.unwrap();
        assert!(
            grant.contains("--assignee-object-id $(az ad signed-in-user show")
                && grant.contains("User --role \"Reader\"")
        );
        assert!(grant.ends_with(&format!("--scope \"{ID}\"")), "{grant}");
        assert!(person.next_step.unwrap().contains("the command is below"));
        let pipeline = row(Some("P"), Caller::Pipeline, denied, Some(ID)).grant.unwrap();
        assert!(pipeline.contains("--assignee-object-id P --assignee-principal-type ServicePrincipal"));
    }

    #[test]
    fn where_no_role_cures_it_none_is_named() {
        for (kind, scope) in [
            (ReadFailureKind::Forbidden, None),
            (ReadFailureKind::NotFound, Some(ID)),
            (ReadFailureKind::Unavailable, Some(ID)),
            (ReadFailureKind::OutsideCloud, Some(ID)),
            (ReadFailureKind::Unauthorized, Some(ID)),
        ] {
            let row = row(None, Caller::Person, kind, scope);
            assert_eq!(row.grant, None, "{kind:?}");
            assert!(!row.next_step.unwrap().contains("below"), "{kind:?}");
        }
    }
}
