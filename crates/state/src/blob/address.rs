//! The address of one blob, as a setting has it.

use std::fmt;

use endpoints::is_this_machine;
use url::Url;

use crate::error::Error;

/// Where the blob services of Azure's clouds are, below the name of an account (`messaging-and-state.md` §3.7). A token is sent
/// nowhere else.
const SUFFIXES: [&str; 4] = [
    ".blob.core.windows.net",
    ".blob.core.usgovcloudapi.net",
    ".blob.core.chinacloudapi.cn",
    // An account of an Azure DNS zone has the zone between its name and this.
    ".blob.storage.azure.net",
];

/// Longest name of a blob, in characters ("Naming and referencing containers, blobs, and metadata").
const LONGEST_NAME: usize = 1024;

/// One blob: `https://ACCOUNT.blob.core.windows.net/CONTAINER/NAME`, or that of another of Azure's clouds; on this machine
/// `http://127.0.0.1:PORT/ACCOUNT/CONTAINER/NAME`, as a storage emulator has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlobAddress {
    pub(crate) account: String,
    /// The address of the blob service.
    pub(crate) service: Url,
    pub(crate) container: String,
    pub(crate) name: String,
}

impl BlobAddress {
    /// Reads an address.
    ///
    /// # Errors
    /// Kind `Invalid`, saying what is wrong with it, and never repeating a query, which may hold a key.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let wrong = |problem: &str| Err(Error::settings(format!("the address of the blob: {problem}")));
        let Ok(url) = Url::parse(text) else { return wrong("it is no URL") };
        if url.query().is_some()
            || url.fragment().is_some()
            || !url.username().is_empty()
            || url.password().is_some()
        {
            return wrong(
                "it has more than a host and a path; the blob is read with the identity, and a signature is not taken",
            );
        }
        let is_here = is_this_machine(&url);
        let host = url.host_str().unwrap_or_default().to_ascii_lowercase();
        let of_azure = SUFFIXES.iter().find_map(|suffix| host.strip_suffix(suffix));
        let account = of_azure.and_then(|name| name.split('.').next()).filter(|name| !name.is_empty());
        let path = url.path().trim_start_matches('/');
        let mut service = url.clone();
        let (account, path) = match (url.scheme(), account) {
            ("https", Some(account)) if url.port().is_none() => {
                service.set_path("");
                (account.to_owned(), path)
            }
            ("http", None) if is_here => {
                let Some((account, path)) = path.split_once('/') else {
                    return wrong("on this machine it is http://127.0.0.1:PORT/ACCOUNT/CONTAINER/NAME");
                };
                service.set_path(account);
                (account.to_owned(), path)
            }
            ("http", _) => {
                return wrong("plain http is for this machine alone, since a token travels with the call");
            }
            _ => {
                return wrong(
                    "it is not https at a blob service of Azure, such as https://ACCOUNT.blob.core.windows.net/CONTAINER/NAME",
                );
            }
        };
        let Some((container, name)) = path.split_once('/') else {
            return wrong("it names no blob: a container and the name of a blob follow the host");
        };
        check_container(container)?;
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
        let is_segment = |segment: &str| !segment.is_empty() && segment.chars().any(|c| c != '.');
        if name.len() > LONGEST_NAME || !name.chars().all(is_plain) || !name.split('/').all(is_segment) {
            return wrong(
                "the name of the blob has other characters than letters, digits, `-`, `_`, `.` and `/`",
            );
        }
        Ok(Self { account, service, container: container.to_owned(), name: name.to_owned() })
    }

    /// The account, the container and the name, as `az storage blob` takes them; `None` of a storage emulator on this machine.
    #[must_use]
    pub fn in_azure(&self) -> Option<(&str, &str, &str)> {
        (self.service.scheme() == "https").then_some((&self.account, &self.container, &self.name))
    }
}

impl fmt::Display for BlobAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.service.as_str().trim_end_matches('/'), self.container, self.name)
    }
}

/// "Naming and referencing containers, blobs, and metadata": 3 to 63 lower-case letters, digits and single
/// hyphens, starting and ending with a letter or digit.
pub(crate) fn check_container(name: &str) -> Result<(), Error> {
    let plain = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if !(3..=63).contains(&name.len())
        || !plain
        || name.starts_with('-')
        || name.ends_with('-')
        || name.contains("--")
    {
        return Err(Error::settings(
            "the container's name is not 3 to 63 lower-case letters, digits and single hyphens",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_blob_of_each_cloud_and_of_this_machine_is_taken_and_shown_as_it_was_written() {
        for (text, account, container, name) in [
            (
                "https://contoso.blob.core.windows.net/config/policysync.toml",
                "contoso",
                "config",
                "policysync.toml",
            ),
            ("https://contoso.blob.core.usgovcloudapi.net/config/a/b.toml", "contoso", "config", "a/b.toml"),
            ("https://contoso.blob.core.chinacloudapi.cn/config/p.toml", "contoso", "config", "p.toml"),
            ("https://contoso.z11.blob.storage.azure.net/config/p.toml", "contoso", "config", "p.toml"),
            ("http://127.0.0.1:10000/devstoreaccount1/config/p.toml", "devstoreaccount1", "config", "p.toml"),
        ] {
            let address = BlobAddress::parse(text).unwrap();
            assert_eq!(
                (address.account.as_str(), address.container.as_str(), address.name.as_str()),
                (account, container, name)
            );
            assert_eq!(address.to_string(), text);
        }
    }

    #[test]
    fn no_other_host_would_see_a_token_and_no_signature_is_repeated() {
        for text in [
            "https://contoso.blob.core.windows.net.example.org/config/p.toml",
            "https://example.org/config/p.toml",
            "https://.blob.core.windows.net/config/p.toml",
            "https://contoso.blob.core.windows.net:8443/config/p.toml",
            "https://contoso.blob.core.windows.net@example.org/config/p.toml",
            "https://user@contoso.blob.core.windows.net/config/p.toml",
            "http://contoso.blob.core.windows.net/config/p.toml",
            "http://example.org/devstoreaccount1/config/p.toml",
            "https://127.0.0.1:10000/devstoreaccount1/config/p.toml",
            "http://127.0.0.1:10000/devstoreaccount1/config",
            "https://contoso.blob.core.windows.net/config",
            "https://contoso.blob.core.windows.net/config/",
            "https://contoso.blob.core.windows.net/Config/p.toml",
            "https://contoso.blob.core.windows.net/config/a//b.toml",
            "https://contoso.blob.core.windows.net/config/p%20q.toml",
            "https://contoso.blob.core.windows.net/config/p.toml?sv=1&sig=swordfish",
            "policysync.toml",
        ] {
            let error = BlobAddress::parse(text).unwrap_err().to_string();
            assert!(!error.contains("swordfish"), "{error}");
        }
    }
}
