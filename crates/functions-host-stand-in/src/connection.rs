//! Finds the host name of a connection's namespace, for metadata.
//!
//! It reads a connection string by itself, not as our clients do: it stands for the real host, and one must not hide the
//! other's mistake.

use super::app::AppSettings;

/// The fully qualified namespace that the setting `connection` leads to.
///
/// `NAME__fullyQualifiedNamespace`, or the endpoint of a connection string in `NAME`; `localhost` when there is
/// neither, since this stand-in does not receive from that namespace.
#[must_use]
pub fn namespace(settings: &AppSettings, connection: &str) -> String {
    let named = settings
        .get(&format!("{connection}__fullyQualifiedNamespace"))
        .or_else(|| settings.get(&format!("{connection}:fullyQualifiedNamespace")));
    let endpoint = || {
        let text = settings.get(connection).or_else(|| settings.get(&format!("AzureWebJobs{connection}")))?;
        let endpoint = text.split(';').find_map(|part| {
            let (name, value) = part.split_once('=')?;
            name.trim().eq_ignore_ascii_case("endpoint").then(|| value.trim().to_owned())
        })?;
        let host = endpoint.split("://").nth(1)?.split(['/', ':']).next()?;
        (!host.is_empty()).then(|| host.to_owned())
    };
    named.or_else(endpoint).unwrap_or_else(|| "localhost".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_a_connection_name_their_namespace() {
        let settings = [
            ("A__fullyQualifiedNamespace", "contoso.servicebus.windows.net"),
            ("B", "Endpoint=sb://fabrikam.servicebus.windows.net/;SharedAccessKey=x"),
            ("C", "Endpoint=sb://127.0.0.1:5000/servicebus;UseDevelopmentEmulator=true"),
        ];
        let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let settings = AppSettings::new(settings.into(), false);
        assert_eq!(namespace(&settings, "A"), "contoso.servicebus.windows.net");
        assert_eq!(namespace(&settings, "B"), "fabrikam.servicebus.windows.net");
        assert_eq!(namespace(&settings, "C"), "127.0.0.1");
        assert_eq!(namespace(&settings, "D"), "localhost");
    }
}
