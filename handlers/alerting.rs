//! Brings findings to the topic: records each event before the reply that carries it, and confirms it once the reply
//! was handed over.
//!
//! The ledger is one record under compare-and-swap, so of two instances that see the same finding one announces it. A
//! run that changes nothing writes nothing.

use certificate_management::alerting::{FindingEvent, FindingState, Ledger};
use certificate_management::report::Report;
use state::{Change, Store, WriteError};
use time::OffsetDateTime;

/// Key of the ledger among the records.
pub const LEDGER: &str = "alerts/ledger";

/// Records the findings to announce now; answers the events to deliver.
///
/// # Errors
/// When the ledger cannot be read or written; then nothing must be delivered.
pub async fn announce(
    store: &Store,
    report: &Report,
    now: OffsetDateTime,
) -> Result<Vec<FindingEvent>, WriteError> {
    let mut events = Vec::new();
    let decide = |existing: Option<Ledger>| {
        let mut ledger = existing.unwrap_or_default();
        events = ledger.advance(report, now);
        // Whatever changes it is an event. A copy to compare with would be as large as all open alerts.
        if events.is_empty() { Change::Keep } else { Change::Write(ledger) }
    };
    store.modify(LEDGER, decide).await?;
    Ok(events)
}

/// Records that events were handed over, so that no run sends them again.
///
/// # Errors When the ledger cannot be read or written; then the next run sends them again, with the same ids.
pub async fn confirm(store: &Store, event_ids: &[String]) -> Result<(), WriteError> {
    let decide = |existing: Option<Ledger>| {
        let Some(mut ledger) = existing else { return Change::Keep };
        let pending = ledger.pending.len();
        ledger.confirm(event_ids);
        if ledger.pending.len() == pending { Change::Keep } else { Change::Write(ledger) }
    };
    store.modify(LEDGER, decide).await.map(|_| ())
}

/// The log record of an event. An alert rule can match its text: `finding raised: `, `finding escalated: `, `finding
/// cleared: `, then check, severity and step.
pub fn log(event: &FindingEvent) {
    let finding = &event.data.finding;
    let mut text = format!(
        "finding {}: {} {} {}: {}: {}",
        event.data.state, finding.check, finding.severity, event.data.step, finding.subject, finding.message
    );
    if let Some(cause) = &event.data.follows_from {
        text.push_str(&format!(" (follows from {}: {})", cause.check, cause.subject));
    }
    let next_step = finding.next_step.as_str();
    match event.data.state {
        FindingState::Cleared => tracing::info!(event.id, "{text}"),
        FindingState::Raised | FindingState::Escalated => tracing::warn!(event.id, next_step, "{text}"),
    }
}

/// Two instances over one store, a clock that walks 120 days, and processes that die between the record and the
/// delivery.
#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use certificate_management::ArmId;
    use certificate_management::configuration::Configuration;
    use certificate_management::issuers::SeenIssuers;
    use certificate_management::model::{
        Hub, HubCertificate, IssuingCa, Namespace, Policy, ProvisioningState, ReadFailure,
    };
    use certificate_management::plan::{Observation, ObservedHub};
    use certificate_management::report::{self, Counted, Looks, NamespaceInput, ReportInput};
    use certificate_management::trust_over_time::TrustOverTime;
    use time::macros::datetime;
    use time::{Duration, OffsetDateTime};

    use super::*;

    const START: OffsetDateTime = datetime!(2026-11-25 00:05 UTC);
    const ID: &str =
        "/subscriptions/S/resourceGroups/R/providers/Microsoft.DeviceRegistry/namespaces/contoso";

    /// Two policies on one hub. `expiring` ends after 100 days and no person acts; `rotating` ends after 20 and is renewed on day
    /// 10, and the hub learns it on day 11, where the older CA stays until day 50.
    fn world(day: i64) -> Result<Observation, ReadFailure> {
        // On two days nothing can be read: neither is a reason to clear anything.
        if matches!(day, 30 | 45) {
            return Err(ReadFailure::other("the service did not answer"));
        }
        let id = ArmId::parse(ID).unwrap();
        let policy_id = |name: &str| id.child("credentials", "default").child("policies", name);
        let policy = |name: &str, end: OffsetDateTime| Policy {
            id: policy_id(name),
            name: name.to_owned(),
            provisioning_state: ProvisioningState::Succeeded,
            issuing_ca: IssuingCa { not_after: Some(end), ..IssuingCa::default() },
            leaf_validity_days: Some(1),
            bring_your_own_root: None,
        };
        let certificate = |policy: &str, name: &str, end: OffsetDateTime| HubCertificate {
            name: name.to_owned(),
            issuer_id: Some(policy_id(policy)),
            subject: None,
            thumbprint: None,
            expiry: Some(end),
            is_verified: Some(true),
        };
        let (expiring, older, renewed) =
            (START + Duration::days(100), START + Duration::days(20), START + Duration::days(900));
        let mut certificates = vec![certificate("expiring", "c-1", expiring)];
        if day < 50 {
            certificates.push(certificate("rotating", "c-2", older));
        }
        if day >= 11 {
            certificates.push(certificate("rotating", "c-3", renewed));
        }
        Ok(Observation {
            authorities: Vec::new(),
            policies: vec![
                policy("expiring", expiring),
                policy("rotating", if day < 10 { older } else { renewed }),
            ],
            hubs: vec![ObservedHub {
                hub: Hub {
                    id: ArmId::parse(
                        "/subscriptions/S/resourceGroups/R/providers/Microsoft.Devices/IotHubs/h1",
                    )
                    .unwrap(),
                    name: "h1".into(),
                    host_name: "h1.azure-devices.net".into(),
                    namespace_id: Some(id.clone()),
                },
                certificates: Ok(certificates),
            }],
            namespace: Namespace {
                id,
                location: "westeurope".into(),
                provisioning_state: ProvisioningState::Succeeded,
                generation: Default::default(),
                links: Vec::new(),
            },
            seen_at: START + Duration::days(day),
        })
    }

    fn report(configuration: &Configuration, day: i64, now: OffsetDateTime) -> Report {
        report::build(&ReportInput {
            configuration,
            kill_switch: false,
            namespaces: vec![NamespaceInput {
                configuration: &configuration.namespaces[0],
                observation: world(day),
                provisioning_services: Ok(Vec::new()),
                counted: Counted::default(),
                declared: None,
                links: None,
                issuers: SeenIssuers::default(),
                trust: TrustOverTime::default(),
                looks: Looks::at(now),
            }],
            records: None,
            surprises: Vec::new(),
            standing: None,
            now,
        })
    }

    /// Walks the days. In the runs that `dies` names, the process that wins is killed between the record and the
    /// delivery. Answers the events that the topic got, in order.
    async fn walk(dies: impl Fn(i64) -> bool) -> Vec<FindingEvent> {
        let configuration = Configuration::parse(&format!("[[namespace]]\nid = \"{ID}\"\n")).unwrap();
        let store = Store::memory();
        let mut topic = Vec::new();
        for day in 0..=120 {
            // Two instances fire at the same moment, and the timer of one fires again, late, a quarter of an hour after.
            for minutes in [0, 15] {
                let now = START + Duration::days(day) + Duration::minutes(minutes);
                let report = report(&configuration, day, now);
                let (first, second) =
                    tokio::join!(announce(&store, &report, now), announce(&store, &report, now));
                for events in [first.unwrap(), second.unwrap()] {
                    if minutes == 0 && dies(day) {
                        continue;
                    }
                    let ids: Vec<String> = events.iter().map(|event| event.id.clone()).collect();
                    topic.extend(events);
                    confirm(&store, &ids).await.unwrap();
                }
            }
        }
        topic
    }

    fn told(topic: &[FindingEvent]) -> BTreeMap<String, Vec<String>> {
        let mut told: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for event in topic {
            let step = match event.data.state {
                FindingState::Cleared => "cleared".to_owned(),
                FindingState::Raised | FindingState::Escalated => event.data.step.clone(),
            };
            told.entry(event.subject.clone()).or_default().push(step);
        }
        told
    }

    fn expected() -> BTreeMap<String, Vec<String>> {
        let list = |steps: &[&str]| steps.iter().map(ToString::to_string).collect::<Vec<_>>();
        BTreeMap::from([
            (
                "ca-expiring/contoso / expiring".to_owned(),
                list(&["90-days", "60-days", "30-days", "14-days", "7-days", "1-day", "expired"]),
            ),
            ("ca-expiring/contoso / rotating".to_owned(), list(&["30-days", "14-days", "cleared"])),
            ("hub-untrusting/contoso / rotating / h1".to_owned(), list(&["critical", "cleared"])),
            ("ca-leftover/contoso / rotating / h1".to_owned(), list(&["warning", "cleared"])),
            // A leaf of one day does not fit into the CA's last day, and a week before that day it is said that it will not.
            ("ca-shorter-than-leaf/contoso / expiring".to_owned(), list(&["soon", "now", "cleared"])),
            // On each of the two days.
            ("unreadable/contoso".to_owned(), list(&["critical", "cleared", "critical", "cleared"])),
        ])
    }

    #[tokio::test]
    async fn over_120_days_two_instances_tell_each_step_once_and_each_clearing_once() {
        let topic = walk(|_| false).await;
        assert_eq!(told(&topic), expected());
        let mut ids: Vec<&str> = topic.iter().map(|event| event.id.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), topic.len(), "an id came twice");
    }

    #[tokio::test]
    async fn killed_between_record_and_delivery_the_next_run_tells_the_same_with_the_same_id() {
        let lived = walk(|_| false).await;
        let died = walk(|_| true).await;
        assert_eq!(told(&died), expected());
        let ids = |topic: &[FindingEvent]| {
            let mut ids: Vec<String> = topic.iter().map(|event| event.id.clone()).collect();
            ids.sort_unstable();
            ids
        };
        assert_eq!(ids(&died), ids(&lived));
    }

    #[tokio::test]
    async fn an_unchanged_world_is_neither_told_nor_written_again() {
        let configuration = Configuration::parse(&format!("[[namespace]]\nid = \"{ID}\"\n")).unwrap();
        let store = Store::memory();
        let report = report(&configuration, 5, START);
        let events = announce(&store, &report, START).await.unwrap();
        assert!(!events.is_empty());
        confirm(&store, &events.iter().map(|event| event.id.clone()).collect::<Vec<_>>()).await.unwrap();
        let version = || async { store.get::<Ledger>(LEDGER).await.unwrap().unwrap().version };
        let before = version().await;
        assert_eq!(announce(&store, &report, START + Duration::days(1)).await.unwrap(), []);
        assert_eq!(version().await, before);
    }
}
