//! People and their enrollment groups.

use futures::future::{join, join_all};
use http::Method;
use serde_json::{Map, Value, json};
use tokio::time::sleep;

use super::Workload;
use super::deed::Told;

/// The version that knows credential policies, and the one that knows certificate policies.
const VERSIONS: [&str; 2] = ["2025-07-01-preview", "2026-11-01"];

impl Workload {
    /// Creates a group, and tells of it when that is due.
    pub(super) async fn create_group(&self, (service, group): (&str, &str), told: &[Told]) {
        let early = told.iter().filter_map(|told| match told {
            Told::Before(by) => Some(*by),
            Told::After(_) => None,
        });
        let early = early.max().unwrap_or_default();
        let creates = async {
            sleep(early).await;
            self.write_group(service, group, "south").await;
        };
        let tells = told.iter().map(|told| async move {
            sleep(match told {
                Told::Before(by) => early - *by,
                Told::After(by) => early + *by,
            })
            .await;
            self.tell_of(service, group).await;
        });
        join(creates, join_all(tells)).await;
    }

    /// Publishes the event that a group was created.
    async fn tell_of(&self, service: &str, group: &str) {
        let data = json!({"enrollmentGroupId": group, "provisioningService": service});
        let event = json!({
            "id": format!("{service}-{group}"), "source": "/pipeline", "specversion": "1.0",
            "type": "Policysync.EnrollmentGroup.Created", "subject": group, "data": data,
        });
        self.ask(Method::POST, "/simulator/events", None, &event).await;
        self.around.network.trace.line(format_args!("an event tells of {service}/{group}"));
    }

    /// Creates a group, or changes the tags of one, and leaves its policy as it is.
    pub(super) async fn write_group(&self, service: &str, group: &str, site: &str) {
        let (known, policy) = self.group(service, group);
        let fresh = || json!({"enrollmentGroupId": group, "attestation": {"type": "symmetricKey"}});
        let mut document = known.map_or_else(fresh, Value::Object);
        document["initialTwin"] = json!({"tags": {"site": site}, "properties": {"desired": {}}});
        self.put_group((service, group), document, policy.as_deref()).await;
    }

    /// Gives a group that exists another policy, as rules name it.
    pub(super) async fn move_group(&self, service: &str, group: &str, policy: &str) {
        if let (Some(known), _) = self.group(service, group) {
            self.put_group((service, group), Value::Object(known), Some(policy)).await;
        }
    }

    /// Deletes a group.
    pub(super) async fn delete_group(&self, service: &str, group: &str) {
        let path = format!("/dps/{service}/enrollmentGroups/{group}?api-version={}", VERSIONS[0]);
        let status = self.ask(Method::DELETE, &path, None, &Value::Null).await;
        self.around.network.trace.line(format_args!("{service}/{group} is deleted: {status:?}"));
    }

    /// A group as it is, without its policy, and that.
    fn group(&self, service: &str, group: &str) -> (Option<Map<String, Value>>, Option<String>) {
        let truth = self.around.network.azure.truth();
        let mut groups = truth.iter().flat_map(|namespace| &namespace.groups);
        match groups.find(|known| known.service == service && known.id == group) {
            Some(known) => (Some(known.rest.clone()), known.policy.clone()),
            None => (None, None),
        }
    }

    async fn put_group(&self, (service, group): (&str, &str), mut document: Value, policy: Option<&str>) {
        let named = policy.and_then(|policy| policy.split_once('/'));
        let namespace = self.around.world.namespaces.iter().find(|namespace| namespace.service == service);
        if let (Some((authority, policy)), Some(namespace)) = (named, namespace) {
            document["namespaceName"] = namespace.name.as_str().into();
            document["certificateAuthorityName"] = authority.into();
            document["certificatePolicyName"] = policy.into();
        } else if let Some(policy) = policy {
            document["credentialPolicyName"] = policy.into();
        }
        let version = VERSIONS[usize::from(named.is_some())];
        let path = format!("/dps/{service}/enrollmentGroups/{group}?api-version={version}");
        let status = self.ask(Method::PUT, &path, None, &document).await;
        self.around.network.trace.line(format_args!("{service}/{group} is written: {status:?}"));
    }
}
