//! The address of the storage account and the credential for it, as a Functions app has them in `AzureWebJobsStorage`.

use std::fmt;
use std::sync::Arc;

use endpoints::{ConnectionString, is_this_machine};
use object_store::azure::{AzureAccessKey, AzureCredential, split_sas};
use url::{Host, Url};

use crate::blob::address::{BlobAddress, check_container};
use crate::blob::token::TokenProvider;
use crate::error::Error;

/// A container of a storage account, and the credential for it.
#[derive(Clone)]
pub struct BlobSettings {
    pub(crate) account: String,
    pub(crate) endpoint: Url,
    pub(crate) container: String,
    pub(crate) credential: Credential,
}

#[derive(Clone)]
pub(crate) enum Credential {
    /// An account key or a shared access signature.
    Fixed(Arc<AzureCredential>),
    /// Tokens.
    Token(Arc<dyn TokenProvider>),
}

/// The storage emulator's account and key, which are the same everywhere and public ("Use the Azurite emulator",
/// well-known storage account and key).
const EMULATOR_ACCOUNT: &str = "devstoreaccount1";
const EMULATOR_KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";
const EMULATOR_ENDPOINT: &str = "http://127.0.0.1:10000/devstoreaccount1";

impl BlobSettings {
    /// Reads a connection string of a storage account: `AccountName`, `AccountKey`, `BlobEndpoint`,
    /// `SharedAccessSignature`, `EndpointSuffix`, `DefaultEndpointsProtocol`, or `UseDevelopmentStorage=true`.
    /// Other parts, such as `QueueEndpoint`, do not matter here.
    ///
    /// # Errors
    /// Kind `Invalid`, naming the part that is missing or wrong, never its value.
    pub fn from_connection_string(text: &str, container: &str) -> Result<Self, Error> {
        let parts =
            ConnectionString::parse(text).map_err(|malformed| Error::settings(malformed.to_string()))?;
        let part = |name: &str| parts.get(name);
        if part("UseDevelopmentStorage").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
            if part("DevelopmentStorageProxyUri").is_some() {
                return Err(Error::settings(
                    "DevelopmentStorageProxyUri is not supported: name a BlobEndpoint",
                ));
            }
            let credential = key_credential(EMULATOR_KEY)?;
            return Self::new(Some(EMULATOR_ACCOUNT), EMULATOR_ENDPOINT, container, credential);
        }
        let endpoint = match (part("BlobEndpoint"), part("AccountName")) {
            (Some(endpoint), _) => endpoint.to_owned(),
            (None, Some(account)) => {
                let protocol = part("DefaultEndpointsProtocol").unwrap_or("https");
                let suffix = part("EndpointSuffix").unwrap_or("core.windows.net");
                format!("{protocol}://{account}.blob.{suffix}")
            }
            (None, None) => {
                return Err(Error::settings(
                    "the connection string has neither AccountName nor BlobEndpoint",
                ));
            }
        };
        let credential = match (part("AccountKey"), part("SharedAccessSignature")) {
            (Some(key), _) => key_credential(key)?,
            (None, Some(signature)) => {
                let pairs = split_sas(signature.trim_start_matches('?'))
                    .map_err(|_| Error::settings("SharedAccessSignature is not a query string"))?;
                Credential::Fixed(Arc::new(AzureCredential::SASToken(pairs)))
            }
            (None, None) => {
                return Err(Error::settings(
                    "the connection string has neither AccountKey nor SharedAccessSignature",
                ));
            }
        };
        Self::new(part("AccountName"), &endpoint, container, credential)
    }

    /// A service address, such as `https://contoso.blob.core.windows.net`, for which calls carry tokens.
    ///
    /// # Errors Kind `Invalid` when the address cannot be used; also for plain http to anything but this machine, which
    /// would show the token to every machine on the way.
    pub fn from_service_uri(
        address: &str,
        container: &str,
        provider: Arc<dyn TokenProvider>,
    ) -> Result<Self, Error> {
        Self::new(None, address, container, Credential::Token(provider))
    }

    /// The container of a blob, for which calls carry tokens; that of the emulator on this machine has the emulator's key.
    pub(crate) fn of_blob(address: &BlobAddress, provider: Arc<dyn TokenProvider>) -> Result<Self, Error> {
        let is_emulator = address.account == EMULATOR_ACCOUNT && is_this_machine(&address.service);
        let credential =
            if is_emulator { key_credential(EMULATOR_KEY)? } else { Credential::Token(provider) };
        Self::new(Some(&address.account), address.service.as_str(), &address.container, credential)
    }

    fn new(
        account: Option<&str>,
        address: &str,
        container: &str,
        credential: Credential,
    ) -> Result<Self, Error> {
        let mut endpoint =
            Url::parse(address).map_err(|e| Error::settings(format!("the blob endpoint is no URL: {e}")))?;
        if !matches!(endpoint.scheme(), "http" | "https") || endpoint.host().is_none() {
            return Err(Error::settings("the blob endpoint is not an http or https address"));
        }
        if endpoint.query().is_some()
            || endpoint.fragment().is_some()
            || !endpoint.username().is_empty()
            || endpoint.password().is_some()
        {
            return Err(Error::settings("the blob endpoint has more than a host and a path"));
        }
        // An account key only signs; a token or a shared access signature travels, and opens the account to every
        // reader on the way.
        let signs = matches!(&credential, Credential::Fixed(fixed) if matches!(**fixed, AzureCredential::AccessKey(_)));
        if endpoint.scheme() == "http" && !signs && !is_this_machine(&endpoint) {
            return Err(Error::settings("the blob endpoint is plain http, which would show the credential"));
        }
        let path = endpoint.path().trim_end_matches('/').to_owned();
        endpoint.set_path(&path);
        let account = match account {
            Some(account) => account.to_owned(),
            None => account_in(&endpoint)?,
        };
        check_container(container)?;
        Ok(Self { account, endpoint, container: container.to_owned(), credential })
    }
}

impl fmt::Display for BlobSettings {
    /// The address of the container, without the credential.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.endpoint.as_str().trim_end_matches('/'), self.container)
    }
}

impl fmt::Debug for BlobSettings {
    /// Leaves the credential out but for its kind.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let credential = match &self.credential {
            Credential::Token(_) => "token",
            Credential::Fixed(fixed) => match **fixed {
                AzureCredential::AccessKey(_) => "account key",
                AzureCredential::SASToken(_) => "shared access signature",
                AzureCredential::BearerToken(_) => "token",
            },
        };
        f.debug_struct("BlobSettings")
            .field("address", &self.to_string())
            .field("account", &self.account)
            .field("credential", &credential)
            .finish()
    }
}

fn key_credential(key: &str) -> Result<Credential, Error> {
    let key = AzureAccessKey::try_new(key).map_err(|_| Error::settings("AccountKey is not base64"))?;
    Ok(Credential::Fixed(Arc::new(AzureCredential::AccessKey(key))))
}

/// The account's name: the first label of the host, or the first part of the path where the host is an address,
/// as the emulator has it.
fn account_in(endpoint: &Url) -> Result<String, Error> {
    let name = match endpoint.host() {
        Some(Host::Domain(host)) if host != "localhost" => host.split('.').next(),
        _ => endpoint.path_segments().and_then(|mut segments| segments.next()),
    };
    match name {
        Some(name) if !name.is_empty() => Ok(name.to_owned()),
        _ => Err(Error::settings("the blob endpoint does not say which account it is of")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use async_trait::async_trait;

    const KEY: &str = "c3dvcmRmaXNo";

    struct NoTokens;

    #[async_trait]
    impl TokenProvider for NoTokens {
        async fn token(&self) -> Result<String, Error> {
            Err(Error::token(ErrorKind::Forbidden, "no tokens here"))
        }
    }

    fn read(text: &str) -> Result<BlobSettings, Error> {
        BlobSettings::from_connection_string(text, "policysync")
    }

    #[test]
    fn a_name_and_a_key_lead_to_the_public_cloud() {
        let settings = read(&format!("DefaultEndpointsProtocol=https;AccountName=contoso;AccountKey={KEY};"))
            .expect("valid");
        assert_eq!(settings.to_string(), "https://contoso.blob.core.windows.net/policysync");
        assert_eq!(settings.account, "contoso");
    }

    #[test]
    fn the_suffix_of_another_cloud_is_kept() {
        let settings =
            read(&format!("AccountName=contoso;AccountKey={KEY};EndpointSuffix=core.chinacloudapi.cn"))
                .expect("valid");
        assert_eq!(settings.to_string(), "https://contoso.blob.core.chinacloudapi.cn/policysync");
    }

    #[test]
    fn a_signature_needs_no_account_name() {
        let settings =
            read("BlobEndpoint=https://contoso.blob.core.windows.net/;SharedAccessSignature=?sv=1&sig=swordfish%3D")
                .expect("valid");
        assert_eq!(settings.account, "contoso");
        assert!(!format!("{settings:?} {settings}").contains("swordfish"));
    }

    #[test]
    fn names_of_parts_are_compared_without_case() {
        assert!(read(&format!("accountname=contoso;ACCOUNTKEY={KEY}")).is_ok());
    }

    #[test]
    fn development_storage_is_the_emulator_on_its_default_port() {
        let settings = read("UseDevelopmentStorage=true").expect("valid");
        assert_eq!(settings.to_string(), "http://127.0.0.1:10000/devstoreaccount1/policysync");
    }

    #[test]
    fn no_key_shows_in_debug_output() {
        let settings = read(&format!("AccountName=contoso;AccountKey={KEY}")).expect("valid");
        let shown = format!("{settings:?}");
        assert!(
            shown.contains("account key") && !shown.contains(KEY) && !shown.contains("115, 119"),
            "{shown}"
        );
    }

    #[test]
    fn what_is_missing_is_named_and_no_value_is_shown() {
        for (text, named) in [
            ("AccountName=contoso", "AccountKey"),
            ("AccountKey=c3dvcmRmaXNo", "AccountName"),
            ("AccountName=contoso;AccountKey=sword!fish", "AccountKey is not base64"),
            ("AccountName=contoso;sword", "part 2"),
            ("BlobEndpoint=ftp://sword;AccountName=a;AccountKey=c3dvcmRmaXNo", "blob endpoint"),
            ("", "AccountName"),
        ] {
            let error = read(text).expect_err(text).to_string();
            assert!(error.contains(named), "`{text}` gave: {error}");
            assert!(!error.contains("sword") && !error.contains(KEY), "`{text}` gave: {error}");
        }
    }

    #[test]
    fn a_token_or_signature_never_travels_in_plain_text_to_another_machine() {
        let at = |address| BlobSettings::from_service_uri(address, "policysync", Arc::new(NoTokens));
        assert!(at("http://contoso.blob.core.windows.net").is_err());
        assert!(at("https://contoso.blob.core.windows.net").is_ok());
        assert_eq!(at("http://127.0.0.1:10000/contoso").expect("loopback").account, "contoso");
        assert!(
            read("BlobEndpoint=http://contoso.blob.core.windows.net;SharedAccessSignature=sig=a").is_err()
        );
    }

    #[test]
    fn containers_that_the_service_would_refuse_are_refused() {
        for name in
            ["ab", "Policysync", "-policysync", "policysync-", "policy--sync", "policy_sync", &"a".repeat(64)]
        {
            let text = format!("AccountName=contoso;AccountKey={KEY}");
            assert!(BlobSettings::from_connection_string(&text, name).is_err(), "`{name}` was accepted");
        }
    }
}
