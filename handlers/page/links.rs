//! Where the links of a page lead: within the app, and nowhere else.
//!
//! A person who opened the page with a key in its address needs the key for the next page too, so links carry it on. Only
//! that person gets the page with these links, and the browser sends no address of the page elsewhere
//! (`Referrer-Policy: no-referrer`).

use url::form_urlencoded::byte_serialize;

/// The links of a page.
#[derive(Debug, Clone, Default)]
pub struct Links {
    /// The key of the function, as the address has it.
    key: Option<String>,
}

impl Links {
    /// Those of a page that was asked for with this key, if any.
    #[must_use]
    pub fn with_key(key: Option<&str>) -> Self {
        Self { key: key.map(|key| byte_serialize(key.as_bytes()).collect()) }
    }

    /// From the overview to the report of a namespace, by its address.
    pub(super) fn namespace(&self, address: &str) -> String {
        let address: String = byte_serialize(address.as_bytes()).collect();
        match &self.key {
            Some(key) => format!("policy-status/{address}?code={key}"),
            None => format!("policy-status/{address}"),
        }
    }

    /// From the report of a namespace to the overview.
    pub(super) fn overview(&self) -> String {
        match &self.key {
            Some(key) => format!("../policy-status?code={key}"),
            None => "../policy-status".to_owned(),
        }
    }

    /// From the overview to a page of the findings.
    pub(super) fn page(&self, number: usize) -> String {
        match &self.key {
            Some(key) => format!("?page={number}&code={key}#needs"),
            None => format!("?page={number}#needs"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_carried_on_and_nothing_in_it_becomes_another_address() {
        let links = Links::with_key(Some("a&b#c\"=="));
        assert_eq!(links.namespace("north"), "policy-status/north?code=a%26b%23c%22%3D%3D");
        assert_eq!(links.page(2), "?page=2&code=a%26b%23c%22%3D%3D#needs");
        assert_eq!(Links::default().namespace("a b/../c"), "policy-status/a+b%2F..%2Fc");
        assert_eq!(Links::default().overview(), "../policy-status");
    }
}
