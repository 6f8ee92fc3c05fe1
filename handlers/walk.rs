//! The one way through the namespaces of the configuration, their DPS, and the groups of those.
//!
//! The walk visits several namespaces at once, and subscriptions beside each other, each as fast as its budget lets it, or
//! spread over the time of the walk where it needs a large part of that budget ([`spread`]). The reads of a visit have a
//! deadline, and no visit begins when the time of the walk is over. So a namespace that hangs costs its own turn; [`turns`]
//! sees to it that the next walk begins with the namespaces that had none.

mod lanes;
mod order;
mod scope;
mod spread;
pub mod turns;

use azure::budget::Tally;
use azure::{Error, Group};
use certificate_management::configuration::NamespaceConfiguration;
use certificate_management::plan::Observation;
use futures::stream::FuturesUnordered;
use futures::{StreamExt, stream};
use tokio::time::{Instant, sleep_until, timeout_at};

use self::lanes::Lanes;
use self::scope::Wanted;
pub use self::scope::{GroupHint, Scope};
use self::turns::Roster;
use crate::fleet::Fleet;
use crate::observation::{LinkedService, Observer};
pub use crate::pace::Pace;

/// How many DPS of one namespace, and how many hinted groups of one DPS, are read at once.
const AT_ONCE: usize = 4;

/// The result of a visit to one namespace.
pub struct Visit<'a> {
    /// The namespace.
    pub configuration: &'a NamespaceConfiguration,
    /// Its DPS that are in the scope, or why they are not known.
    pub services: Result<Vec<VisitedService>, Error>,
    /// How long the namespace may be read.
    pace: Pace,
}

/// A DPS, and the groups of it that are in the scope.
pub struct VisitedService {
    /// The DPS.
    pub service: LinkedService,
    /// Its groups, as far as they could be read.
    pub groups: Vec<Group>,
    /// The groups that could not be read.
    pub unread: Vec<Unread>,
}

/// Something of a DPS that could not be read.
pub struct Unread {
    /// The id of the group; `None` for the list of all.
    pub group: Option<String>,
    /// Why.
    pub error: Error,
}

impl Visit<'_> {
    /// Observes the namespace within the time that a visit has for it.
    ///
    /// # Errors
    /// As [`Observer::namespace`].
    pub async fn observe(&self, observer: &Observer<'_>) -> Result<Observation, Error> {
        observer.namespace(self.configuration, Instant::now() + self.pace.visit).await
    }
}

/// Visits the namespaces in this order, and calls `visit` with the result of each. The walk never cuts that call off. A
/// `roster` notes each turn when it begins, so that the walk after one that was killed does not begin with the
/// namespaces that it died of.
///
/// The answers have the order of `namespaces`; `None` stands for a namespace whose turn did not come in time.
pub async fn walk<'a, T, F: Future<Output = T>>(
    fleet: &'a Fleet,
    observer: &Observer<'_>,
    namespaces: &[&'a NamespaceConfiguration],
    scope: &Scope,
    pace: Pace,
    roster: Option<&Roster<'_>>,
    visit: impl Fn(Visit<'a>) -> F,
) -> Vec<(&'a NamespaceConfiguration, Option<T>)> {
    let began = Instant::now();
    let ends = began + pace.begins;
    let subscriptions = namespaces.iter().map(|namespace| namespace.id.subscription());
    let mut lanes = Lanes::of(subscriptions, (pace.at_once, pace.in_all), (began, pace.over));
    let mut walked: Vec<_> = namespaces.iter().map(|&namespace| (namespace, None)).collect();
    // Each visit is made when it begins, so that those that wait cost no memory.
    let mut under_way = FuturesUnordered::new();
    loop {
        let now = Instant::now();
        while now < ends
            && let Some(place) = lanes.next(now)
        {
            let (configuration, visit) = (namespaces[place], &visit);
            let tally = Tally::default();
            under_way.push(async move {
                let visited = tally.of(async {
                    if let Some(roster) = roster {
                        roster.take(configuration).await;
                    }
                    let until = Instant::now() + pace.visit;
                    let found = found_at(fleet, observer, configuration, scope, pace, until, roster).await;
                    visit(found).await
                });
                let visited = visited.await;
                (place, visited, tally.reads())
            });
        }
        let opens_at = lanes.opens_at().filter(|opens_at| now < ends && *opens_at < ends);
        let ended = match opens_at {
            Some(opens_at) if under_way.is_empty() => {
                sleep_until(opens_at).await;
                continue;
            }
            Some(opens_at) => timeout_at(opens_at, under_way.next()).await,
            None => Ok(under_way.next().await),
        };
        match ended {
            Ok(Some((place, visited, reads))) => {
                lanes.ended(namespaces[place].id.subscription(), reads);
                walked[place].1 = Some(visited);
            }
            Ok(None) => break,
            // The next visit may begin.
            Err(_) => {}
        }
    }
    if let Some(roster) = roster {
        roster.close().await;
    }
    walked
}

async fn found_at<'a>(
    fleet: &Fleet,
    observer: &Observer<'_>,
    configuration: &'a NamespaceConfiguration,
    scope: &Scope,
    pace: Pace,
    until: Instant,
    roster: Option<&Roster<'_>>,
) -> Visit<'a> {
    let services = match timeout_at(until, observer.provisioning_services(configuration)).await {
        Ok(services) => services,
        Err(_) => Err(Error::timed_out(format!(
            "reading the provisioning services of namespace {}",
            configuration.id.name()
        ))),
    };
    let services = match services {
        Ok(mut services) => {
            if let Some(roster) = roster {
                roster.saw(configuration, &services);
                services.sort_by_key(|service| !roster.is_changed(service));
            }
            let reads: Vec<_> = services
                .into_iter()
                .filter_map(|service| scope.of(&service).map(|wanted| (service, wanted)))
                .map(|(service, wanted)| async move {
                    let until = until.min(Instant::now() + pace.service);
                    let (groups, unread) = groups(fleet, &service, wanted, until).await;
                    VisitedService { service, groups, unread }
                })
                .collect();
            Ok(stream::iter(reads).buffered(AT_ONCE).collect().await)
        }
        Err(error) => Err(error),
    };
    Visit { configuration, services, pace }
}

/// Reads the wanted groups of a DPS. Answers them, and what could not be read by `until`.
async fn groups(
    fleet: &Fleet,
    service: &LinkedService,
    wanted: Wanted<'_>,
    until: Instant,
) -> (Vec<Group>, Vec<Unread>) {
    let client = fleet.azure.enrollment_groups(service.generation);
    let late = |_| Error::timed_out(format!("reading the enrollment groups of {}", service.name));
    let ids = match wanted {
        Wanted::Nothing => return (Vec::new(), Vec::new()),
        Wanted::All => None,
        Wanted::Some(ids) if ids.len() >= scope::LIST_FROM => Some(ids),
        Wanted::Some(ids) => {
            let reads: Vec<_> = ids
                .into_iter()
                .map(|id| {
                    let client = &client;
                    async move { (id, timeout_at(until, client.get(&service.endpoint, id)).await) }
                })
                .collect();
            let mut found = (Vec::new(), Vec::new());
            let read: Vec<_> = stream::iter(reads).buffered(AT_ONCE).collect().await;
            for (id, group) in read {
                match group.map_err(late).flatten() {
                    Ok(group) => found.0.extend(group),
                    Err(error) => found.1.push(Unread { group: Some(id.to_owned()), error }),
                }
            }
            return found;
        }
    };
    match timeout_at(until, client.list(&service.endpoint)).await.map_err(late).flatten() {
        Ok(mut groups) => {
            if let Some(ids) = ids {
                groups.retain(|group| ids.iter().any(|id| id.eq_ignore_ascii_case(&group.view.id)));
            }
            groups.sort_by_key(|group| group.view.id.to_ascii_lowercase());
            (groups, Vec::new())
        }
        Err(error) => (Vec::new(), vec![Unread { group: None, error }]),
    }
}
