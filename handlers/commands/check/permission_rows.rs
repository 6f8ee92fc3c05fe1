//! What `check` learns of permissions: it asks Azure what the identity of this process may do with each namespace, hub,
//! provisioning service and subscription, and holds it against the table of what the app calls. Nothing is tried out, so
//! writes are checked too.

use azure::permissions::{Feature, PERMISSIONS, Permission, PermissionScope, Role, Who};
use certificate_management::ArmId;
use certificate_management::configuration::{Mode, NamespaceConfiguration};
use certificate_management::model::Namespace;
use futures::{StreamExt, stream};

use super::Row;
use crate::application::Application;
use crate::observation::Observer;

/// How many scopes are asked about at once.
const AT_ONCE: usize = 8;
/// The identity of the app that the templates made; `--principal` names another.
const APP_IDENTITY: &str =
    "$(az identity list --query \"[?starts_with(name, 'id-policysync-')].principalId | [0]\" --output tsv)";
/// The check's name.
const CHECK: &str = "permissions";

/// A thing that actions can be granted on.
struct Scope {
    kind: PermissionScope,
    id: String,
}

/// The rows of a namespace. `principal` is whom the commands are for.
pub(super) async fn rows(
    application: &Application,
    observer: &Observer<'_>,
    configuration: &NamespaceConfiguration,
    namespace: &Namespace,
    principal: Option<&str>,
) -> Vec<Row> {
    let name = configuration.id.name();
    let scopes = scopes(observer, configuration, namespace).await;
    let access = application.azure.access();
    let asked = stream::iter(scopes)
        .map(|scope| {
            let access = &access;
            async move { (access.at(&scope.id).await, scope) }
        })
        .buffered(AT_ONCE)
        .collect::<Vec<_>>()
        .await;
    let needs_writes = configuration.effective_mode(application.kill_switch) == Mode::Enforce;
    let (mut rows, mut later, mut allowed) = (Vec::new(), Vec::new(), 0);
    for (granted, scope) in asked {
        let subject = format!("{name} / {}", shown(&scope));
        let granted = match granted {
            Ok(granted) => granted,
            Err(error) => {
                let next_step =
                    "Grant `Reader` there to whoever runs this; without it the other rows are all there is.";
                rows.push(Row::failed(CHECK, subject, error.to_string(), next_step));
                continue;
            }
        };
        for permission in PERMISSIONS.iter().filter(|row| row.who == Who::App && row.scope == scope.kind) {
            if granted.allows(permission.action, permission.data) {
                allowed += 1;
            } else if permission.feature == Feature::Observe || needs_writes {
                rows.push(missing(permission, &scope, subject.clone(), principal));
            } else {
                later.push(permission.feature.name());
            }
        }
    }
    if rows.is_empty() {
        let mut message = format!("actions allowed: {allowed}, each that the mode needs");
        later.sort_unstable();
        later.dedup();
        if !later.is_empty() {
            message = format!("{message}; `mode = \"enforce\"` lacks some for {}", later.join(", "));
        }
        rows.push(Row::ok(CHECK, name, message));
    }
    rows
}

/// Where the app needs something. What cannot be listed has rows of its own elsewhere.
async fn scopes(
    observer: &Observer<'_>,
    configuration: &NamespaceConfiguration,
    namespace: &Namespace,
) -> Vec<Scope> {
    let of = |kind: PermissionScope, id: &ArmId| Scope { kind, id: id.as_str().to_owned() };
    let mut scopes = vec![of(PermissionScope::Namespace, &configuration.id)];
    scopes.extend(configuration.subscriptions().into_iter().map(|subscription| Scope {
        kind: PermissionScope::Subscription,
        id: format!("/subscriptions/{subscription}"),
    }));
    let hubs = observer.linked_hubs(configuration, namespace).await.unwrap_or_default();
    scopes.extend(hubs.iter().map(|hub| of(PermissionScope::Hub, &hub.id)));
    let services = observer.provisioning_services(configuration).await.unwrap_or_default();
    let ids = services.iter().filter_map(|service| service.id.as_ref());
    scopes.extend(ids.map(|id| of(PermissionScope::ProvisioningService, id)));
    scopes
}

fn missing(permission: &Permission, scope: &Scope, subject: String, principal: Option<&str>) -> Row {
    let message = format!("missing for `{}`: {}", permission.feature.name(), permission.action);
    let grant =
        permission.grant_command(&role(permission.role), principal.unwrap_or(APP_IDENTITY), &scope.id);
    Row {
        grant: Some(grant),
        ..Row::failed(CHECK, subject, message, "Grant the role: the command is below.")
    }
}

/// The role's name in the tenant. Those of our own end in a token there, which the templates choose.
fn role(role: Role) -> String {
    let prefix = match role {
        Role::Resources => "Policysync (",
        Role::Subscription => "Policysync finder (",
        built_in => return built_in.name().to_owned(),
    };
    format!(
        "$(az role definition list --custom-role-only --query \"[?starts_with(roleName, '{prefix}')].roleName | [0]\" --output tsv)"
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
    use super::*;

    #[test]
    fn a_row_says_what_for_and_how_to_grant_it() {
        let scope = Scope { kind: PermissionScope::Hub, id: "/subscriptions/S/x/hub-a".to_owned() };
        let permission = PERMISSIONS.iter().find(|row| row.scope == PermissionScope::Hub).unwrap();
        let row = missing(permission, &scope, "contoso / hub-a".to_owned(), Some("PRINCIPAL"));
        assert_eq!(row.message, "missing for `observe`: Microsoft.Devices/IotHubs/certificates/read");
        let grant = row.grant.unwrap();
        assert!(grant.starts_with("az role assignment create --assignee-object-id PRINCIPAL "), "{grant}");
        assert!(grant.ends_with(" --scope \"/subscriptions/S/x/hub-a\"") && grant.contains("'Policysync ('"));
    }
}
