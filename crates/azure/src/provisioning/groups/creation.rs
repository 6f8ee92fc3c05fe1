//! Makes an enrollment group, and never replaces one.
//!
//! A PUT creates and replaces alike, and the service has no `If-None-Match` (`azure-wire-facts.md` §3). Its bulk
//! operation has a mode that fails for a group that exists, so this client makes a group with that. The bulk operation
//! answers 200 also when it fails; the error is in the body.

use certificate_management::generation::Generation;
use certificate_management::reference::Reference;
use reqwest::Method;
use serde::Deserialize;

use super::{EnrollmentGroups, Group};
use crate::error::{Error, ErrorKind, Sent, attempted};
use crate::http::Call;
use crate::provisioning::keys::texts_of_keys;
use crate::provisioning::raw_group::RawGroup;

/// Why a group was not made.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CreateError {
    /// There is a group of this id; it was not touched.
    #[error("enrollment group `{0}` exists already; it was not touched")]
    Exists(String),
    /// The group was made, but reads differently afterwards.
    #[error("enrollment group `{group}` was created, but names {} afterwards", .found.as_deref().unwrap_or("no policy"))]
    NotVerified {
        /// Id of the group.
        group: String,
        /// The policy that it names.
        found: Option<String>,
    },
    /// A call failed. [`Error::may_have_taken_effect`] tells whether the group may have been made.
    #[error(transparent)]
    Service(#[from] Error),
}

impl CreateError {
    /// Whether it is certain that nothing was written: the write was never sent, or the service refused it. That a group exists may be
    /// said of the one that was just made.
    #[must_use]
    pub fn wrote_nothing(&self) -> bool {
        match self {
            Self::Exists(_) | Self::NotVerified { .. } => false,
            Self::Service(error) => !error.may_have_taken_effect(),
        }
    }
}

/// The body of the bulk operation's answer.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answered {
    is_successful: bool,
    #[serde(default)]
    errors: Vec<BulkError>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BulkError {
    error_code: u32,
    #[serde(default)]
    error_status: Option<String>,
}

impl EnrollmentGroups {
    /// Makes a group from its JSON, in one write, and reads it back. It has to have an id.
    ///
    /// # Errors See [`CreateError`]. When the answer of the write is lost, the client reads the group before it reports
    /// a failure: a group that is there then with the same policy is the new one, provided that it was not there before
    /// the call.
    pub async fn create(&self, endpoint: &str, raw: &RawGroup) -> Result<Group, CreateError> {
        let Some(view) = raw.view() else {
            return Err(Error::invalid("creating an enrollment group", "it has no id").into());
        };
        let (spoken, _) = self.versions(endpoint);
        let generation = match view.policy.as_deref().map(Reference::parse) {
            Some(Reference::Certificate { .. }) => Generation::CertificateAuthorities,
            Some(Reference::Credential(_)) => Generation::Credentials,
            Some(Reference::Unclear) => {
                let problem = "it names a policy in part, or one of each generation";
                return Err(Error::invalid("creating an enrollment group", problem).into());
            }
            None => spoken,
        };
        let url = self.url(endpoint, &["enrollmentGroups"], generation)?;
        let keys = texts_of_keys(&raw.attestation_value());
        let body = format!(r#"{{"enrollmentGroups":[{}],"mode":"create"}}"#, raw.to_json());
        let doing = attempted(&Method::POST, &url);
        let doubt = match self.send(endpoint, Call::new(Method::POST, url).json(body)).await {
            Ok(answer) => match answer.json::<Answered>() {
                Ok(Answered { is_successful: true, .. }) => None,
                Ok(Answered { errors, .. }) => return Err(refusal(&view.id, &doing, errors, &keys)),
                Err(unreadable) => Some(unreadable),
            },
            Err(error) if error.may_have_taken_effect() => Some(error.without(&keys)),
            Err(error) => return Err(error.without(&keys).into()),
        };
        match (self.get(endpoint, &view.id).await, doubt) {
            (Ok(Some(found)), _) if found.view.policy == view.policy => Ok(found),
            (Ok(found), None) => Err(CreateError::NotVerified {
                group: view.id,
                found: found.and_then(|found| found.view.policy),
            }),
            (_, Some(error)) => Err(error.into()),
            (Err(error), None) => Err(error.with_sent(Sent::Maybe).into()),
        }
    }
}

/// An error code is the HTTP status times 1,000 plus a number of its own (`azure-wire-facts.md` §3).
fn refusal(id: &str, doing: &str, errors: Vec<BulkError>, keys: &[String]) -> CreateError {
    let Some(BulkError { error_code, error_status }) = errors.into_iter().next() else {
        return Error::unreadable(doing, "it says that it was not successful, and not why").into();
    };
    let kind = match error_code / 1_000 {
        409 => return CreateError::Exists(id.to_owned()),
        401 => ErrorKind::Unauthorized,
        403 => ErrorKind::Forbidden,
        404 => ErrorKind::NotFound,
        429 => ErrorKind::Throttled { retry_after: None },
        500.. => ErrorKind::Unavailable,
        _ => ErrorKind::Invalid,
    };
    let error = Error::new(kind, Sent::Yes, doing, error_status.unwrap_or_default());
    error.with_code(Some(error_code.to_string())).without(keys).into()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use certificate_management::generation::NamespaceGeneration;

    use super::*;
    use crate::fake::{Fake, Reply};

    const GROUP: &str = r#"{"enrollmentGroupId":"line-7","credentialPolicyName":"short","later":{"n":1.00}}"#;

    async fn create(fake: &Fake) -> Result<Group, CreateError> {
        let raw = RawGroup::parse(GROUP).unwrap();
        fake.azure().enrollment_groups(NamespaceGeneration::Credentials).create(&fake.origin, &raw).await
    }

    fn bulk(errors: Value) -> Reply {
        Reply::json(200, json!({"isSuccessful": errors == json!([]), "errors": errors}))
    }

    #[tokio::test]
    async fn a_group_is_made_by_one_write_that_cannot_replace_and_is_read_back() {
        let fake = Fake::start(|seen, _| match seen.method.as_str() {
            "POST" => bulk(json!([])),
            _ => Reply::text(200, GROUP),
        })
        .await;
        assert_eq!(create(&fake).await.unwrap().view.policy.as_deref(), Some("short"));
        assert_eq!(fake.calls(), ["POST /enrollmentGroups", "GET /enrollmentGroups/line-7"]);
        let expected = format!(r#"{{"enrollmentGroups":[{GROUP}],"mode":"create"}}"#);
        assert_eq!(fake.seen()[0].body, expected);
    }

    #[tokio::test]
    async fn the_error_in_a_successful_answer_is_an_error() {
        for (code, kind) in [(400_004, ErrorKind::Invalid), (403_000, ErrorKind::Forbidden)] {
            let fake =
                Fake::start(move |_, _| bulk(json!([{"errorCode": code, "errorStatus": "No."}]))).await;
            match create(&fake).await {
                Err(CreateError::Service(error)) => {
                    assert_eq!(error.kind(), kind);
                    assert!(error.to_string().contains(&code.to_string()), "{error}");
                }
                other => panic!("{other:?}"),
            }
        }
        let fake = Fake::start(|_, _| bulk(json!([{"errorCode": 409_201}]))).await;
        assert!(matches!(create(&fake).await, Err(CreateError::Exists(id)) if id == "line-7"));
    }

    #[tokio::test]
    async fn a_group_whose_answer_was_lost_is_looked_up() {
        for (policy, succeeds) in [("short", true), ("long", false)] {
            let fake = Fake::start(move |seen, _| match seen.method.as_str() {
                "POST" => Reply::status(500),
                _ => Reply::text(200, GROUP.replace("short", policy)),
            })
            .await;
            assert_eq!(create(&fake).await.is_ok(), succeeds);
            assert_eq!(fake.calls().iter().filter(|call| call.starts_with("POST")).count(), 1);
        }
    }
}
