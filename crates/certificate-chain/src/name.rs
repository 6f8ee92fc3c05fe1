//! Distinguished names.

use x509_parser::x509::X509Name;

/// Longest text of a name that a message shows, in characters.
const SHOWN: usize = 200;

/// A subject or an issuer. Two are equal when they differ in case and white space only, as the service compares them
/// (`ca-lifecycle-facts.md` §1.6).
#[derive(Debug, Clone)]
pub struct Name {
    /// For people, e.g. `CN=contoso root, O=Contoso`.
    pub text: String,
    /// Per relative name its attributes: type, and value in the form that is compared.
    compared: Vec<Vec<(String, String)>>,
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.compared == other.compared
    }
}

impl Name {
    pub fn of(name: &X509Name<'_>) -> Self {
        let text = name.to_string();
        let compared = name.iter_rdn().map(|relative| {
            let mut attributes: Vec<(String, String)> = relative
                .iter()
                .map(|attribute| {
                    let value = match attribute.as_str() {
                        Ok(text) => text.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" "),
                        Err(_) => data_encoding::HEXLOWER.encode(attribute.as_slice()),
                    };
                    (attribute.attr_type().to_id_string(), value)
                })
                .collect();
            // A relative name is a set.
            attributes.sort();
            attributes
        });
        let text = match text.char_indices().nth(SHOWN) {
            Some((end, _)) => format!("{}…", &text[..end]),
            None if text.is_empty() => "(no subject)".to_owned(),
            None => text,
        };
        Self { compared: compared.collect(), text }
    }
}
