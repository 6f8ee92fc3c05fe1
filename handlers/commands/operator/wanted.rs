//! `[dps/]group`: finds the group that a person means.

use azure::Group;

use crate::commands::operator::command_failure::CommandFailure;
use crate::commands::operator::plan::survey::{Service, Survey};

/// A group as a person names it. Ids of groups have no slash (`azure-wire-facts.md` §3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted<'t> {
    /// The name of its DPS.
    pub service: Option<&'t str>,
    /// Its id, or a glob.
    pub group: &'t str,
}

impl<'t> Wanted<'t> {
    /// Reads `[dps/]group`.
    ///
    /// # Errors
    /// `Usage` when a part is empty or there are more.
    pub fn parse(text: &'t str) -> Result<Self, CommandFailure> {
        let (service, group) = match text.split_once('/') {
            Some((service, group)) => (Some(service), group),
            None => (None, text),
        };
        if group.is_empty() || group.contains('/') || service.is_some_and(str::is_empty) {
            return Err(CommandFailure::Usage(format!("`{text}`: a group is given by its id, or as DPS/ID")));
        }
        Ok(Self { service, group })
    }

    /// Whether it may mean several groups.
    pub fn is_glob(&self) -> bool {
        self.group.contains(['*', '?'])
    }

    /// The one group that the person means.
    ///
    /// # Errors
    /// `Usage` when several DPS have one of this id, listing them; `Failed` when there is none, or when a DPS that may have
    /// one cannot be read.
    pub async fn find<'a>(&self, survey: &mut Survey<'a>) -> Result<(Service<'a>, Group), CommandFailure> {
        let before = survey.unreadable.len();
        let looked_at = survey.named(self.service, self.group).await;
        let is_known = !looked_at.is_empty();
        let mut found: Vec<_> =
            looked_at.into_iter().filter_map(|(service, group)| Some((service, group?))).collect();
        if found.len() > 1 {
            let places = found.iter().map(|(service, group)| {
                format!("  {}/{}  in {}", service.linked.name, group.view.id, service.configuration.id)
            });
            return Err(CommandFailure::Usage(format!(
                "group `{}` exists on {} provisioning services; name one as DPS/GROUP:\n{}",
                self.group,
                found.len(),
                places.collect::<Vec<_>>().join("\n")
            )));
        }
        // A DPS that cannot be read may have a second group of this id, or the only one. Where the person names the
        // DPS, the group that was found is the one: names of DPS are unique.
        let is_settled = self.service.is_some() && !found.is_empty();
        if survey.unreadable.len() > before && !is_settled {
            return Err(CommandFailure::Failed(format!(
                "group `{}` cannot be looked for everywhere:\n{}",
                self.group,
                survey.unreadable.join("\n")
            )));
        }
        found.pop().ok_or_else(|| match self.service {
            Some(service) if !is_known => {
                CommandFailure::Failed(format!("policysync.toml has no provisioning service `{service}`"))
            }
            Some(service) => CommandFailure::Failed(format!("`{service}` has no group `{}`", self.group)),
            None => CommandFailure::Failed(format!("no provisioning service has a group `{}`", self.group)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_named_alone_or_with_its_dps() {
        let wanted = Wanted::parse("contoso-dps/line-*").unwrap();
        assert_eq!((wanted.service, wanted.group, wanted.is_glob()), (Some("contoso-dps"), "line-*", true));
        assert!(!Wanted::parse("line-1").unwrap().is_glob());
        for text in ["", "/", "dps/", "/line-1", "a/b/c"] {
            assert!(matches!(Wanted::parse(text), Err(CommandFailure::Usage(_))), "{text}");
        }
    }
}
