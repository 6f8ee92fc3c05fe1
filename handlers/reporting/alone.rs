//! Makes the report of one namespace when a caller asks for it, of its section as it is then.

use certificate_management::configuration::NamespaceConfiguration;
use certificate_management::facts::NamespaceFacts;
use certificate_management::report::{Fold, Report};

use super::remembered::{LastAssignments, Remembered};
use crate::application::Application;
use crate::sections;

/// Makes it. What concerns the fleet as a whole is in the overview.
///
/// # Errors
/// When the section cannot be read.
pub async fn of_namespace(
    application: &Application,
    configuration: &NamespaceConfiguration,
) -> Result<Report, state::Error> {
    let (fleet, store) = (&application.fleet, &application.store);
    let section = sections::read(store, &configuration.id).await?;
    let Remembered { requests, mut fleet_records } = Remembered::read(store).await;
    let of_it = |id: &certificate_management::ArmId| *id == configuration.id;
    let requests = requests.into_iter().filter(|record| of_it(&record.request.namespace_id)).collect();
    let input = section.into_input(configuration);
    let facts = NamespaceFacts::of(&input);
    let mut last_assignments = LastAssignments::new(store);
    let last = last_assignments.of(&facts.astray()).await;
    last_assignments.tell(&mut fleet_records);
    // That the report before is old is no matter of this namespace.
    fleet_records.previous_report_at = None;
    fleet_records.holds.retain(|holds| of_it(&holds.namespace_id));
    let mut fold = Fold::new(&fleet.configuration, fleet.kill_switch, Some(requests), fleet.now())
        .with_all_details()
        .of_one_namespace()
        .holding(fleet_records.holds.clone());
    fold.add(facts, last);
    Ok(fold.finish(Some(&fleet_records), &[]))
}
