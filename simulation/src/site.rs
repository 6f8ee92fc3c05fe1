//! Where a call goes, without the names of what it is about: faults are drawn and counted by it.

use std::fmt;

use http::Method;

/// The address that the simulated Azure gives as its own. Nothing listens there.
pub const ADDRESS: &str = "http://127.0.0.1:9";
/// The end of the name of a call site that reads a further page of a list.
pub const NEXT_PAGE: &str = ", next page";

/// A call site, such as `POST namespaces/*/credentials/*/synchronize` or `records: put requests`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Site(String);

/// The services that can be in trouble apart from each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Service {
    /// Azure Resource Manager.
    ResourceManager,
    /// The service API of the DPS.
    Provisioning,
    /// Service Bus.
    Queue,
    /// The storage of the records.
    Records,
    /// The Functions host.
    Host,
}

impl Site {
    /// The site of a call over the network.
    #[must_use]
    pub fn of_call(method: &Method, path: &str) -> Self {
        let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
        let place = match segments.as_slice() {
            ["dps", _, kind] => format!("dps/{kind}"),
            ["dps", _, kind, word @ ("query" | "status")] => format!("dps/{kind}/{word}"),
            ["dps", _, kind, _, rest @ ..] => joined(&["dps", kind, "*"], rest),
            ["servicebus", queue, .., "head"] => format!("servicebus/{queue}/head"),
            ["servicebus", queue, ..] => format!("servicebus/{queue}"),
            other => resource(other),
        };
        Self(format!("{method} {}", place.to_ascii_lowercase()))
    }

    /// The site of a name that is written out.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self(name.to_owned())
    }

    /// The site of a call for a further page of the same list: what fails there fails in the middle of a list.
    #[must_use]
    pub fn next_page(&self) -> Self {
        Self(format!("{}{NEXT_PAGE}", self.0))
    }

    /// The site of an operation on a record: by the first part of its key, since the rest is a name.
    #[must_use]
    pub fn of_record(operation: &str, key: &str) -> Self {
        let kind = key.split('/').next().unwrap_or_default();
        Self(format!("records: {operation} {kind}"))
    }

    /// The site of something that the host does.
    #[must_use]
    pub fn of_host(what: &str) -> Self {
        Self(format!("host: {what}"))
    }

    /// The service that it is at.
    #[must_use]
    pub fn service(&self) -> Service {
        if self.0.starts_with("records: ") {
            return Service::Records;
        }
        if self.0.starts_with("host: ") {
            return Service::Host;
        }
        Service::of_path(self.0.split_once(' ').map_or("", |(_, place)| place))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Service {
    /// The service of a path.
    #[must_use]
    pub fn of_path(path: &str) -> Self {
        match path.split('/').find(|segment| !segment.is_empty()) {
            Some("dps") => Self::Provisioning,
            Some("servicebus") => Self::Queue,
            _ => Self::ResourceManager,
        }
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A path of Resource Manager: what stands behind the last provider, with its names left out.
fn resource(segments: &[&str]) -> String {
    let provider = segments.iter().rposition(|segment| segment.eq_ignore_ascii_case("providers"));
    let Some(at) = provider else { return joined(&[], &without_names(segments)) };
    match &segments[at + 1..] {
        [] => "providers".to_owned(),
        [_] => "providers/*".to_owned(),
        [_, rest @ ..] => joined(&[], &without_names(rest)),
    }
}

/// Kinds and names take turns.
fn without_names<'a>(segments: &[&'a str]) -> Vec<&'a str> {
    let each = segments.iter().enumerate();
    each.map(|(index, segment)| if index % 2 == 1 { "*" } else { *segment }).collect()
}

fn joined(first: &[&str], rest: &[&str]) -> String {
    let parts: Vec<&str> = first.iter().chain(rest).copied().collect();
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_left_out_and_kinds_stay() {
        let namespace =
            "/subscriptions/s/resourceGroups/r/providers/Microsoft.DeviceRegistry/namespaces/contoso";
        for (method, path, site) in [
            (Method::GET, namespace.to_owned(), "GET namespaces/*"),
            (
                Method::POST,
                format!("{namespace}/credentials/default/synchronize"),
                "POST namespaces/*/credentials/*/synchronize",
            ),
            (Method::GET, "/subscriptions/s/providers/Microsoft.Devices/IotHubs".to_owned(), "GET iothubs"),
            (
                Method::GET,
                "/subscriptions/s/providers/Microsoft.DeviceRegistry".to_owned(),
                "GET providers/*",
            ),
            (Method::POST, "/dps/d/enrollmentGroups/query".to_owned(), "POST dps/enrollmentgroups/query"),
            (Method::PUT, "/dps/d/enrollmentGroups/line-1".to_owned(), "PUT dps/enrollmentgroups/*"),
            (Method::POST, "/servicebus/sync-requests/messages".to_owned(), "POST servicebus/sync-requests"),
        ] {
            assert_eq!(Site::of_call(&method, &path).as_str(), site, "{path}");
        }
        assert_eq!(Site::of_record("put", "requests/01A").as_str(), "records: put requests");
    }

    #[test]
    fn each_path_has_its_service() {
        assert_eq!(Service::of_path("/dps/d/enrollmentGroups/query"), Service::Provisioning);
        assert_eq!(Service::of_path("/servicebus/q/messages"), Service::Queue);
        assert_eq!(Service::of_path("/subscriptions/s"), Service::ResourceManager);
    }
}
