//! Checks in Azure whether the identity can read what the functions read, and whether the policies that rules name
//! exist. Each read is a row of its own, so that a read that is not permitted hides no other.

use azure::Error;
use certificate_management::ArmId;
use certificate_management::checks::CheckId;
use certificate_management::configuration::lines::Lines;
use certificate_management::configuration::{ApiGeneration, NamespaceConfiguration, analysis};
use certificate_management::declared::Inventory;
use certificate_management::generation::{Generation, NamespaceGeneration};
use certificate_management::model::{Hub, Namespace, ProvisioningState, ReadFailure};
use certificate_management::next_step::{self, Situation};
use certificate_management::plan;
use certificate_management::plural;
use certificate_management::reason::Reason;
use futures::{StreamExt, stream};

use super::asking::{Asking, GROUPS_READER, READER, Right};
use super::readiness_rows::Known;
use super::{Checked, Status, permission_rows, readiness_rows};
use crate::commands::operator::reader;
use crate::failure;
use crate::fleet::Fleet;
use crate::observation::{LinkedService, Observer, named_hubs};
use crate::walk::{Pace, Scope, Visit, VisitedService, walk};

/// How many hubs of one namespace are read at once.
const HUBS_AT_ONCE: usize = 8;

/// The rows of every namespace, in the order of the file.
pub(super) async fn rows(fleet: &Fleet, lines: &Lines, principal: Option<&str>) -> Vec<Checked> {
    let observer = Observer::new(fleet);
    let asking = Asking::of(fleet, principal).await;
    let namespaces: Vec<_> = fleet.configuration.namespaces.iter().collect();
    let look = |visit: Visit<'_>| {
        let index = namespaces.iter().position(|namespace| std::ptr::eq(*namespace, visit.configuration));
        // A walk visits only what it is given.
        let index = index.unwrap_or_default();
        let namespace = &fleet.configuration.namespaces[index];
        let asking = &asking;
        let look = NamespaceCheck { fleet, observer: &observer, lines, index, namespace, principal, asking };
        look.rows(visit.services)
    };
    let (scope, pace) = (Scope::Every(None), Pace::of_a_command());
    let walked = walk(fleet, &observer, &namespaces, &scope, pace, None, look).await;
    walked
        .into_iter()
        .flat_map(|(namespace, rows)| {
            let name = namespace.id.name();
            rows.unwrap_or_else(|| {
                let (right, error) =
                    (reader_of(namespace.id.as_str()), Error::timed_out("reading the namespace"));
                vec![asking.unread("namespace", name, &error, right, &situation(fleet, namespace))]
            })
        })
        .collect()
}

/// What is checked of one namespace.
struct NamespaceCheck<'a> {
    fleet: &'a Fleet,
    observer: &'a Observer<'a>,
    lines: &'a Lines,
    index: usize,
    namespace: &'a NamespaceConfiguration,
    principal: Option<&'a str>,
    asking: &'a Asking,
}

impl NamespaceCheck<'_> {
    fn situation(&self, generation: NamespaceGeneration) -> Situation<'_> {
        situation(self.fleet, self.namespace).in_generation(generation)
    }

    /// What the caller could not read; `scope`: where `Reader` lets them.
    fn unread(&self, check: &'static str, subject: &str, error: &Error, scope: &str) -> Checked {
        let situation = situation(self.fleet, self.namespace);
        self.asking.unread(check, subject, error, reader_of(scope), &situation)
    }

    async fn rows(self, services: Result<Vec<VisitedService>, Error>) -> Vec<Checked> {
        let mut rows = Vec::new();
        let name = self.namespace.id.name();
        let mut is_readable = true;
        let namespace = match self.observer.registered(self.namespace).await {
            Ok(seen) => {
                let generation = match seen.generation {
                    NamespaceGeneration::Credentials => String::new(),
                    other => format!(", {other}"),
                };
                rows.push(Checked::ok(
                    "namespace",
                    name,
                    format!("{}, {}{generation}", seen.location, seen.provisioning_state),
                ));
                seen
            }
            Err(error) => {
                rows.push(self.unread("namespace", name, &error, self.namespace.id.as_str()));
                is_readable = false;
                // `check` goes on with the rest all the same, so that a person sees everything that is missing at once.
                Namespace {
                    id: self.namespace.id.clone(),
                    location: String::new(),
                    provisioning_state: ProvisioningState::Other(String::new()),
                    generation: match self.namespace.api_generation {
                        ApiGeneration::CertificateAuthorities => NamespaceGeneration::CertificateAuthorities,
                        ApiGeneration::Auto | ApiGeneration::Credentials => NamespaceGeneration::Credentials,
                    },
                    links: Vec::new(),
                }
            }
        };
        let inventory = self.fleet.azure.registry().inventory(&namespace.id, namespace.generation).await;
        self.policies(&namespace, &inventory, &mut rows).await;
        let hubs = self.hubs(&namespace, &mut rows).await;
        let linked = services.iter().flatten().filter_map(|visited| visited.service.id.clone()).collect();
        self.provisioning_services(services, &mut rows);
        if is_readable {
            self.unnamed(&mut rows).await;
        }
        if is_readable {
            let namespace = namespace.clone();
            let known = Known { namespace, inventory, hubs, provisioning_services: linked };
            let situation = self.situation(known.namespace.generation);
            rows.extend(readiness_rows::rows(self.fleet, known, self.asking, &situation).await);
        } else {
            let next_step = "See the row of the namespace.";
            let message = "could not be checked: the namespace could not be read";
            rows.push(Checked::failed("link-state", name, message, next_step));
        }
        let (fleet, observer) = (self.fleet, self.observer);
        rows.extend({
            let asking = (self.principal, self.asking);
            permission_rows::rows(fleet, observer, self.namespace, &namespace, asking).await
        });
        rows
    }

    async fn policies(
        &self,
        namespace: &Namespace,
        inventory: &Result<Inventory, Error>,
        rows: &mut Vec<Checked>,
    ) {
        let name = self.namespace.id.name();
        // Who may not read everything else of the namespace may be able to read its policies.
        let policies = match inventory {
            Ok(inventory) => Ok(inventory.policies.clone()),
            Err(_) => self.fleet.azure.registry().policies(namespace).await,
        };
        let policies = match policies {
            Ok(policies) => policies,
            Err(error) => {
                return rows.push(self.unread("policies", name, &error, self.namespace.id.as_str()));
            }
        };
        let names: Vec<String> = policies.iter().map(|policy| policy.name.clone()).collect();
        if policies.iter().any(plan::is_active) {
            rows.push(Checked::ok("policies", name, names.join(", ")));
        } else {
            rows.push(by_reason("policies", name, Reason::NoPolicies, &self.situation(namespace.generation)));
        }
        let unknown = analysis::unknown_policies(&self.fleet.configuration, self.index, &names, self.lines);
        if unknown.is_empty() {
            rows.push(Checked::ok("rule-policies", name, "every policy that the rules name exists"));
        }
        rows.extend(unknown.into_iter().map(|problem| Checked::of(problem, name)));
    }

    /// The linked hubs, each with the number of its CA certificates.
    async fn hubs(
        &self,
        namespace: &Namespace,
        rows: &mut Vec<Checked>,
    ) -> Vec<(Hub, Result<usize, ReadFailure>)> {
        let name = self.namespace.id.name();
        let mut linked: Vec<Hub> = named_hubs(namespace);
        let mut all_listed = true;
        let has_credential = namespace.generation.has(Generation::Credentials);
        let searched = if has_credential { self.namespace.subscriptions() } else { Vec::new() };
        for subscription in searched {
            match self.observer.hubs_of(&subscription).await {
                Ok(hubs) => {
                    for hub in hubs.iter().filter(|hub| hub.namespace_id.as_ref() == Some(&self.namespace.id))
                    {
                        if !linked.iter().any(|known| known.id == hub.id) {
                            linked.push(hub.clone());
                        }
                    }
                }
                Err(error) => {
                    all_listed = false;
                    let subject = format!("{name} / subscription {subscription}");
                    rows.push(self.unread("hubs", &subject, &error, &of_subscription(&subscription)));
                }
            }
        }
        if linked.is_empty() && all_listed {
            rows.push(by_reason("hubs", name, Reason::NoHubsLinked, &self.situation(namespace.generation)));
        }
        let reads: Vec<_> = linked.iter().map(|hub| self.hub(hub, namespace.generation)).collect();
        let read: Vec<_> = stream::iter(reads).buffered(HUBS_AT_ONCE).collect().await;
        let (checked, counts): (Vec<Checked>, Vec<_>) = read.into_iter().unzip();
        rows.extend(checked);
        linked.into_iter().zip(counts).collect()
    }

    async fn hub(&self, hub: &Hub, generation: NamespaceGeneration) -> (Checked, Result<usize, ReadFailure>) {
        let subject = format!("{} / {}", self.namespace.id.name(), hub.name);
        match self.fleet.azure.hubs().certificates(&hub.id, generation).await {
            Ok(certificates) => {
                let message = plural::count(certificates.len(), "CA certificate");
                (Checked::ok("hub", subject, message), Ok(certificates.len()))
            }
            Err(error) => (self.unread("hub", &subject, &error, hub.id.as_str()), Err(failure::of(&error))),
        }
    }

    fn provisioning_services(&self, services: Result<Vec<VisitedService>, Error>, rows: &mut Vec<Checked>) {
        match services {
            Ok(services) => {
                for visited in services {
                    rows.push(self.provisioning_service(&visited.service));
                    rows.push(self.enrollment_groups(&visited));
                }
            }
            Err(error) => {
                let scope = failure::denied_scope(error.message()).map(str::to_owned);
                let scope = scope.unwrap_or_else(|| self.own_subscription());
                rows.push(self.unread("provisioning-services", self.namespace.id.name(), &error, &scope));
            }
        }
    }

    /// What is linked and that the file does not name.
    async fn unnamed(&self, rows: &mut Vec<Checked>) {
        let name = self.namespace.id.name();
        let check = CheckId::NotInFile.code();
        let unnamed = match self.observer.unnamed(self.namespace).await {
            Ok(unnamed) => unnamed,
            // What is named could be read, or has a row of its own that says why not.
            Err(error) => {
                let scope = failure::denied_scope(error.message()).map(str::to_owned);
                let row = self.unread(check, name, &error, &scope.unwrap_or_else(|| self.own_subscription()));
                return rows.push(Checked { status: Status::Warning, ..row });
            }
        };
        if unnamed.is_empty() {
            rows.push(Checked::ok(check, name, "everything that is linked is named in policysync.toml"));
        }
        rows.extend(unnamed.iter().map(|id| {
            let reason = match id.is_of_type("Microsoft.DeviceRegistry/namespaces") {
                true => Reason::NamespaceNotNamed,
                false => Reason::ServiceNotNamed,
            };
            let row = by_reason(
                check,
                &format!("{name} / {}", id.name()),
                reason,
                &situation(self.fleet, self.namespace),
            );
            // It may be meant, so it fails no deployment.
            Checked { status: Status::Warning, message: format!("{}\n{id}", row.message), ..row }
        }));
    }

    fn provisioning_service(&self, service: &LinkedService) -> Checked {
        let subject = format!("{} / {}", self.namespace.id.name(), service.name);
        if service.hubs.is_empty() {
            return Checked::failed(
                "provisioning-service",
                subject,
                "the hubs that it allocates devices to are not known, so rules that select by hubs match none of its groups",
                "Add the subscription of the DPS to `scopes`, or link it to its hubs.",
            );
        }
        Checked::ok("provisioning-service", subject, plural::count(service.hubs.len(), "linked hub"))
    }

    fn enrollment_groups(&self, visited: &VisitedService) -> Checked {
        let subject = format!("{} / {}", self.namespace.id.name(), visited.service.name);
        match visited.unread.first() {
            None => Checked::ok(
                "enrollment-groups",
                subject,
                plural::count(visited.groups.len(), "enrollment group"),
            ),
            Some(unread_groups) => {
                let scope = visited.service.id.as_ref().map(ArmId::as_str);
                let right = Right { role: GROUPS_READER, scope };
                let situation = situation(self.fleet, self.namespace);
                self.asking.unread("enrollment-groups", &subject, &unread_groups.error, right, &situation)
            }
        }
    }

    fn own_subscription(&self) -> String {
        of_subscription(self.namespace.id.subscription())
    }
}

/// What is so about a namespace and about who runs this, before its generation is known.
fn situation<'f>(fleet: &Fleet, namespace: &'f NamespaceConfiguration) -> Situation<'f> {
    Situation::of(namespace, fleet.kill_switch, reader::caller()).at(fleet.now())
}

fn by_reason(check: &'static str, subject: &str, reason: Reason, situation: &Situation<'_>) -> Checked {
    Checked::failed(check, subject, reason.meaning(), next_step::of(reason, situation))
}

fn reader_of(scope: &str) -> Right<'_> {
    Right { role: READER, scope: Some(scope) }
}

fn of_subscription(subscription: &str) -> String {
    format!("/subscriptions/{subscription}")
}

#[cfg(test)]
mod tests {
    use certificate_management::configuration::{Configuration, Mode, Sync};
    use certificate_management::next_step::Caller;

    use super::*;

    /// Every reason that a row of `check` is made from; what could not be read is `next_step::of_unread`, whose own test has it.
    fn reasons() -> Vec<Reason> {
        vec![Reason::NoPolicies, Reason::NoHubsLinked, Reason::NamespaceNotNamed, Reason::ServiceNotNamed]
    }

    /// The sentence that would break it: a row names a command that is refused where it is read.
    #[test]
    fn no_row_names_a_command_that_would_be_refused() {
        let id = "/subscriptions/S/resourceGroups/R/providers/Microsoft.DeviceRegistry/namespaces/contoso";
        let mut seen = 0;
        for (mode, sync) in [("audit", "ask"), ("enforce", "ask"), ("enforce", "automatic")] {
            let text = format!("[[namespace]]\nid = \"{id}\"\nmode = \"{mode}\"\nsync = \"{sync}\"");
            let configuration = Configuration::parse(&text).unwrap();
            let namespace = &configuration.namespaces[0];
            for kill_switch in [false, true] {
                for caller in [Caller::Person, Caller::Pipeline] {
                    for generation in
                        [NamespaceGeneration::Credentials, NamespaceGeneration::CertificateAuthorities]
                    {
                        let situation =
                            Situation::of(namespace, kill_switch, caller).in_generation(generation);
                        let of_reasons = reasons()
                            .into_iter()
                            .map(|reason| by_reason("x", "contoso", reason, &situation).next_step.unwrap());
                        for next in of_reasons {
                            seen += 1;
                            let writes = namespace.effective_mode(kill_switch) == Mode::Enforce;
                            let pushed = generation == NamespaceGeneration::CertificateAuthorities;
                            let told =
                                format!("{mode} {sync} {kill_switch} {caller:?} {generation:?}: {next}");
                            assert!(!next.contains("policysync submit") || (writes && !pushed), "{told}");
                            assert!(!next.contains("--apply") || !kill_switch, "{told}");
                            assert!(!next.contains("az login") || caller == Caller::Person, "{told}");
                            let comes = writes && namespace.sync == Sync::Automatic && !pushed;
                            assert!(!next.contains("synced by itself") || comes, "{told}");
                            let reconciles = writes || !next.contains("reconcile");
                            assert!(reconciles, "{told}");
                        }
                    }
                }
            }
        }
        assert!(seen > 90, "{seen}");
    }
}
