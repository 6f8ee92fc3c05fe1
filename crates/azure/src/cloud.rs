//! Knows the configured cloud, and which of its hosts may see a token.
//!
//! Azure hands out URLs to follow: `nextLink`, an operation's `Location`, the host name of a DPS. If a client sent a
//! token to any host that such a text names, an attacker who can forge the text would get the token. So each URL is
//! checked against the configured cloud before a token is even fetched.

use endpoints::is_this_machine;
use url::Url;

use crate::authority::authority;
use crate::error::{Error, ErrorKind, Sent};

const PUBLIC_RESOURCE_MANAGER: &str = "https://management.azure.com";

/// A service that has its own token audience and its own hosts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Service {
    /// Azure Resource Manager: namespaces, policies, hubs, links.
    ResourceManager,
    /// The service API of Device Provisioning Services: enrollment groups.
    DeviceProvisioning,
    /// Service Bus queues.
    ServiceBus,
    /// Blob storage: state and configuration.
    Storage,
    /// Event Grid topics, to publish to.
    EventGrid,
}

impl Service {
    /// The scope of a token for this service (`azure-wire-facts.md` §1, §3, `messaging-and-state.md` §1.1).
    #[must_use]
    pub fn scope(self) -> &'static str {
        match self {
            Self::ResourceManager => "https://management.azure.com/.default",
            Self::DeviceProvisioning => "https://azure-devices-provisioning.net/.default",
            Self::ServiceBus => "https://servicebus.azure.net/.default",
            Self::Storage => "https://storage.azure.com/.default",
            Self::EventGrid => "https://eventgrid.azure.net/.default",
        }
    }

    fn owns_public_host(self, host: &str) -> bool {
        let below = |suffix: &str| host.strip_suffix(suffix).is_some_and(|name| !name.is_empty());
        match self {
            Self::ResourceManager => host == "management.azure.com",
            Self::DeviceProvisioning => below(".azure-devices-provisioning.net"),
            Self::ServiceBus => below(".servicebus.windows.net"),
            Self::Storage => below(".blob.core.windows.net"),
            Self::EventGrid => below(".eventgrid.azure.net"),
        }
    }
}

/// The configured cloud: Azure's public one, or another origin that stands for all of it, such as a simulator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cloud {
    /// Base URL of Azure Resource Manager.
    pub arm_endpoint: Url,
    public: bool,
}

impl Cloud {
    /// The public cloud, or the one whose Resource Manager is at `arm_endpoint`.
    ///
    /// # Errors
    /// `Invalid` when the endpoint is not a URL, carries credentials or a query, or is plain http to a host that is
    /// not this machine: tokens would travel readable.
    pub fn new(arm_endpoint: Option<&str>) -> Result<Self, Error> {
        let text = arm_endpoint.unwrap_or(PUBLIC_RESOURCE_MANAGER);
        let fail = |problem: &str| Err(Error::invalid("the Resource Manager endpoint", problem));
        let Ok(arm_endpoint) = Url::parse(text) else {
            return fail("it is not a URL such as `https://management.azure.com`");
        };
        if has_credentials(&arm_endpoint)
            || arm_endpoint.query().is_some()
            || arm_endpoint.fragment().is_some()
        {
            return fail("it must be an address alone, without user, query or fragment");
        }
        match arm_endpoint.scheme() {
            "https" => {}
            "http" if is_this_machine(&arm_endpoint) => {}
            "http" => {
                return fail(
                    "plain http is accepted for this machine only, since tokens travel with the calls",
                );
            }
            _ => return fail("it must start with `https://`"),
        }
        let public = arm_endpoint.scheme() == "https"
            && arm_endpoint.port().is_none()
            && arm_endpoint.host_str().is_some_and(|host| Service::ResourceManager.owns_public_host(host));
        Ok(Self { arm_endpoint, public })
    }

    /// Whether a token for `service` may be sent to `url`.
    ///
    /// In the public cloud that is https, the default port and a host of that very service; with any other Resource
    /// Manager endpoint it is exactly that endpoint's origin.
    ///
    /// # Errors
    /// `Untrusted`, naming the host, when it may not. Nothing has been sent then.
    pub fn admit(&self, service: Service, url: &Url) -> Result<(), Error> {
        let admitted = !has_credentials(url)
            && if self.public {
                url.scheme() == "https"
                    && url.port().is_none()
                    && url.host_str().is_some_and(|host| service.owns_public_host(host))
            } else {
                url.origin() == self.arm_endpoint.origin()
            };
        if admitted {
            return Ok(());
        }
        let place = format!("{}://{}{}", url.scheme(), authority(url), url.path());
        Err(Error::new(
            ErrorKind::Untrusted,
            Sent::No,
            place,
            "refused, because this address is outside the configured cloud; nothing was sent to it",
        ))
    }

    /// The URL of a service that is known by host name, or by URL.
    ///
    /// Azure's answers hold bare host names. A name at the authority of a Resource Manager endpoint that is not the
    /// public one, with or without a path, is reached by that endpoint's scheme.
    ///
    /// # Errors
    /// `Unreadable` when the text is neither.
    pub fn service_url(&self, text: &str) -> Result<Url, Error> {
        let is_url = text.contains("://");
        let text = text.trim().trim_end_matches('/');
        let url = if is_url {
            Url::parse(text)
        } else {
            let host = text.split('/').next().unwrap_or_default();
            let same_place = !self.public && host.eq_ignore_ascii_case(&authority(&self.arm_endpoint));
            let scheme = if same_place { self.arm_endpoint.scheme() } else { "https" };
            Url::parse(&format!("{scheme}://{text}"))
        };
        match url {
            Ok(url) if url.has_host() && !has_credentials(&url) && url.query().is_none() => Ok(url),
            _ => Err(Error::new(
                ErrorKind::Unreadable,
                Sent::No,
                "the address of a service",
                "it is neither a host name nor a URL",
            )),
        }
    }
}

fn has_credentials(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admitted(cloud: &Cloud, service: Service, url: &str) -> bool {
        match cloud.admit(service, &Url::parse(url).unwrap()) {
            Ok(()) => true,
            Err(error) => {
                assert_eq!((error.kind(), error.sent()), (ErrorKind::Untrusted, Sent::No));
                false
            }
        }
    }

    #[test]
    fn in_the_public_cloud_a_token_goes_only_to_https_hosts_of_its_own_service() {
        let cloud = Cloud::new(None).unwrap();
        for (service, url) in [
            (Service::ResourceManager, "https://management.azure.com/subscriptions"),
            (Service::ResourceManager, "https://MANAGEMENT.azure.com:443/subscriptions"),
            (
                Service::DeviceProvisioning,
                "https://contoso-dps.azure-devices-provisioning.net/enrollmentGroups",
            ),
            (Service::ServiceBus, "https://contoso.servicebus.windows.net/q/messages"),
            (Service::Storage, "https://contoso.blob.core.windows.net/c/b"),
        ] {
            assert!(admitted(&cloud, service, url), "{url}");
        }
        for (service, url) in [
            (Service::ResourceManager, "http://management.azure.com/"),
            (Service::ResourceManager, "https://management.azure.com:8443/"),
            (Service::ResourceManager, "https://management.azure.com.example.org/"),
            (Service::ResourceManager, "https://management.azure.com@example.org/"),
            (Service::ResourceManager, "https://user@management.azure.com/"),
            (Service::ResourceManager, "https://contoso.servicebus.windows.net/"),
            (Service::ResourceManager, "https://contoso.com/operationstatus"),
            (Service::DeviceProvisioning, "https://azure-devices-provisioning.net/"),
            (Service::DeviceProvisioning, "https://.azure-devices-provisioning.net/"),
            (Service::DeviceProvisioning, "https://x-azure-devices-provisioning.net/"),
            (Service::DeviceProvisioning, "https://management.azure.com/"),
            (Service::ServiceBus, "http://127.0.0.1:9000/"),
        ] {
            assert!(!admitted(&cloud, service, url), "{url}");
        }
    }

    #[test]
    fn another_endpoint_is_trusted_by_its_exact_origin_and_replaces_the_public_hosts() {
        let cloud = Cloud::new(Some("http://127.0.0.1:9000")).unwrap();
        for service in [Service::ResourceManager, Service::DeviceProvisioning, Service::ServiceBus] {
            assert!(admitted(&cloud, service, "http://127.0.0.1:9000/anything?x=1"));
            assert!(!admitted(&cloud, service, "http://127.0.0.1:9001/"));
            assert!(!admitted(&cloud, service, "https://127.0.0.1:9000/"));
            assert!(!admitted(&cloud, service, "http://localhost:9000/"));
            assert!(!admitted(&cloud, service, "https://management.azure.com/"));
        }
    }

    #[test]
    fn plain_http_is_for_this_machine_only() {
        for endpoint in
            ["http://127.0.0.1:1", "http://localhost:1", "http://[::1]:1", "https://arm.example.org"]
        {
            assert!(!Cloud::new(Some(endpoint)).unwrap().public, "{endpoint}");
        }
        for endpoint in [
            "http://management.azure.com",
            "http://10.0.0.4",
            "ftp://x",
            "contoso",
            "https://a@b",
            "https://b?c",
        ] {
            assert_eq!(Cloud::new(Some(endpoint)).unwrap_err().kind(), ErrorKind::Invalid, "{endpoint}");
        }
        assert!(Cloud::new(Some("https://management.azure.com/")).unwrap().public);
    }

    #[test]
    fn a_bare_host_name_is_https_unless_it_is_the_configured_origin() {
        let public = Cloud::new(None).unwrap();
        let simulated = Cloud::new(Some("http://127.0.0.1:9000")).unwrap();
        let url = |cloud: &Cloud, text: &str| cloud.service_url(text).unwrap().to_string();
        let host = "contoso-dps.azure-devices-provisioning.net";
        assert_eq!(url(&public, host), format!("https://{host}/"));
        assert_eq!(url(&public, &format!("https://{host}/")), format!("https://{host}/"));
        assert_eq!(url(&simulated, "127.0.0.1:9000/dps/contoso"), "http://127.0.0.1:9000/dps/contoso");
        assert_eq!(url(&simulated, "127.0.0.1:9001/dps/contoso"), "https://127.0.0.1:9001/dps/contoso");
        for text in ["", "https://", "a b", "user@host"] {
            assert_eq!(public.service_url(text).unwrap_err().kind(), ErrorKind::Unreadable, "{text}");
        }
    }
}
