//! What a walk looks at.

use crate::observation::LinkedService;

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

fn is_meant(name: Option<&str>, service: &LinkedService) -> bool {
    name.is_none_or(|name| service.is_named(name))
}

#[cfg(test)]
mod tests {
    use certificate_management::generation::NamespaceGeneration;

    use super::*;

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
}
