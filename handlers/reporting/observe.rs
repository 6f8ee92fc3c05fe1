//! Looking at every namespace, for the report and for the command `status`.

use certificate_management::configuration::NamespaceConfiguration;
use certificate_management::report::{NamespaceInput, ProvisioningServiceInput, ReportInput};
use futures::{StreamExt, stream};

use crate::application::Application;
use crate::failure;
use crate::observation::Observer;

/// How many namespaces are looked at, at once.
const NAMESPACES_AT_ONCE: usize = 4;

/// Observes every namespace; reads no records and writes nothing.
pub async fn observe(application: &Application) -> ReportInput<'_> {
    let observer = Observer::new(application);
    let namespaces = &application.configuration.namespaces;
    let reads: Vec<_> = namespaces.iter().map(|namespace| observe_one(&observer, namespace)).collect();
    ReportInput {
        configuration: &application.configuration,
        kill_switch: application.kill_switch,
        namespaces: stream::iter(reads).buffered(NAMESPACES_AT_ONCE).collect().await,
        records: None,
        // After the reads, which may have met some.
        surprises: application.azure.surprises().iter().map(ToString::to_string).collect(),
        early_devices: Vec::new(),
        now: application.now(),
    }
}

async fn observe_one<'a>(
    observer: &Observer<'_>,
    configuration: &'a NamespaceConfiguration,
) -> NamespaceInput<'a> {
    let observation = observer.namespace(configuration).await.map_err(|error| failure::of(&error));
    let services = match observer.provisioning_services(configuration).await {
        Ok(services) => services,
        Err(error) => {
            let provisioning_services = Err(failure::of(&error));
            return NamespaceInput { configuration, observation, provisioning_services };
        }
    };
    let mut provisioning_services = Vec::new();
    for service in services {
        let groups = observer.enrollment_groups(&service.endpoint).await;
        provisioning_services.push(ProvisioningServiceInput {
            endpoint: service.endpoint,
            hubs: service.hubs,
            enrollment_groups: groups
                .map(|groups| groups.to_vec())
                .map_err(|error| failure::of_enrollment_groups(&error)),
        });
    }
    NamespaceInput { configuration, observation, provisioning_services: Ok(provisioning_services) }
}
