//! Where the links of a page lead: within the app, and nowhere else.
//!
//! A person who opened the page with a key in its address needs a key for the next page too, so links carry it on. Only
//! that person gets the page with these links, and the browser sends no address of the page elsewhere
//! (`Referrer-Policy: no-referrer`). The key of one function does not open the other; beside links from one to the other
//! the page says so.

use certificate_management::configuration::RESERVED;
use url::form_urlencoded::byte_serialize;

use crate::reporting::tables::Table;

/// Where a page is, which its links start from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum From {
    /// At the address of a function, such as `/api/policy-status`.
    #[default]
    Top,
    /// One step below, such as `/api/policy-status/contoso`.
    Below,
}

/// The links of a page.
#[derive(Debug, Clone, Default)]
pub struct Links {
    /// The key of the function, as the address has it.
    key: Option<String>,
    from: From,
}

impl Links {
    /// Those of a page that was asked for with this key, if any.
    #[must_use]
    pub fn with_key(key: Option<&str>) -> Self {
        Self { key: key.map(|key| byte_serialize(key.as_bytes()).collect()), from: From::Top }
    }

    /// The same from another place.
    #[must_use]
    pub fn from(self, from: From) -> Self {
        Self { from, ..self }
    }

    /// Whether they carry a key, which may not open every one of them.
    pub(super) fn has_key(&self) -> bool {
        self.key.is_some()
    }

    /// To the report of a namespace, by its address.
    pub(super) fn namespace(&self, address: &str) -> String {
        self.to("policy-status", Some(address))
    }

    /// To the report of all namespaces.
    pub(super) fn overview(&self) -> String {
        self.to("policy-status", None)
    }

    /// To what changed since a time, or in the last day.
    pub(super) fn changes(&self, since: Option<&str>) -> String {
        let address = self.to("policy-status", Some(RESERVED));
        match since {
            Some(since) => {
                let since: String = byte_serialize(since.as_bytes()).collect();
                let mark = if address.contains('?') { '&' } else { '?' };
                format!("{address}{mark}since={since}")
            }
            None => address,
        }
    }

    /// To a table.
    pub(super) fn table(&self, table: Table) -> String {
        self.to("policy-status", Some(table.name()))
    }

    /// To the list of sync requests.
    pub(super) fn requests(&self) -> String {
        self.to("sync-requests", None)
    }

    /// To a sync request.
    pub(super) fn request(&self, id: &str) -> String {
        self.to("sync-requests", Some(id))
    }

    /// From the overview to a page of the findings.
    pub(super) fn page(&self, number: usize) -> String {
        format!("{}#needs", self.page_of_list(number))
    }

    /// From a list to another of its pages.
    pub fn page_of_list(&self, number: usize) -> String {
        match &self.key {
            Some(key) => format!("?page={number}&code={key}"),
            None => format!("?page={number}"),
        }
    }

    fn to(&self, function: &str, below: Option<&str>) -> String {
        let up = if self.from == From::Below { "../" } else { "" };
        let below = below.map_or_else(String::new, |name| {
            let name: String = byte_serialize(name.as_bytes()).collect();
            format!("/{name}")
        });
        let key = self.key.as_ref().map_or_else(String::new, |key| format!("?code={key}"));
        format!("{up}{function}{below}{key}")
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
    }

    #[test]
    fn from_each_place_a_link_leads_to_the_same() {
        for (from, up) in [(From::Top, ""), (From::Below, "../")] {
            let links = Links::default().from(from);
            assert_eq!(links.overview(), format!("{up}policy-status"));
            assert_eq!(links.requests(), format!("{up}sync-requests"));
            assert_eq!(links.request("r-1"), format!("{up}sync-requests/r-1"));
            assert_eq!(links.namespace("north"), format!("{up}policy-status/north"));
            assert_eq!(
                links.changes(Some("2026-11-30T08:00:00Z")),
                format!("{up}policy-status/changes?since=2026-11-30T08%3A00%3A00Z")
            );
            assert_eq!(links.table(Table::Groups), format!("{up}policy-status/groups.csv"));
        }
    }
}
