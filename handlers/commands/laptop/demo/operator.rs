//! The operator of the story. Everything goes over HTTP, as with the real services; the story changes nothing behind
//! the services' back.

use std::time::{Duration, Instant};

use certificate_management::ArmId;
use certificate_management::report::Report;
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};

/// API version of the DPS service API whose groups name credential policies (`azure-wire-facts.md` §3).
pub const CREDENTIALS: &str = "2025-07-01-preview";
/// API version of the DPS service API whose groups name certificate policies.
pub const CERTIFICATE_AUTHORITIES: &str = "2026-11-01";
/// API version of Resource Manager for certificate authorities (`azure-wire-facts.md` §0).
const AUTHORITIES_API_VERSION: &str = "2026-11-02-preview";
/// How long any call may take.
const DEADLINE: Duration = Duration::from_secs(15);

/// A person with the tools to reach the simulated Azure and the function app.
pub struct Operator {
    client: Client,
    azure: String,
    app: String,
    dps_api_version: &'static str,
}

impl Operator {
    /// An operator for a simulated Azure and a function app, by their base URLs.
    /// `dps_api_version` is what this person's tools speak to DPS.
    pub fn new(azure: &str, app: &str, dps_api_version: &'static str) -> Result<Self, String> {
        let client = Client::builder().timeout(DEADLINE).build().map_err(|error| error.to_string())?;
        Ok(Self { client, azure: azure.to_owned(), app: app.to_owned(), dps_api_version })
    }

    async fn call(
        &self,
        method: Method,
        url: &str,
        token: Option<&str>,
        body: Option<&Value>,
    ) -> Result<(StatusCode, Value), String> {
        let mut request = self.client.request(method.clone(), url).header("Accept", "application/json");
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let failed = |error: reqwest::Error| format!("{method} {url}: {error}");
        let answer = request.send().await.map_err(failed)?;
        let status = answer.status();
        let text = answer.text().await.map_err(failed)?;
        let value = if text.is_empty() {
            Value::Null
        } else {
            serde_json::from_str(&text).unwrap_or(Value::String(text))
        };
        Ok((status, value))
    }

    async fn expect(
        &self,
        method: Method,
        url: &str,
        token: Option<&str>,
        body: Option<&Value>,
    ) -> Result<Value, String> {
        let (status, value) = self.call(method.clone(), url, token, body).await?;
        if status.is_success() {
            Ok(value)
        } else {
            Err(format!("{method} {url} answered {status}: {value}"))
        }
    }

    async fn token(&self, resource: &str) -> Result<String, String> {
        let url = format!("{}/identity?api-version=2019-08-01&resource={resource}", self.azure);
        let answer = self.client.get(&url).header("x-identity-header", "x").send().await;
        let answer: Value =
            answer.map_err(|error| error.to_string())?.json().await.map_err(|error| error.to_string())?;
        answer["access_token"]
            .as_str()
            .map(str::to_owned)
            .ok_or_else(|| format!("no token for {resource}: {answer}"))
    }

    async fn group(
        &self,
        service: &str,
        id: &str,
        method: Method,
        rest: &str,
        body: Option<&Value>,
    ) -> Result<(StatusCode, Value), String> {
        self.group_by(self.dps_api_version, service, id, method, rest, body).await
    }

    async fn group_by(
        &self,
        version: &str,
        service: &str,
        id: &str,
        method: Method,
        rest: &str,
        body: Option<&Value>,
    ) -> Result<(StatusCode, Value), String> {
        let token = self.token("https://azure-devices-provisioning.net").await?;
        let url = format!("{}/dps/{service}/enrollmentGroups/{id}{rest}?api-version={version}", self.azure);
        self.call(method, &url, Some(&token), body).await
    }

    /// The policy that a group names: `policy`, or `authority/policy`. Each version shows its own kind only.
    pub async fn policy_of(&self, service: &str, id: &str) -> Result<Option<String>, String> {
        let newer = self.group_by(CERTIFICATE_AUTHORITIES, service, id, Method::GET, "", None).await?.1;
        let names = ["namespaceName", "certificateAuthorityName", "certificatePolicyName"];
        let [namespace, authority, policy] = names.map(|name| newer[name].as_str());
        match (namespace, authority, policy) {
            (Some(_), Some(authority), Some(policy)) => return Ok(Some(format!("{authority}/{policy}"))),
            (None, None, None) => {}
            part => return Err(format!("group {id} names a policy in part: {part:?}")),
        }
        let older = self.group_by(CREDENTIALS, service, id, Method::GET, "", None).await?.1;
        Ok(older["credentialPolicyName"].as_str().map(str::to_owned))
    }

    /// Makes an issuing certificate authority below a root, and its certificate policy (`azure-wire-facts.md` §2.4).
    pub async fn make_authority(
        &self,
        namespace_id: &ArmId,
        root: &str,
        name: &str,
        policy: &str,
    ) -> Result<(), String> {
        let authorities = |name: &str| namespace_id.child("certificateAuthorities", name);
        let issuer =
            json!({"issuerType": "Microsoft", "certificateAuthorityResourceId": authorities(root).as_str()});
        let authority = json!({"location": "westeurope", "properties": {
            "certificateAuthorityType": "ICA", "keyType": "ECC", "issuer": issuer}});
        self.make(&authorities(name), &authority).await?;
        let below = authorities(name).child("certificatePolicies", policy);
        self.make(&below, &json!({"properties": {"certificate": {"validityPeriodInDays": 7}}})).await
    }

    /// Writes a resource and waits until it is made.
    async fn make(&self, id: &ArmId, body: &Value) -> Result<(), String> {
        let token = self.token("https://management.azure.com").await?;
        let url = format!("{}{id}?api-version={AUTHORITIES_API_VERSION}", self.azure);
        self.expect(Method::PUT, &url, Some(&token), Some(body)).await?;
        let since = Instant::now();
        loop {
            let made = self.expect(Method::GET, &url, Some(&token), None).await?;
            match made["properties"]["provisioningState"].as_str() {
                Some("Succeeded") => return Ok(()),
                Some("Failed" | "Canceled") => return Err(format!("{id} was not made: {made}")),
                _ if since.elapsed() > DEADLINE => return Err(format!("{id} is not made yet: {made}")),
                _ => tokio::time::sleep(Duration::from_millis(200)).await,
            }
        }
    }

    /// Lets the simulated clock run.
    pub async fn advance(&self, seconds: u32) -> Result<(), String> {
        let url = format!("{}/simulator/clock", self.azure);
        self.expect(Method::POST, &url, None, Some(&json!({"advanceSeconds": seconds}))).await.map(drop)
    }

    /// Whether an enrollment group exists.
    pub async fn group_exists(&self, service: &str, id: &str) -> Result<bool, String> {
        Ok(self.group(service, id, Method::GET, "", None).await?.0 != StatusCode::NOT_FOUND)
    }

    /// Creates an enrollment group for devices with symmetric keys, without a policy.
    pub async fn create_group(&self, service: &str, id: &str) -> Result<(), String> {
        let body = json!({
            "enrollmentGroupId": id,
            "attestation": {"type": "symmetricKey", "symmetricKey": {}},
            "capabilities": {"iotEdge": false},
            "provisioningStatus": "enabled",
            "initialTwin": {"tags": {"madeBy": "policysync demo"}, "properties": {"desired": {"interval": 1.50}}},
        });
        match self.group(service, id, Method::PUT, "", Some(&body)).await? {
            (status, _) if status.is_success() => Ok(()),
            (status, answer) => Err(format!("the group {id} could not be created: {status}: {answer}")),
        }
    }

    /// The group as DPS shows it.
    pub async fn read_group(&self, service: &str, id: &str) -> Result<Value, String> {
        Ok(self.group(service, id, Method::GET, "", None).await?.1)
    }

    /// The group's primary key, which devices of the group derive theirs from.
    pub async fn group_key(&self, service: &str, id: &str) -> Result<String, String> {
        let (_, answer) = self.group(service, id, Method::POST, "/attestationmechanism", None).await?;
        let key = answer["symmetricKey"]["primaryKey"].as_str();
        key.map(str::to_owned).ok_or_else(|| format!("the group {id} shows no key"))
    }

    /// What exists in the simulated Azure.
    pub async fn state(&self) -> Result<Value, String> {
        self.expect(Method::GET, &format!("{}/simulator/state", self.azure), None, None).await
    }

    async fn log(&self) -> Result<Value, String> {
        self.expect(Method::GET, &format!("{}/simulator/log", self.azure), None, None).await
    }

    /// How many syncs were asked for so far, granted or not.
    pub async fn synchronize_calls(&self) -> Result<usize, String> {
        let log = self.log().await?;
        let is_sync =
            |entry: &&Value| entry["path"].as_str().is_some_and(|path| path.ends_with("/synchronize"));
        Ok(log.as_array().map_or(0, |entries| entries.iter().filter(is_sync).count()))
    }

    /// How many requests that change something reached ARM and DPS so far.
    pub async fn writes(&self) -> Result<usize, String> {
        let log = self.log().await?;
        let is_write = |entry: &&Value| {
            let (method, path) =
                (entry["method"].as_str().unwrap_or_default(), entry["path"].as_str().unwrap_or_default());
            let reads =
                method == "GET" || path.ends_with("/query") || path.ends_with("/attestationmechanism");
            !reads && (path.starts_with("/subscriptions/") || path.starts_with("/dps/"))
        };
        Ok(log.as_array().map_or(0, |entries| entries.iter().filter(is_write).count()))
    }

    /// Lets the service renew a policy's issuing CA.
    pub async fn rotate(&self, policy_id: &str) -> Result<(), String> {
        let url = format!("{}/simulator/rotate", self.azure);
        self.expect(Method::POST, &url, None, Some(&json!({"policyId": policy_id}))).await.map(drop)
    }

    /// Submits a sync request for a namespace; answers its id.
    pub async fn submit(&self, namespace_id: &str, reason: &str) -> Result<String, String> {
        let url = format!("{}/api/sync-requests", self.app);
        let body = json!({"namespaceId": namespace_id, "requestedBy": "policysync demo", "reason": reason});
        let answer = self.expect(Method::POST, &url, None, Some(&body)).await?;
        answer["requestId"].as_str().map(str::to_owned).ok_or_else(|| format!("no request id in {answer}"))
    }

    /// The outcome of a request so far.
    pub async fn progress(&self, request_id: &str) -> Result<Value, String> {
        self.expect(Method::GET, &format!("{}/api/sync-requests/{request_id}", self.app), None, None).await
    }

    /// The newest status report.
    pub async fn report(&self) -> Result<Report, String> {
        let answer = self.expect(Method::GET, &format!("{}/api/policy-status", self.app), None, None).await?;
        serde_json::from_value(answer).map_err(|error| format!("the report cannot be read: {error}"))
    }
}
