//! What a walk looks at.

use certificate_management::configuration::{ApiGeneration, NamespaceConfiguration};

use crate::observation::{LinkedService, host_label};

/// From this many hinted groups of one DPS on, the walk reads the whole list: one query is cheaper than many reads.
pub(super) const LIST_FROM: usize = 6;

/// What a walk looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Every group of every DPS, or of those that have this name.
    Every(Option<String>),
    /// Every DPS, or those that have this name, without their groups.
    Services(Option<String>),
    /// These groups. A hint may be wrong: a group that does not exist, or a DPS that is not ours, is nothing.
    Groups(Vec<GroupHint>),
}

/// A group that an event, or a person, names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct GroupHint {
    /// The DPS: its name, host name, endpoint or ARM id. `None` where any DPS may have the group.
    pub provisioning_service: Option<String>,
    /// The group's id.
    pub enrollment_group: String,
}

/// The part of a DPS that is in a scope.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wanted<'s> {
    /// The DPS itself.
    Nothing,
    /// Every group.
    All,
    /// The groups with these ids, each told once.
    Some(Vec<&'s str>),
}

impl Scope {
    /// The namespaces that something of the scope can be in, as far as the configuration tells. Where it names the DPS of a
    /// group, only namespaces that name none can have it too: theirs are found by their links.
    #[must_use]
    pub fn within<'n>(&self, namespaces: &'n [NamespaceConfiguration]) -> Vec<&'n NamespaceConfiguration> {
        let all = || namespaces.iter().collect();
        let Self::Groups(hints) = self else { return all() };
        let names: Option<Vec<&str>> =
            hints.iter().map(|hint| hint.provisioning_service.as_deref()).collect();
        let Some(names) = names else { return all() };
        let is_named = |name: &&str| namespaces.iter().any(|namespace| names_service(namespace, name));
        if !names.iter().all(is_named) {
            return all();
        }
        let may_be_linked = |namespace: &NamespaceConfiguration| {
            namespace.provisioning_services.is_empty()
                && namespace.api_generation != ApiGeneration::Credentials
        };
        let fits = |namespace: &&NamespaceConfiguration| {
            may_be_linked(namespace) || names.iter().any(|name| names_service(namespace, name))
        };
        namespaces.iter().filter(fits).collect()
    }

    /// The part of a DPS that is in the scope; `None` when the DPS is not.
    pub(super) fn of(&self, service: &LinkedService) -> Option<Wanted<'_>> {
        match self {
            Self::Every(name) => is_meant(name.as_deref(), service).then_some(Wanted::All),
            Self::Services(name) => is_meant(name.as_deref(), service).then_some(Wanted::Nothing),
            Self::Groups(hints) => {
                let mut ids: Vec<&str> = hints
                    .iter()
                    .filter(|hint| is_meant(hint.provisioning_service.as_deref(), service))
                    .map(|hint| hint.enrollment_group.as_str())
                    .collect();
                ids.sort_unstable_by_key(|id| id.to_ascii_lowercase());
                ids.dedup_by(|a, b| a.eq_ignore_ascii_case(b));
                (!ids.is_empty()).then_some(Wanted::Some(ids))
            }
        }
    }
}

/// Whether the configuration of a namespace names a DPS that is given by its name, host name, endpoint or ARM id.
pub(super) fn names_service(namespace: &NamespaceConfiguration, name: &str) -> bool {
    let label = host_label(name);
    namespace.provisioning_services.iter().any(|named| host_label(named).eq_ignore_ascii_case(&label))
}

fn is_meant(name: Option<&str>, service: &LinkedService) -> bool {
    name.is_none_or(|name| service.is_named(name))
}

#[cfg(test)]
pub(super) mod tests {
    use certificate_management::configuration::Configuration;
    use certificate_management::generation::NamespaceGeneration;

    use super::*;

    /// Namespaces `n0`, `n1`, …, each with the DPS `dN` that the configuration names.
    pub(in crate::walk) fn namespaces(count: usize) -> Vec<NamespaceConfiguration> {
        let tables: Vec<String> = (0..count)
            .map(|index| {
                let group = "/subscriptions/s/resourceGroups/r/providers";
                format!(
                    "[[namespace]]\nid = \"{group}/Microsoft.DeviceRegistry/namespaces/n{index}\"\n\
                     provisioning_services = [\"{group}/Microsoft.Devices/provisioningServices/d{index}\"]\n"
                )
            })
            .collect();
        Configuration::parse(&tables.concat()).unwrap().namespaces
    }

    fn service(name: &str) -> LinkedService {
        LinkedService {
            endpoint: format!("https://{name}"),
            name: name.to_owned(),
            hubs: vec![],
            id: None,
            generation: NamespaceGeneration::default(),
        }
    }

    fn hint(service: Option<&str>, group: &str) -> GroupHint {
        GroupHint { provisioning_service: service.map(str::to_owned), enrollment_group: group.to_owned() }
    }

    #[test]
    fn a_scope_says_for_each_dps_what_of_it_is_meant() {
        let (north, south) = (service("north"), service("south"));
        assert_eq!(Scope::Every(None).of(&north), Some(Wanted::All));
        assert_eq!(Scope::Every(Some("south".into())).of(&north), None);
        assert_eq!(Scope::Services(None).of(&north), Some(Wanted::Nothing));
        assert_eq!(Scope::Services(Some("NORTH".into())).of(&north), Some(Wanted::Nothing));
        assert_eq!(Scope::Services(Some("north".into())).of(&south), None);
        let hints = Scope::Groups(vec![hint(Some("north"), "b"), hint(None, "a"), hint(Some("North"), "B")]);
        assert_eq!(hints.of(&north), Some(Wanted::Some(vec!["a", "b"])), "each once, in any case");
        assert_eq!(hints.of(&south), Some(Wanted::Some(vec!["a"])));
        assert_eq!(Scope::Groups(vec![hint(Some("north"), "a")]).of(&south), None);
    }

    #[test]
    fn a_group_is_looked_for_where_its_dps_is_named_and_where_it_can_be_linked() {
        let mut all = namespaces(4);
        all[2].provisioning_services.clear();
        all[3].provisioning_services.clear();
        all[3].api_generation = ApiGeneration::Credentials;
        let within = |services: &[Option<&str>]| -> Vec<String> {
            let scope = Scope::Groups(services.iter().map(|service| hint(*service, "line-1")).collect());
            scope.within(&all).iter().map(|namespace| namespace.id.name().to_owned()).collect()
        };
        let host = "D1.azure-devices-provisioning.net";
        assert_eq!(within(&[Some(host)]), ["n1", "n2"], "a namespace of the older generation has no links");
        assert_eq!(within(&[Some("d0"), Some("d1")]), ["n0", "n1", "n2"]);
        assert_eq!(within(&[Some("d0"), Some("unknown")]), ["n0", "n1", "n2", "n3"], "it can be anywhere");
        assert_eq!(within(&[Some("d0"), None]), ["n0", "n1", "n2", "n3"]);
        assert_eq!(Scope::Every(None).within(&all).len(), 4);
    }
}
