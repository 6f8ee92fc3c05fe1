//! One pass over what the file declares in a namespace: a look, and each write that can be done then. A function makes one, a
//! command as many as it has patience for.

use std::collections::HashMap;

use azure::{LongRunningOperation, OperationStatus};
use certificate_management::configuration::NamespaceConfiguration;
use certificate_management::declared::{Resource, Step, Write};
use tokio::time::Instant;

use super::{Authorities, NotWritten};

/// What came of the writes of one run, in one namespace.
#[derive(Default)]
pub struct Passes {
    /// What the service has taken. It is not written again in this run, though a look may not show it yet: a read may be
    /// older than the write.
    pub taken: Vec<Resource>,
    /// Why a write was not taken, by the resource. It is not tried again in this run.
    pub failed: HashMap<Resource, NotWritten>,
    /// The operations that have not ended, each with what it is about.
    pub operations: Vec<(Resource, LongRunningOperation)>,
}

impl Passes {
    /// Does the writes of these steps in their order, each unless the run has had an answer to it; none begins after `until`.
    /// `tell` hears of each before it is sent.
    pub async fn write(
        &mut self,
        authorities: &Authorities<'_>,
        configuration: &NamespaceConfiguration,
        steps: &[Step],
        until: Instant,
        tell: impl Fn(&Resource, &Write),
    ) {
        for step in steps {
            let resource = &step.resource;
            let is_answered = self.failed.contains_key(resource) || self.taken.contains(resource);
            let Some(write) = step.write().filter(|_| !is_answered) else { continue };
            if Instant::now() >= until {
                return;
            }
            tell(resource, write);
            match authorities.write(configuration, resource, write).await {
                Ok(operation) => {
                    self.taken.push(resource.clone());
                    if operation.url.is_some() {
                        self.operations.push((resource.clone(), operation));
                    }
                }
                Err(why) => {
                    self.failed.insert(resource.clone(), why);
                }
            }
        }
    }

    /// Asks once about each open operation, since only it tells why the service did not do what it had taken. Whether it
    /// was done shows at the resource, so an operation that cannot be asked about is no loss.
    pub async fn ask(&mut self, authorities: &Authorities<'_>) {
        for (resource, operation) in std::mem::take(&mut self.operations) {
            match authorities.fleet.azure.arm().operation_status(&operation).await {
                Ok(OperationStatus::Failed { code, message }) => {
                    let why = format!("{code}: {message}");
                    self.failed.insert(resource, NotWritten { why, may_pass: false });
                }
                Ok(OperationStatus::Running { .. }) => self.operations.push((resource, operation)),
                Ok(OperationStatus::Succeeded | OperationStatus::Unknown) | Err(_) => {}
            }
        }
    }
}
