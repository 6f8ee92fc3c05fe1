//! Trouble with an operation that runs, for a simulation that decides about it when the operation begins.

use time::Duration;

use super::cloud::Cloud;
use super::world::ActionError;
use super::world::operation::{Outcome, Verdict};

/// What becomes of a long-running operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// It ends without its effect, and its status is `Failed`.
    Fails,
    /// It ends without its effect, and its status is `Canceled`.
    Canceled,
    /// It runs so much longer.
    Lasts(Duration),
    /// It goes on, and its status is 404 from now on, as if it had been over for long (`azure-wire-facts.md` §10a).
    Forgotten,
}

impl Cloud {
    /// Makes trouble for the operation that runs on a resource, an ARM id in any case. Answers whether there is one.
    pub(crate) fn trouble(&self, resource_id: &str, trouble: Trouble) -> bool {
        let mut world = self.lock();
        let running = world.operations.iter_mut().find(|operation| {
            operation.outcome == Outcome::Running && operation.resource_id.eq_ignore_ascii_case(resource_id)
        });
        let Some(operation) = running else { return false };
        let failure = match trouble {
            Trouble::Lasts(longer) => {
                operation.finishes += longer;
                return true;
            }
            Trouble::Forgotten => {
                operation.is_forgotten = true;
                return true;
            }
            Trouble::Canceled => None,
            Trouble::Fails => Some(ActionError::Wanted {
                code: "InternalServerError".to_owned(),
                message: "The operation failed.".to_owned(),
            }),
        };
        world.verdicts.push(Verdict { resource_id: resource_id.to_owned(), failure });
        true
    }
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use http::{Method, Request, header};
    use serde_json::Value;

    use super::*;
    use crate::{InProcess, Options};

    async fn ask(azure: &InProcess, method: Method, path: &str) -> (u16, String, Value) {
        let request =
            Request::builder().method(method).uri(path).header(header::AUTHORIZATION, "Bearer a-caller");
        let answer = azure.answer(request.body(Body::empty()).unwrap()).await.unwrap();
        let location = answer.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
        let (status, location) = (answer.status().as_u16(), location.unwrap_or_default().to_owned());
        let body = to_bytes(answer.into_body(), 100_000).await.unwrap();
        (status, location, serde_json::from_slice(&body).unwrap_or_default())
    }

    /// What the status of a sync is a minute after its start, and whether the hubs have everything then.
    async fn a_minute_after(trouble: Trouble) -> (u16, Value, bool) {
        let azure = InProcess::new(Options::default(), "http://azure.test").unwrap();
        let namespace = azure.truth()[0].clone();
        azure.rotate(&namespace.policies[0].id).unwrap();
        let credential = format!("{}/credentials/default", namespace.id);
        assert!(!azure.trouble(&credential, trouble), "nothing runs yet");
        let path = format!("{credential}/synchronize?api-version=2025-11-01-preview");
        let (status, location, _) = ask(&azure, Method::POST, &path).await;
        assert_eq!(status, 202);
        assert!(azure.trouble(&credential.to_uppercase(), trouble));
        assert!(azure.truth()[0].is_syncing);
        azure.advance(Duration::minutes(1));
        let goes_on = matches!(trouble, Trouble::Lasts(longer) if longer > Duration::minutes(1));
        assert_eq!(azure.truth()[0].is_syncing, goes_on, "{trouble:?}");
        let (status, _, body) =
            ask(&azure, Method::GET, location.trim_start_matches("http://azure.test")).await;
        (status, body["status"].clone(), azure.truth()[0].policies[0].lacking.is_empty())
    }

    #[tokio::test]
    async fn an_operation_fails_is_canceled_lasts_or_is_forgotten() {
        assert_eq!(a_minute_after(Trouble::Fails).await, (200, "Failed".into(), false));
        assert_eq!(a_minute_after(Trouble::Canceled).await, (200, "Canceled".into(), false));
        assert_eq!(a_minute_after(Trouble::Lasts(Duration::minutes(2))).await, (202, Value::Null, false));
        assert_eq!(
            a_minute_after(Trouble::Lasts(Duration::seconds(2))).await,
            (200, "Succeeded".into(), true)
        );
        let (status, _, has_effect) = a_minute_after(Trouble::Forgotten).await;
        assert_eq!((status, has_effect), (404, true));
    }
}
