//! Asks Azure who may do what with a resource. `Microsoft.Authorization/permissions` sums up every role of the caller on the
//! resource and above it, groups included; `roleAssignments` tells the roles of others (`ca-lifecycle-facts.md` §4.5).

use certificate_management::readiness::seen::Grant as RoleGrant;
use certificate_management::rules::matches;
use serde::Deserialize;
use serde_json::Value;

use crate::api_version::AUTHORIZATION;
use crate::arm::Arm;
use crate::error::Error;
use crate::members::text;

/// A client for permissions and role assignments. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Access {
    arm: Arm,
}

/// The permissions of a caller at a scope.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Granted(Vec<Grant>);

/// The actions of one role. A `not` takes away from its own role only: another role may grant the action.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Grant {
    actions: Vec<String>,
    not_actions: Vec<String>,
    data_actions: Vec<String>,
    not_data_actions: Vec<String>,
}

impl Access {
    /// A client over Resource Manager.
    #[must_use]
    pub fn new(arm: Arm) -> Self {
        Self { arm }
    }

    /// The caller's permissions at `scope`: the ARM id of a resource, or `/subscriptions/{id}`.
    ///
    /// # Errors
    /// Any [`ErrorKind`](crate::ErrorKind); `Forbidden` without `Microsoft.Authorization/permissions/read` there.
    pub async fn at(&self, scope: &str) -> Result<Granted, Error> {
        let path = format!("{}/providers/Microsoft.Authorization/permissions", scope.trim_end_matches('/'));
        self.arm.list(&path, AUTHORIZATION).await.map(Granted)
    }

    /// The roles that a principal has at `scope` and above it, also by groups. Deny assignments are not among them, nor
    /// whether a grant has reached every place yet.
    ///
    /// # Errors
    /// Any [`ErrorKind`](crate::ErrorKind); `Invalid` when `principal` is no object id; `Forbidden` without
    /// `Microsoft.Authorization/roleAssignments/read` there.
    pub async fn assigned(&self, scope: &str, principal: &str) -> Result<Vec<RoleGrant>, Error> {
        let is_id = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if principal.is_empty() || !is_id(principal) {
            return Err(Error::invalid("a list of role assignments", "the principal is not an object id"));
        }
        let path =
            format!("{}/providers/Microsoft.Authorization/roleAssignments", scope.trim_end_matches('/'));
        let filter = format!("atScope() and assignedTo('{principal}')");
        let listed: Vec<Value> = self.arm.list_where(&path, AUTHORIZATION, &filter).await?;
        let grant = |body: &Value| {
            let role = text(body, &["properties", "roleDefinitionId"])?;
            Some(RoleGrant {
                role: role.rsplit('/').next().unwrap_or(role).to_owned(),
                is_conditional: text(body, &["properties", "condition"]).is_some(),
            })
        };
        Ok(listed.iter().filter_map(grant).collect())
    }
}

impl Granted {
    /// Whether they include an action, or a data action.
    ///
    /// In the name of an action in a role `*` stands for any text, and case for nothing.
    #[must_use]
    pub fn allows(&self, action: &str, data: bool) -> bool {
        self.0.iter().any(|grant| {
            let (given, taken) = if data {
                (&grant.data_actions, &grant.not_data_actions)
            } else {
                (&grant.actions, &grant.not_actions)
            };
            let any = |names: &[String]| names.iter().any(|name| matches(name, action));
            any(given) && !any(taken)
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::error::ErrorKind;
    use crate::fake::{Fake, Reply};

    const HUB: &str = "/subscriptions/S/resourceGroups/R/providers/Microsoft.Devices/IotHubs/contoso-hub";

    #[tokio::test]
    async fn roles_are_summed_up_and_each_takes_away_from_itself_only() {
        let fake = Fake::start(|_, _| {
            Reply::json(
                200,
                json!({"value": [
                    {"actions": ["*/read"], "notActions": ["Microsoft.Devices/IotHubs/certificates/read"]},
                    {"actions": ["microsoft.devices/iothubs/Certificates/read"], "notActions": [], "dataActions": ["Microsoft.Devices/provisioningServices/*"]},
                ]}),
            )
        })
        .await;
        let granted = Access::new(fake.azure().arm()).at(HUB).await.unwrap();
        assert!(granted.allows("Microsoft.Devices/IotHubs/read", false));
        assert!(granted.allows("Microsoft.Devices/IotHubs/certificates/read", false));
        assert!(!granted.allows("Microsoft.Devices/IotHubs/write", false));
        let data = "Microsoft.Devices/provisioningServices/enrollmentGroups/write";
        assert!(granted.allows(data, true) && !granted.allows(data, false));
        let seen = &fake.seen()[0];
        assert_eq!(seen.path, format!("{HUB}/providers/Microsoft.Authorization/permissions"));
        assert_eq!(seen.query, "api-version=2022-04-01");
    }

    #[tokio::test]
    async fn who_may_not_even_ask_is_told_so() {
        let fake =
            Fake::start(|_, _| Reply::json(403, json!({"error": {"code": "AuthorizationFailed"}}))).await;
        let error = Access::new(fake.azure().arm()).at(HUB).await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Forbidden), "{error}");
    }

    #[tokio::test]
    async fn the_roles_of_another_are_asked_for_by_a_filter() {
        let fake = Fake::start(|_, _| {
            let role = |id: &str, condition: Option<&str>| {
                let definition =
                    format!("/subscriptions/S/providers/Microsoft.Authorization/roleDefinitions/{id}");
                json!({"properties": {"roleDefinitionId": definition, "condition": condition}})
            };
            Reply::json(200, json!({"value": [role("one", None), role("two", Some("@x")), {}]}))
        })
        .await;
        let access = Access::new(fake.azure().arm());
        let grants = access.assigned(HUB, "00000000-aa").await.unwrap();
        let grants: Vec<_> = grants.iter().map(|grant| (grant.role.as_str(), grant.is_conditional)).collect();
        assert_eq!(grants, [("one", false), ("two", true)]);
        let query = &fake.seen()[0].query;
        assert!(query.ends_with("&%24filter=atScope%28%29+and+assignedTo%28%2700000000-aa%27%29"), "{query}");
        for principal in ["", "x') or true or assignedTo('y"] {
            let error = access.assigned(HUB, principal).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid);
        }
        assert_eq!(fake.calls().len(), 1);
    }

    #[test]
    fn a_star_stands_for_anything() {
        for (name, action, expected) in [
            ("*", "a/b/read", true),
            ("a/*", "a/b/read", true),
            ("a/*/read", "a/b/read", true),
            ("a/*/read", "a/b/write", false),
            ("a/b/read", "A/B/Read", true),
            ("a/b", "a/b/read", false),
            ("*/c/*/read", "a/b/d/read", false),
        ] {
            assert_eq!(matches(name, action), expected, "{name} {action}");
        }
    }
}
