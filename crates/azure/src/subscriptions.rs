//! The subscriptions that the caller can see (`azure-wire-facts.md` §1.7).

use serde_json::Value;

use crate::api_version::SUBSCRIPTIONS;
use crate::arm::Arm;
use crate::error::Error;
use crate::members::{owned, text};

/// A client of subscriptions. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Subscriptions {
    arm: Arm,
}

impl Subscriptions {
    /// A client over Resource Manager.
    #[must_use]
    pub fn new(arm: Arm) -> Self {
        Self { arm }
    }

    /// Lists the ids of the subscriptions of the caller's tenant in which it can read something. One that is deleted is left
    /// out.
    ///
    /// # Errors
    /// Any [`crate::error::ErrorKind`].
    pub async fn visible(&self) -> Result<Vec<String>, Error> {
        let read = |body: Value| {
            let is_deleted =
                text(&body, &["state"]).is_some_and(|state| state.eq_ignore_ascii_case("Deleted"));
            owned(&body, &["subscriptionId"]).filter(|_| !is_deleted)
        };
        self.arm.list_of("/subscriptions", SUBSCRIPTIONS, read).await
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::fake::{Fake, Reply};

    #[tokio::test]
    async fn every_subscription_of_every_page_is_listed_but_for_deleted_ones() {
        let fake = Fake::start(|seen, origin| match seen.number {
            0 => Reply::json(
                200,
                json!({"value": [{"subscriptionId": "a", "state": "Enabled"}, {"subscriptionId": "b", "state": "deleted"}, {"id": "odd"}],
                       "nextLink": format!("{origin}/subscriptions?api-version=2022-12-01&%24skiptoken=x")}),
            ),
            _ => Reply::json(200, json!({"value": [{"subscriptionId": "c", "state": "Warned"}]})),
        })
        .await;
        assert_eq!(fake.azure().subscriptions().visible().await.unwrap(), ["a", "c"]);
        assert_eq!(fake.calls(), ["GET /subscriptions", "GET /subscriptions"]);
        assert_eq!(fake.seen()[0].query, "api-version=2022-12-01");
    }
}
