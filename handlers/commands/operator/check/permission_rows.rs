//! Checks permissions: asks Azure what the identity of this process may do with each namespace, hub, provisioning
//! service and subscription, and compares that with the table of what the app calls. It tries no call out, so it can
//! check writes too.

use azure::permissions::{Evidence, Feature, PERMISSIONS, Permission, PermissionScope, Role, Who};
use certificate_management::ArmId;
use certificate_management::configuration::{Mode, NamespaceConfiguration};
use certificate_management::model::{Attestation, Namespace};
use certificate_management::next_step::{self, Commands, Lacking, Situation};
use certificate_management::plural;
use futures::{StreamExt, stream};

use super::Checked;
use super::asking::{APP_IDENTITY, Asking, READER, Right};
use crate::commands::operator::reader;
use crate::fleet::Fleet;
use crate::observation::Observer;

/// How many scopes are asked about at once.
const AT_ONCE: usize = 8;
/// The check's name.
const CHECK: &str = "permissions";

/// A resource or a subscription on which a role can be granted.
struct Scope {
    kind: PermissionScope,
    id: String,
    /// The endpoint that lists the groups of a provisioning service.
    endpoint: Option<String>,
}

/// The rows of a namespace. `principal` is the object id in the commands that grant permissions, `asking` who asks.
pub(super) async fn rows(
    fleet: &Fleet,
    observer: &Observer<'_>,
    configuration: &NamespaceConfiguration,
    namespace: &Namespace,
    (principal, asking): (Option<&str>, &Asking),
) -> Vec<Checked> {
    let name = configuration.id.name();
    let situation = Situation::of(configuration, fleet.kill_switch, reader::caller()).at(fleet.now());
    let scopes = scopes(observer, configuration, namespace).await;
    let access = fleet.azure.access();
    let asked = stream::iter(scopes)
        .map(|scope| {
            let access = &access;
            async move { (access.at(&scope.id).await, scope) }
        })
        .buffered(AT_ONCE)
        .collect::<Vec<_>>()
        .await;
    let needs_writes = configuration.effective_mode(fleet.kill_switch) == Mode::Enforce;
    let (mut rows, mut later, mut allowed) = (Vec::new(), Vec::new(), 0);
    for (granted, scope) in asked {
        let subject = format!("{name} / {}", shown(&scope));
        let granted = match granted {
            Ok(granted) => granted,
            Err(error) => {
                let right = Right { role: READER, scope: Some(&scope.id) };
                rows.push(asking.unread(CHECK, &subject, &error, right, &situation));
                continue;
            }
        };
        // An empty namespace is of neither generation yet, so what the file declares decides too.
        let declares = |generation| configuration.is_managed() && configuration.declares(generation);
        let of_generation = |row: &Permission| {
            row.generation.is_none_or(|generation| match row.feature {
                Feature::Declare => declares(generation),
                _ => namespace.generation.has(generation),
            })
        };
        let needed = PERMISSIONS.iter().filter(|row| row.who == Who::App && row.scope == scope.kind);
        // What a file declares without `manage = true` is made by people.
        let needed = needed.filter(|row| row.feature != Feature::Declare || configuration.is_managed());
        for permission in needed.filter(|row| of_generation(row)) {
            if granted.allows(permission.action, permission.data) {
                allowed += 1;
            } else if permission.role == Role::SymmetricKeys
                && !has_symmetric_groups(fleet, namespace, &scope).await
            {
                // The permission to read keys is not needed: no group here has symmetric keys.
            } else if is_a_look(permission) || needs_writes {
                rows.push(missing(permission, &scope, subject.clone(), principal, &situation));
            } else {
                later.push(permission.feature.name());
            }
        }
    }
    if rows.is_empty() {
        let mut message = format!("{} allowed, each that the mode needs", plural::count(allowed, "action"));
        later.sort_unstable();
        later.dedup();
        if !later.is_empty() {
            message = format!("{message}; `mode = \"enforce\"` lacks some for {}", later.join(", "));
        }
        rows.push(Checked::ok(CHECK, name, message));
    }
    rows
}

/// Whether it is needed in audit mode too.
fn is_a_look(permission: &Permission) -> bool {
    match permission.feature {
        Feature::Observe => true,
        Feature::Declare => permission.action.ends_with("/read"),
        _ => false,
    }
}

/// Whether a provisioning service has a group with symmetric keys; yes where its groups cannot be read.
async fn has_symmetric_groups(fleet: &Fleet, namespace: &Namespace, scope: &Scope) -> bool {
    let Some(endpoint) = &scope.endpoint else { return true };
    match fleet.azure.enrollment_groups(namespace.generation).list(endpoint).await {
        Ok(groups) => groups.iter().any(|group| group.view.attestation == Attestation::SymmetricKey),
        Err(_) => true,
    }
}

/// The scopes on which the app needs permissions. Lists that cannot be read have rows of their own in `azure_rows`.
async fn scopes(
    observer: &Observer<'_>,
    configuration: &NamespaceConfiguration,
    namespace: &Namespace,
) -> Vec<Scope> {
    let of = |kind: PermissionScope, id: &ArmId| Scope { kind, id: id.as_str().to_owned(), endpoint: None };
    let mut scopes = vec![of(PermissionScope::Namespace, &configuration.id)];
    scopes.extend(configuration.subscriptions().into_iter().map(|subscription| Scope {
        kind: PermissionScope::Subscription,
        id: format!("/subscriptions/{subscription}"),
        endpoint: None,
    }));
    let hubs = observer.linked_hubs(configuration, namespace).await.unwrap_or_default();
    scopes.extend(hubs.iter().map(|hub| of(PermissionScope::Hub, &hub.id)));
    let services = observer.provisioning_services(configuration).await.unwrap_or_default();
    scopes.extend(services.iter().filter_map(|service| {
        let scope = of(PermissionScope::ProvisioningService, service.id.as_ref()?);
        Some(Scope { endpoint: Some(service.endpoint.clone()), ..scope })
    }));
    scopes
}

fn missing(
    permission: &Permission,
    scope: &Scope,
    subject: String,
    principal: Option<&str>,
    situation: &Situation<'_>,
) -> Checked {
    let mut message = format!("missing for `{}`: {}", permission.feature.name(), permission.action);
    let mut next_step = next_step::to_grant(Lacking::Feature, Commands::Below(1), situation);
    if permission.role == Role::SymmetricKeys {
        message.push_str("; until then groups with symmetric keys are refused (symmetric-keys-unreadable)");
        next_step.push_str(" It is made by a deployment with `symmetricKeyAccess = true`.");
    }
    if permission.feature == Feature::Declare {
        next_step.push_str(" It is made by a deployment with `manageAuthorities = true`.");
    }
    if permission.evidence == Evidence::Inferred {
        message.push_str(" (the name is inferred: no public source has it)");
        next_step = format!(
            "{next_step} Azure refuses a role whole, with InvalidActionOrNotAction, when its provider has no such action; \
             `az provider operation show --namespace {}` lists those that it has.",
            permission.provider()
        );
    }
    let grant =
        permission.grant_command(&role(permission.role), principal.unwrap_or(APP_IDENTITY), &scope.id);
    Checked { grant: Some(grant), ..Checked::failed(CHECK, subject, message, next_step) }
}

/// The role's name in the tenant. The names of our own roles end in a token there, which the templates choose.
fn role(role: Role) -> String {
    let Some((name, _)) = role.definition() else { return role.name().to_owned() };
    format!(
        "$(az role definition list --custom-role-only --query \"[?starts_with(roleName, '{name} (')].roleName | [0]\" --output tsv)"
    )
}

/// The last part of an id: a name, or the subscription.
fn shown(scope: &Scope) -> String {
    let name = scope.id.rsplit('/').next().unwrap_or_default();
    match scope.kind {
        PermissionScope::Subscription => format!("subscription {name}"),
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use certificate_management::next_step::Caller;

    use super::*;

    #[test]
    fn a_row_says_what_for_and_how_to_grant_it() {
        let id = "/subscriptions/S/x/hub-a".to_owned();
        let scope = Scope { kind: PermissionScope::Hub, id, endpoint: None };
        let permission = PERMISSIONS.iter().find(|row| row.scope == PermissionScope::Hub).unwrap();
        let situation = Situation::of_fleet(false, Caller::Person);
        let row = missing(permission, &scope, "contoso / hub-a".to_owned(), Some("PRINCIPAL"), &situation);
        assert_eq!(row.message, "missing for `observe`: Microsoft.Devices/IotHubs/certificates/read");
        let grant = row.grant.unwrap();
        assert!(grant.starts_with("az role assignment create --assignee-object-id PRINCIPAL "), "{grant}");
        assert!(grant.ends_with(" --scope \"/subscriptions/S/x/hub-a\"") && grant.contains("'Policysync ('"));
    }

    #[test]
    fn an_inferred_action_comes_with_how_to_see_what_the_provider_has() {
        let id = "/subscriptions/S/x/contoso".to_owned();
        let scope = Scope { kind: PermissionScope::Namespace, id, endpoint: None };
        for permission in PERMISSIONS.iter().filter(|row| row.who == Who::App) {
            let situation = Situation::of_fleet(false, Caller::Person);
            let row = missing(permission, &scope, "contoso".to_owned(), None, &situation);
            let next_step = row.next_step.unwrap();
            let is_told = next_step
                .contains("az provider operation show --namespace Microsoft.DeviceRegistry`")
                && next_step.contains("InvalidActionOrNotAction")
                && row.message.ends_with("(the name is inferred: no public source has it)");
            assert_eq!(
                is_told,
                permission.evidence == Evidence::Inferred,
                "{}: {next_step}",
                permission.action
            );
        }
    }
}
