//! Application Insights: its connection string, how it wants to be authorized, and the exporter for it.
//!
//! The crate `opentelemetry-application-insights` knows the envelope of the ingestion service. This file adds what that
//! crate leaves to its user: the way there, a token of Entra where the component takes no key (our templates make it
//! so), and the newer path `/v2.1/track`, which Microsoft's own exporters use for both kinds of authorization. Sources:
//! Microsoft Learn, "Connection strings in Application Insights" and "Microsoft Entra authentication for Application
//! Insights"; the audience and path are those of Azure Monitor's OpenTelemetry exporter for Java.

use std::fmt;
use std::sync::Arc;

use ambient::Ambient;
use endpoints::{ConnectionString, is_this_machine};
use opentelemetry_application_insights::Exporter;
use tokio::runtime::Handle;
use url::Url;

use super::monitor_token::MonitorToken;
use super::transport::Transport;

/// The endpoint of components from before connection strings named the region's endpoint.
const GLOBAL_ENDPOINT: &str = "https://dc.services.visualstudio.com";
/// The audience of the token, unless the connection string names another cloud's.
const PUBLIC_AUDIENCE: &str = "https://monitor.azure.com/";

/// What is wrong with a text that cannot be taken apart.
const FORM: &str = "is not of the form Name=value;Name=value, with each name once";

/// A component, with the authorization that it takes.
#[derive(Clone)]
pub struct Ingestion {
    key: String,
    endpoint: Url,
    authorization: Authorization,
}

/// How the app authorizes its telemetry.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Authorization {
    /// By the key within each envelope.
    Key,
    /// By a token of the app's identity, beside the key, which then only names the component.
    Identity { client_id: Option<String>, scope: String },
}

/// What is wrong with the settings, without their values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsProblem {
    /// The connection string.
    #[error("APPLICATIONINSIGHTS_CONNECTION_STRING {0}; nothing is sent to Application Insights")]
    Connection(&'static str),
    /// The authentication string.
    #[error("APPLICATIONINSIGHTS_AUTHENTICATION_STRING {0}; nothing is sent to Application Insights")]
    Authentication(&'static str),
}

impl Ingestion {
    /// Reads `APPLICATIONINSIGHTS_CONNECTION_STRING` and `APPLICATIONINSIGHTS_AUTHENTICATION_STRING`.
    ///
    /// # Errors
    /// Says which of the two is wrong, and why.
    pub fn parse(connection: &str, authentication: Option<&str>) -> Result<Self, SettingsProblem> {
        let wrong = SettingsProblem::Connection;
        let parts = ConnectionString::parse(connection).map_err(|_| wrong(FORM))?;
        let part = |name: &str| parts.get(name);
        let key = part("InstrumentationKey").ok_or(wrong("has no InstrumentationKey"))?.to_owned();
        let endpoint = match (part("IngestionEndpoint"), part("EndpointSuffix")) {
            (Some(endpoint), _) => endpoint.to_owned(),
            (None, Some(suffix)) => {
                let location = part("Location").map(|location| format!("{location}.")).unwrap_or_default();
                format!("https://{location}dc.{suffix}")
            }
            (None, None) => GLOBAL_ENDPOINT.to_owned(),
        };
        let endpoint = Url::parse(endpoint.trim_end_matches('/'))
            .ok()
            .filter(|url| url.scheme() == "https" || (url.scheme() == "http" && is_this_machine(url)))
            .ok_or(wrong("has an IngestionEndpoint that is not an https URL"))?;
        let audience = part("AADAudience").unwrap_or(PUBLIC_AUDIENCE);
        let authorization =
            authentication.map_or(Ok(Authorization::Key), |text| authorization(text, audience))?;
        Ok(Self { key, endpoint, authorization })
    }

    /// An exporter for traces and metrics. It does no I/O; the first export asks for a token.
    ///
    /// # Errors
    /// A text without any secret.
    pub fn exporter(&self, runtime: Handle, ambient: &Ambient) -> Result<Exporter<Transport>, String> {
        let track = self.track();
        let mut transport = Transport::new(runtime).to(track);
        if let Authorization::Identity { client_id, scope } = &self.authorization {
            let token = MonitorToken::new(client_id.clone(), scope.clone(), ambient.clone());
            transport = transport.authorized_by(Arc::new(token));
        }
        // The transport knows the endpoint itself: the crate would send to another path, and never by plain http.
        let connection = format!("InstrumentationKey={};IngestionEndpoint=https://unused.invalid", self.key);
        Exporter::new_from_connection_string(connection, transport)
            .map_err(|_| "the InstrumentationKey cannot be used".to_owned())
    }

    fn track(&self) -> Url {
        let mut track = self.endpoint.clone();
        track.set_path(&format!("{}/v2.1/track", self.endpoint.path().trim_end_matches('/')));
        track
    }
}

// The key is a secret where the component takes no token.
impl fmt::Debug for Ingestion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ingestion").field("endpoint", &self.endpoint.as_str()).finish_non_exhaustive()
    }
}

/// `Authorization=AAD` with `ClientId` for a user-assigned identity, as the Functions host reads it.
fn authorization(text: &str, audience: &str) -> Result<Authorization, SettingsProblem> {
    let wrong = SettingsProblem::Authentication;
    let parts = ConnectionString::parse(text).map_err(|_| wrong(FORM))?;
    match parts.get("Authorization") {
        Some(kind) if kind.eq_ignore_ascii_case("AAD") => Ok(Authorization::Identity {
            client_id: parts.get("ClientId").map(str::to_owned),
            scope: format!("{audience}/.default"),
        }),
        _ => Err(wrong("is not Authorization=AAD, with ClientId for a user-assigned identity")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(connection: &str) -> Result<Ingestion, SettingsProblem> {
        Ingestion::parse(connection, None)
    }

    #[test]
    fn the_endpoint_is_the_named_one_that_of_the_suffix_or_the_global_one() {
        for (text, track) in [
            (
                "InstrumentationKey=k;IngestionEndpoint=https://westeurope-5.in.applicationinsights.azure.com/;LiveEndpoint=https://l/;",
                "https://westeurope-5.in.applicationinsights.azure.com/v2.1/track",
            ),
            ("instrumentationkey=k;EndpointSuffix=ai.contoso.com", "https://dc.ai.contoso.com/v2.1/track"),
            (
                "InstrumentationKey=k;EndpointSuffix=ai.contoso.com;Location=westus2",
                "https://westus2.dc.ai.contoso.com/v2.1/track",
            ),
            ("InstrumentationKey=k", "https://dc.services.visualstudio.com/v2.1/track"),
            ("InstrumentationKey=k;IngestionEndpoint=http://127.0.0.1:9", "http://127.0.0.1:9/v2.1/track"),
        ] {
            assert_eq!(parse(text).unwrap().track().as_str(), track);
        }
    }

    #[test]
    fn what_is_wrong_is_said_without_the_key() {
        for text in [
            "IngestionEndpoint=https://a",
            "InstrumentationKey=;IngestionEndpoint=https://a",
            "InstrumentationKey=secret-key;nonsense",
            "InstrumentationKey=secret-key;IngestionEndpoint=http://contoso.com",
            "InstrumentationKey=secret-key;IngestionEndpoint=ftp:/a",
        ] {
            let problem = parse(text).unwrap_err().to_string();
            assert!(problem.starts_with("APPLICATIONINSIGHTS_CONNECTION_STRING "), "{problem}");
            assert!(!problem.contains("secret-key"), "{problem}");
        }
        assert!(!format!("{:?}", parse("InstrumentationKey=secret-key").unwrap()).contains("secret-key"));
    }

    #[test]
    fn an_identity_is_asked_for_where_the_host_would_ask_one() {
        let authorization = |text: &str, connection: &str| {
            Ingestion::parse(connection, Some(text)).map(|ingestion| ingestion.authorization)
        };
        let plain = "InstrumentationKey=k";
        let scope = "https://monitor.azure.com//.default".to_owned();
        assert_eq!(
            authorization("ClientId=c-1;Authorization=AAD", plain),
            Ok(Authorization::Identity { client_id: Some("c-1".to_owned()), scope: scope.clone() })
        );
        assert_eq!(
            authorization("Authorization=aad", plain),
            Ok(Authorization::Identity { client_id: None, scope })
        );
        let elsewhere = "InstrumentationKey=k;AADAudience=https://monitor.azure.us/";
        let Ok(Authorization::Identity { scope, .. }) = authorization("Authorization=AAD", elsewhere) else {
            panic!("an identity")
        };
        assert_eq!(scope, "https://monitor.azure.us//.default");
        assert!(authorization("Authorization=Key", plain).is_err());
        assert_eq!(parse(plain).unwrap().authorization, Authorization::Key);
    }
}
