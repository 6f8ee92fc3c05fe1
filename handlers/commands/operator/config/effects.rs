//! Looks at Azure under one version of the configuration: what would become of each group.

use certificate_management::difference::GroupFate;

use crate::commands::operator::plan::survey::Survey;
use crate::fleet::Fleet;

/// What becomes of each group, and what could not be read, each as a sentence.
pub async fn of(fleet: &Fleet) -> (Vec<GroupFate>, Vec<String>) {
    let mut survey = Survey::new(fleet);
    let mut fates = Vec::new();
    for (service, groups) in survey.every_group(None).await {
        let Some(observation) = survey.observation(service.configuration).await else { continue };
        let of = |group: &azure::Group| GroupFate::of(service.place(), &group.view, &observation);
        fates.extend(groups.iter().map(of));
    }
    (fates, survey.unreadable)
}
