use std::process::Command;

use serde_json::json;
use time::OffsetDateTime;

use super::*;
use crate::error::ErrorKind;
use crate::fake::{Fake, Reply, http};

/// Tells the test that it is the child, which has the variables of a managed identity.
const CHILD: &str = "POLICYSYNC_TEST_IDENTITY_CHILD";
const SCOPE: &str = "https://management.azure.com/.default";

fn chosen(variables: &[(&str, &str)]) -> Result<Identity, Error> {
    choose(&|name| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
}

#[test]
fn the_environment_chooses_the_identity() {
    let managed = [("IDENTITY_ENDPOINT", "http://127.0.0.1:1/identity"), ("IDENTITY_HEADER", "x")];
    assert_eq!(chosen(&managed).unwrap(), Identity::Managed { client_id: None });
    let assigned = [managed[0], managed[1], ("AZURE_CLIENT_ID", "c"), ("AZURE_FEDERATED_TOKEN_FILE", "f")];
    assert_eq!(chosen(&assigned).unwrap(), Identity::Managed { client_id: Some("c".to_owned()) });
    let workload = [("AZURE_FEDERATED_TOKEN_FILE", "f"), ("AZURE_CLIENT_ID", "c"), ("AZURE_TENANT_ID", "t")];
    assert_eq!(
        chosen(&workload).unwrap(),
        Identity::Workload { tenant_id: "t".to_owned(), client_id: "c".to_owned(), token_file: "f".into() }
    );
    assert_eq!(
        chosen(&[("AZURE_CLIENT_ID", "c"), ("IDENTITY_ENDPOINT", " ")]).unwrap(),
        Identity::DeveloperTools
    );
}

#[test]
fn a_variable_that_is_missing_beside_the_chosen_one_is_named() {
    for (variables, named) in [
        (vec![("IDENTITY_ENDPOINT", "http://127.0.0.1:1")], "IDENTITY_HEADER"),
        (vec![("AZURE_FEDERATED_TOKEN_FILE", "f"), ("AZURE_CLIENT_ID", "c")], "AZURE_TENANT_ID"),
        (vec![("AZURE_FEDERATED_TOKEN_FILE", "f"), ("AZURE_TENANT_ID", "t")], "AZURE_CLIENT_ID"),
    ] {
        let error = chosen(&variables).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.to_string().contains(named), "{error}");
    }
}

#[tokio::test]
async fn a_workload_identity_without_its_file_fails_when_a_token_is_asked_for_and_not_before() {
    let variables = |name: &str| match name {
        "AZURE_FEDERATED_TOKEN_FILE" => Some("/does/not/exist".to_owned()),
        "AZURE_TENANT_ID" | "AZURE_CLIENT_ID" => Some("00000000-0000-0000-0000-000000000001".to_owned()),
        _ => None,
    };
    let credential = from_environment(http(), &variables).unwrap();
    let error = credential.token(SCOPE).await.unwrap_err();
    assert_eq!((error.kind(), error.sent()), (ErrorKind::Unauthorized, Sent::No));
    assert!(error.to_string().contains("the workload identity"), "{error}");
}

/// Runs the calling test again in a process that has the variables, since this process may not change its own.
fn in_child(test: &str, endpoint: &str, client_id: Option<&str>) {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", test, "--nocapture"]).env(CHILD, "1");
    child.env("IDENTITY_ENDPOINT", endpoint).env("IDENTITY_HEADER", "x").env_remove("AZURE_CLIENT_ID");
    child.env_remove("IMDS_ENDPOINT").env_remove("IDENTITY_SERVER_THUMBPRINT");
    if let Some(client_id) = client_id {
        child.env("AZURE_CLIENT_ID", client_id);
    }
    let output = child.output().unwrap();
    let text =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

fn is_child() -> bool {
    std::env::var_os(CHILD).is_some()
}

fn credential_of_this_process() -> Credential {
    from_environment(http(), &|name| std::env::var(name).ok()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_managed_identity_gives_tokens_over_our_client_and_repeats_what_is_transient() {
    if is_child() {
        let credential = credential_of_this_process();
        for _ in 0..2 {
            let token = credential.token(SCOPE).await.unwrap();
            assert_eq!(token.secret(), "fake-token");
            assert!(token.expires_on() > OffsetDateTime::now_utc());
        }
        return;
    }
    for client_id in [None, Some("user-assigned")] {
        let fake = Fake::start(|seen, _| match seen.number {
            0 => Reply::status(503),
            _ => {
                let expires_on = OffsetDateTime::now_utc().unix_timestamp() + 3_600;
                Reply::json(
                    200,
                    json!({"access_token": "fake-token", "expires_on": expires_on.to_string(),
                    "resource": "https://management.azure.com", "token_type": "Bearer"}),
                )
            }
        })
        .await;
        let endpoint = format!("{}/identity", fake.origin);
        let test = "credential::tests::a_managed_identity_gives_tokens_over_our_client_and_repeats_what_is_transient";
        tokio::task::spawn_blocking(move || in_child(test, &endpoint, client_id)).await.unwrap();
        let seen = fake.seen();
        assert_eq!(seen.len(), 2, "one token serves both calls");
        assert_eq!(seen[1].path, "/identity");
        assert_eq!(seen[1].header("x-identity-header"), Some("x"));
        assert!(seen[1].query.contains("resource=https%3A%2F%2Fmanagement.azure.com"), "{}", seen[1].query);
        assert_eq!(seen[1].query.contains("client_id=user-assigned"), client_id.is_some());
        assert!(seen[1].header("user-agent").is_some());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_managed_identity_that_fails_says_why_and_whether_to_try_again() {
    if is_child() {
        let credential = credential_of_this_process();
        let mut kinds = Vec::new();
        for scope in ["https://a/.default", "https://b/.default", "https://c/.default"] {
            let error = credential.token(scope).await.unwrap_err();
            assert!(!error.to_string().contains("half-a-token"), "{error}");
            assert!(error.to_string().contains("the managed identity"), "{error}");
            kinds.push(error.kind());
        }
        assert_eq!(kinds, [ErrorKind::Unauthorized, ErrorKind::Unavailable, ErrorKind::Unreadable]);
        return;
    }
    let fake = Fake::start(|seen, _| match seen.query.split("resource=").nth(1) {
        Some(resource) if resource.starts_with("https%3A%2F%2Fa") => Reply::status(400),
        Some(resource) if resource.starts_with("https%3A%2F%2Fb") => Reply::status(500),
        _ => Reply::text(200, r#"{"access_token":["half-a-token"]}"#),
    })
    .await;
    let endpoint = format!("{}/identity", fake.origin);
    let test = "credential::tests::a_managed_identity_that_fails_says_why_and_whether_to_try_again";
    tokio::task::spawn_blocking(move || in_child(test, &endpoint, None)).await.unwrap();
}
