//! Connection strings and addresses, as the settings of an app hold them.

use azure::{Cloud, ServiceBusConnection, TopicConnection};
use state::BlobSettings;

use crate::input::text;

/// Parts of connection strings that hold a secret.
const SECRETS: [&str; 3] = ["sharedaccesskey", "accountkey", "sharedaccesssignature"];
/// Shortest secret that is looked for, in bytes: a shorter one may stand in a message by chance.
const SHORTEST: usize = 12;

/// Any text is understood or refused, and nothing that is said of it, in `Debug` or in an error, repeats a secret in it.
///
/// # Panics
/// When that does not hold.
pub fn run(input: &[u8]) {
    check(input, false);
}

/// Says the whole text.
pub fn broken(input: &[u8]) {
    check(input, true);
}

fn check(input: &[u8], is_broken: bool) {
    let text = text(input);
    let mut said = vec![
        format!("{:?}", ServiceBusConnection::parse(&text).map_err(|error| (error.to_string(), error))),
        format!(
            "{:?}",
            BlobSettings::from_connection_string(&text, "policysync").map_err(|error| error.to_string())
        ),
    ];
    if is_broken {
        said.push(text.clone().into_owned());
    }
    // These are no secrets, and may be shown: only that nothing panics is asked of them.
    let _ = (ServiceBusConnection::from_namespace(&text).is_ok(), Cloud::new(Some(&text)).is_ok());
    let _ = Cloud::new(None).map(|cloud| cloud.service_url(&text).is_ok());
    let topic = TopicConnection::new(&text, Some("key-of-the-topic"));
    assert!(!format!("{topic:?}").contains("key-of-the-topic"), "the key of a topic is shown");
    for secret in secrets(&text) {
        for said in &said {
            assert!(!said.contains(secret), "a secret is repeated: {said}");
        }
    }
}

/// The values of the parts that hold a secret, where they stand nowhere else in the text.
fn secrets(text: &str) -> Vec<&str> {
    let parts = text.split(';').filter_map(|part| part.split_once('='));
    let named = parts.filter(|(name, _)| SECRETS.contains(&name.trim().to_ascii_lowercase().as_str()));
    let values = named.map(|(_, value)| value.trim());
    values
        .filter(|value| value.len() >= SHORTEST && value.bytes().any(|byte| byte.is_ascii_digit()))
        .filter(|value| text.matches(value).count() == 1)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_looked_for_where_it_stands_once() {
        let text = "Endpoint=sb://a/;SharedAccessKey=a2V5a2V5a2V5MTIz;accountkey = short1;AccountKey=twice-123456;x=twice-123456";
        assert_eq!(secrets(text), ["a2V5a2V5a2V5MTIz"]);
    }
}
