//! `--migrate`: plans the move of the groups that name a policy of the previous generation to its successor.

use certificate_management::plan::saved::SavedPlan;

use crate::commands::operator::person::Person;
use crate::commands::operator::plan;
use crate::commands::operator::plan::survey::Survey;

pub(super) async fn plan(person: &Person) -> SavedPlan {
    let mut survey = Survey::new(&person.fleet);
    let mut plan = plan::empty(&person.fleet);
    for (service, groups) in survey.every_group(None).await {
        if service.configuration.migrations.is_empty() {
            continue;
        }
        let Some(observation) = survey.observation(service.configuration).await else { continue };
        for group in &groups {
            if !plan.add_by_migration(service.place(), &group.view, &observation) {
                plan.unchanged += 1;
            }
        }
        plan.add_sync(service.configuration, &observation);
    }
    if person.fleet.configuration.namespaces.iter().all(|namespace| namespace.migrations.is_empty()) {
        let problem =
            "policysync.toml has no [[namespace.migration]]: nothing says what takes the place of what";
        survey.unreadable.push(problem.to_owned());
    }
    plan.unreadable = survey.unreadable;
    plan
}
