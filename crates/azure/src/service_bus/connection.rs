//! The address of a Service Bus namespace and the credential for it, from the two settings that Azure Functions know: a
//! connection string, or a host name for identity-based connections.

use endpoints::ConnectionString;
use url::Url;

use crate::cloud::{Cloud, Service};
use crate::error::Error;
use crate::secret::Secret;

/// The end of the host name of every namespace in the public cloud.
pub(super) const PUBLIC_SUFFIX: &str = ".servicebus.windows.net";
const ATTEMPTED: &str = "the Service Bus connection";

/// A namespace and the credential for it. `Debug` does not show the key.
#[derive(Debug, Clone)]
pub struct ServiceBusConnection {
    /// Host, perhaps with port and path.
    place: String,
    /// Plain http, as `UseDevelopmentEmulator=true` asks for.
    emulator: bool,
    pub(super) authorization: Authorization,
}

#[derive(Debug, Clone)]
pub(super) enum Authorization {
    Key { policy: String, key: Secret },
    Identity,
}

impl ServiceBusConnection {
    /// Reads a connection string, as the setting `ServiceBusConnection` holds it (`contracts.md` §3).
    ///
    /// # Errors
    /// `Invalid`, naming the part that is missing or cannot be used; no value is repeated.
    pub fn parse(connection_string: &str) -> Result<Self, Error> {
        let fail = |problem: &str| Err(Error::invalid(ATTEMPTED, problem));
        let parts = match ConnectionString::parse(connection_string) {
            Ok(parts) => parts,
            Err(malformed) => return fail(&malformed.to_string()),
        };
        let part = |name: &str| parts.get(name);
        let Some(endpoint) = part("Endpoint") else { return fail("the connection string has no Endpoint") };
        let Some(place) = endpoint.strip_prefix("sb://").map(|place| place.trim_end_matches('/').to_owned())
        else {
            return fail("Endpoint does not start with `sb://`");
        };
        let emulator = part("UseDevelopmentEmulator").is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let authorization = match (part("SharedAccessKeyName"), part("SharedAccessKey")) {
            (Some(policy), Some(key)) => {
                Authorization::Key { policy: policy.to_owned(), key: Secret::new(key) }
            }
            (Some(_), None) => return fail("the connection string has no SharedAccessKey"),
            (None, Some(_)) => return fail("the connection string has no SharedAccessKeyName"),
            (None, None) if part("SharedAccessSignature").is_some() => {
                return fail("SharedAccessSignature is not supported; use a key or an identity");
            }
            // An emulator checks no signature; it still gets one, since the protocol has one.
            (None, None) if emulator => {
                Authorization::Key { policy: "emulator".to_owned(), key: Secret::new("emulator") }
            }
            (None, None) => Authorization::Identity,
        };
        if matches!(&authorization, Authorization::Key { policy, .. } if !policy.bytes().all(|b| b.is_ascii_graphic()))
        {
            return fail("SharedAccessKeyName holds characters that no policy name has");
        }
        Self { place, emulator, authorization }.checked()
    }

    /// A namespace by its host name, as `ServiceBusConnection__fullyQualifiedNamespace` holds it; the identity gives
    /// the token.
    ///
    /// # Errors
    /// `Invalid` when the text is not a host name.
    pub fn from_namespace(fully_qualified_namespace: &str) -> Result<Self, Error> {
        let place = fully_qualified_namespace.trim().trim_end_matches('/').to_owned();
        Self { place, emulator: false, authorization: Authorization::Identity }.checked()
    }

    /// Whether messages are sent by identity rather than by a key.
    #[must_use]
    pub fn uses_identity(&self) -> bool {
        matches!(self.authorization, Authorization::Identity)
    }

    fn checked(self) -> Result<Self, Error> {
        let fail = |problem: &str| Err(Error::invalid(ATTEMPTED, problem));
        match Url::parse(&format!("https://{}", self.place)) {
            Ok(url)
                if url.has_host()
                    && url.username().is_empty()
                    && url.password().is_none()
                    && url.query().is_none()
                    && url.fragment().is_none() =>
            {
                let own_host =
                    url.host_str().is_some_and(|host| host.ends_with(PUBLIC_SUFFIX)) && url.port().is_none();
                match self.authorization {
                    Authorization::Key { .. } if !self.emulator && !own_host => fail(
                        "a key is used with hosts of servicebus.windows.net only; use an identity, or \
                              UseDevelopmentEmulator=true for an emulator",
                    ),
                    _ => Ok(self),
                }
            }
            _ => fail("its address is not a host name"),
        }
    }

    /// Base URL of the namespace, without a trailing slash in its path unless it is the root.
    pub(super) fn base(&self, cloud: &Cloud) -> Result<Url, Error> {
        let unusable = || Error::invalid(ATTEMPTED, "its address is not a host name");
        if self.emulator {
            return Url::parse(&format!("http://{}", self.place)).map_err(|_| unusable());
        }
        let url = cloud.service_url(&self.place)?;
        if self.uses_identity() {
            cloud.admit(Service::ServiceBus, &url)?;
        }
        Ok(url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    const KEY: &str = "SharedAccessKeyName=send;SharedAccessKey=a2V5a2V5=";

    fn base(connection: &ServiceBusConnection) -> String {
        connection.base(&Cloud::new(Some("http://127.0.0.1:9000")).unwrap()).unwrap().to_string()
    }

    #[test]
    fn a_connection_string_is_read_and_its_key_is_not_shown() {
        let text = format!("Endpoint=sb://contoso.servicebus.windows.net/;{KEY};EntityPath=q");
        let connection = ServiceBusConnection::parse(&text).unwrap();
        assert_eq!(base(&connection), "https://contoso.servicebus.windows.net/");
        assert!(!connection.uses_identity());
        let Authorization::Key { policy, key } = &connection.authorization else { panic!("a key was given") };
        assert_eq!((policy.as_str(), key.expose()), ("send", "a2V5a2V5="));
        assert!(!format!("{connection:?}").contains("a2V5"));
    }

    #[test]
    fn an_emulator_is_plain_http_at_any_host_port_and_path() {
        for (text, expected) in [
            (
                "endpoint=sb://127.0.0.1:9000/servicebus;usedevelopmentemulator=TRUE",
                "http://127.0.0.1:9000/servicebus",
            ),
            ("UseDevelopmentEmulator=true;Endpoint=sb://emulator/", "http://emulator/"),
        ] {
            assert_eq!(base(&ServiceBusConnection::parse(text).unwrap()), expected);
        }
    }

    #[test]
    fn a_host_name_is_let_in_by_identity_and_only_inside_the_cloud() {
        let public = Cloud::new(None).unwrap();
        let contoso = ServiceBusConnection::from_namespace("contoso.servicebus.windows.net").unwrap();
        assert!(contoso.uses_identity());
        assert_eq!(contoso.base(&public).unwrap().as_str(), "https://contoso.servicebus.windows.net/");
        let elsewhere = ServiceBusConnection::from_namespace("contoso.example.org").unwrap();
        assert_eq!(elsewhere.base(&public).unwrap_err().kind(), ErrorKind::Untrusted);
        let simulated = ServiceBusConnection::from_namespace("127.0.0.1:9000/servicebus").unwrap();
        assert_eq!(base(&simulated), "http://127.0.0.1:9000/servicebus");
        let without_key =
            ServiceBusConnection::parse("Endpoint=sb://contoso.servicebus.windows.net").unwrap();
        assert!(without_key.uses_identity());
    }

    #[test]
    fn what_is_wrong_is_named_without_a_value() {
        let contoso = "Endpoint=sb://contoso.servicebus.windows.net";
        for (text, named) in [
            (String::new(), "no Endpoint"),
            (KEY.to_owned(), "no Endpoint"),
            (format!("Endpoint=https://contoso.servicebus.windows.net;{KEY}"), "sb://"),
            (format!("{contoso};SharedAccessKeyName=send"), "no SharedAccessKey"),
            (format!("{contoso};a2V5"), "part 2"),
            (format!("{contoso};SharedAccessKey=a2V5"), "no SharedAccessKeyName"),
            (format!("{contoso};SharedAccessSignature=a2V5"), "SharedAccessSignature"),
            (format!("Endpoint=sb://contoso.example.org;{KEY}"), "servicebus.windows.net"),
            (format!("Endpoint=sb://a2V5@contoso.servicebus.windows.net;{KEY}"), "host name"),
        ] {
            let error = ServiceBusConnection::parse(&text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid);
            assert!(error.to_string().contains(named), "{error}");
            assert!(!error.to_string().contains("a2V5"), "{error}");
        }
    }
}
