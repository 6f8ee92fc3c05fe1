//! Registering with DPS: a signing request out, a certificate chain back.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use time::OffsetDateTime;
use tokio::time::{Instant, sleep};

use super::Device;
use crate::device_token;

const API_VERSION: &str = "2025-07-01-preview";

/// Of one HTTP call.
const CALL_DEADLINE: Duration = Duration::from_secs(10);

/// Of the whole registration.
const DEADLINE: Duration = Duration::from_secs(60);

/// The least time between two looks at the operation, whatever `Retry-After` says.
const LEAST_PAUSE: Duration = Duration::from_millis(20);

/// The largest answer that is read: a chain of three certificates is far smaller.
const LARGEST_ANSWER: usize = 256 * 1024;

/// What DPS decided about a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// Host name of the hub.
    pub assigned_hub: String,
    /// Device id on that hub.
    pub device_id: String,
    /// The enrollment group that the device belongs to.
    pub enrollment_group: String,
    /// The device's certificate, then those above it, DER; empty when the group has no policy.
    pub chain: Vec<Vec<u8>>,
}

/// Why a device did not get registered.
#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    /// Its key or signing request could not be made.
    #[error("the device's key or signing request could not be made: {0}")]
    Certificate(#[source] rcgen::Error),
    /// The group's key is not base64.
    #[error("the symmetric key of the enrollment group is not base64")]
    GroupKey,
    /// DPS could not be reached.
    #[error("the provisioning service could not be reached")]
    Unreachable(#[source] reqwest::Error),
    /// DPS refused.
    #[error("the provisioning service answered {status}, error {code}: {message}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// `errorCode`; 0 when there is none.
        code: u64,
        /// `message`.
        message: String,
    },
    /// The registration ended without an assignment.
    #[error("the device was not assigned to a hub: {0}")]
    NotAssigned(String),
    /// DPS answered something that is not in its documentation.
    #[error("the answer of the provisioning service cannot be understood: {0}")]
    Answer(String),
    /// It took too long.
    #[error("the registration was not over after {} s", DEADLINE.as_secs())]
    Deadline,
}

impl Device {
    /// Registers at `base_url` (e.g. `http://127.0.0.1:7000`) as a device of the group with this key (base64).
    ///
    /// # Errors
    /// When DPS refuses the device, cannot be reached, or is not done after 60 s.
    pub async fn register(
        &self,
        base_url: &str,
        id_scope: &str,
        group_symmetric_key_base64: &str,
    ) -> Result<Registration, DeviceError> {
        let deadline = Instant::now() + DEADLINE;
        let client = reqwest::Client::builder()
            .timeout(CALL_DEADLINE)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(DeviceError::Unreachable)?;
        let expiry = OffsetDateTime::now_utc().unix_timestamp() + 3_600;
        let authorization =
            device_token::authorization(group_symmetric_key_base64, id_scope, &self.registration_id, expiry)
                .ok_or(DeviceError::GroupKey)?;
        let escaped = utf8_percent_encode(&self.registration_id, NON_ALPHANUMERIC);
        let root = format!("{}/{id_scope}/registrations/{escaped}", base_url.trim_end_matches('/'));
        let call = |method: Method, path: &str| {
            let url = format!("{root}/{path}?api-version={API_VERSION}");
            client.request(method, url).header("authorization", &authorization)
        };
        let body = json!({
            "registrationId": self.registration_id,
            "csr": STANDARD.encode(self.signing_request()?),
            "payload": {},
        });
        let mut answer = send(call(Method::PUT, "register").json(&body)).await?;
        while answer.body["status"] == "assigning" {
            let pause = answer.retry_after.max(LEAST_PAUSE);
            if Instant::now() + pause > deadline {
                return Err(DeviceError::Deadline);
            }
            sleep(pause).await;
            let operation = text(&answer.body, "/operationId")?;
            let escaped = utf8_percent_encode(&operation, NON_ALPHANUMERIC);
            answer = send(call(Method::GET, &format!("operations/{escaped}"))).await?;
        }
        read(&answer.body)
    }
}

struct Answer {
    body: Value,
    retry_after: Duration,
}

async fn send(request: RequestBuilder) -> Result<Answer, DeviceError> {
    let mut response = request.send().await.map_err(DeviceError::Unreachable)?;
    let status = response.status();
    let seconds = response.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(DeviceError::Unreachable)? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > LARGEST_ANSWER {
            return Err(DeviceError::Answer("it is too large".to_owned()));
        }
    }
    let body: Value = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    if status != StatusCode::OK && status != StatusCode::ACCEPTED {
        return Err(DeviceError::Refused {
            status: status.as_u16(),
            code: body["errorCode"].as_u64().unwrap_or_default(),
            message: body["message"].as_str().unwrap_or_default().to_owned(),
        });
    }
    Ok(Answer { body, retry_after: Duration::from_secs(seconds.unwrap_or(0)) })
}

fn read(body: &Value) -> Result<Registration, DeviceError> {
    if body["status"] != "assigned" {
        let problem = body.pointer("/registrationState/errorMessage").or(body.get("status"));
        return Err(DeviceError::NotAssigned(
            problem.and_then(Value::as_str).unwrap_or("no reason").to_owned(),
        ));
    }
    let chain = body.pointer("/registrationState/issuedCertificateChain").and_then(Value::as_array);
    let certificate = |text: &Value| {
        let der = text.as_str().and_then(|text| STANDARD.decode(text).ok());
        der.ok_or_else(|| DeviceError::Answer("a certificate is not base64".to_owned()))
    };
    Ok(Registration {
        assigned_hub: text(body, "/registrationState/assignedHub")?,
        device_id: text(body, "/registrationState/deviceId")?,
        enrollment_group: text(body, "/registrationState/symmetricKey/enrollmentGroupId")?,
        chain: chain.into_iter().flatten().map(certificate).collect::<Result<_, _>>()?,
    })
}

fn text(body: &Value, pointer: &str) -> Result<String, DeviceError> {
    let found = body.pointer(pointer).and_then(Value::as_str);
    found.map(str::to_owned).ok_or_else(|| DeviceError::Answer(format!("{pointer} is missing")))
}
