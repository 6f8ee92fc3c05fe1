//! `--from GROUP --to GROUP...`: plans which groups change from which policy to which, and which are refused and why.

use certificate_management::plan::saved::{SavedPlan, Wish};
use certificate_management::reason::Reason;
use certificate_management::reference;
use certificate_management::rules;

use crate::commands::operator::command_failure::CommandFailure;
use crate::commands::operator::person::Person;
use crate::commands::operator::plan;
use crate::commands::operator::plan::survey::{Service, Survey};
use crate::commands::operator::wanted::Wanted;

pub(super) async fn plan(person: &Person, from: &str, to: &[String]) -> Result<SavedPlan, CommandFailure> {
    let from = Wanted::parse(from)?;
    let to = to.iter().map(|text| Wanted::parse(text)).collect::<Result<Vec<_>, _>>()?;
    let mut survey = Survey::new(&person.fleet);
    let (source, group) = from.find(&mut survey).await?;
    let name = format!("{}/{}", source.linked.name, group.view.id);
    let Some(policy) = group.view.policy.clone() else {
        return Err(CommandFailure::Failed(format!("`{name}` has no policy that could be copied")));
    };
    let mut targets: Vec<(Service<'_>, azure::Group)> = Vec::new();
    for wanted in to {
        let found = match wanted.is_glob() {
            true => matching(&mut survey, wanted).await,
            false => vec![wanted.find(&mut survey).await?],
        };
        for (service, group) in found {
            let is_same = |known: &(Service<'_>, azure::Group)| {
                known.0.linked.name == service.linked.name && known.1.view.id == group.view.id
            };
            if !targets.iter().any(is_same) {
                targets.push((service, group));
            }
        }
    }
    let mut plan = plan::empty(&person.fleet);
    let origin = format!("copied from {name}");
    let wish = Wish { policy: Some(&policy), origin: &origin };
    let observation = survey.observation(source.configuration).await;
    for (service, group) in &targets {
        if service.configuration.id != source.configuration.id {
            let shown = reference::shown(&policy, source.configuration.id.name());
            let detail = format!(
                "`{shown}` is a policy of {}; this group's provisioning service belongs to {}",
                source.configuration.id.name(),
                service.configuration.id.name()
            );
            let refusal = (Reason::PolicyOfAnotherNamespace, detail);
            plan.add_refused(service.place(), &group.view, wish, refusal);
        } else if let Some(observation) = &observation {
            plan.add_by_wish(service.place(), &group.view, wish, observation);
        }
    }
    if let Some(observation) = &observation {
        plan.add_sync(source.configuration, observation);
    }
    if targets.is_empty() {
        survey.unreadable.push("no group is named by --to".to_owned());
    }
    plan.unreadable = survey.unreadable;
    Ok(plan)
}

/// Every group that matches a glob, on every DPS that it may mean.
async fn matching<'a>(survey: &mut Survey<'a>, wanted: Wanted<'_>) -> Vec<(Service<'a>, azure::Group)> {
    let mut found = Vec::new();
    for (service, groups) in survey.every_group(wanted.service).await {
        let matches = groups.into_iter().filter(|group| rules::matches(wanted.group, &group.view.id));
        found.extend(matches.map(|group| (service.clone(), group)));
    }
    found
}
