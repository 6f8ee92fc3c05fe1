//! The state that listeners, the HTTP server and callers share: the functions, and how to fire them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use time::OffsetDateTime;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::app::{App, AppSettings, Cardinality, Function, Trigger};
use super::clock::HostClock;
use super::connection;
use super::error::FireError;
use super::events::{Events, InvocationReport};
use super::invoker::{Invoker, Work};
use super::newtonsoft::Token;
use super::trigger::service_bus::Link;
use super::trigger::timer::ScheduleStatus;
use super::trigger::{event_grid, event_hub, made_up, other, service_bus, timer};
use super::zone::Zone;

/// A running app.
#[derive(Debug)]
pub struct Engine {
    /// Its files.
    pub app: App,
    /// Its functions.
    pub functions: Vec<Arc<Function>>,
    /// Its settings.
    pub settings: AppSettings,
    /// Runs invocations.
    pub invoker: Invoker,
    /// Where the HTTP server is.
    pub url: String,
    timers: Mutex<HashMap<String, ScheduleStatus>>,
    background: Mutex<JoinSet<()>>,
}

impl Engine {
    /// An engine over an app; `timers` holds the status of earlier runs.
    #[must_use]
    pub fn new(
        mut app: App,
        settings: AppSettings,
        invoker: Invoker,
        url: String,
        timers: HashMap<String, ScheduleStatus>,
    ) -> Self {
        let functions = std::mem::take(&mut app.functions).into_iter().map(Arc::new).collect();
        let background = Mutex::new(JoinSet::new());
        Self { app, functions, settings, invoker, url, timers: Mutex::new(timers), background }
    }

    /// Where events go.
    #[must_use]
    pub fn events(&self) -> &Events {
        &self.invoker.events
    }

    /// The host's time zone.
    #[must_use]
    pub fn zone(&self) -> &Zone {
        &self.invoker.zone
    }

    /// The host's clock.
    #[must_use]
    pub fn clock(&self) -> &HostClock {
        &self.invoker.clock
    }

    /// The function of that name, in any case of its letters.
    ///
    /// # Errors
    /// There is none, or it cannot run.
    pub fn find(&self, name: &str) -> Result<&Arc<Function>, FireError> {
        if let Some(function) =
            self.functions.iter().find(|function| function.name.eq_ignore_ascii_case(name))
        {
            return Ok(function);
        }
        if let Some(broken) = self.app.broken.iter().find(|broken| broken.name.eq_ignore_ascii_case(name)) {
            return Err(FireError::Broken { name: broken.name.clone(), error: broken.error.clone() });
        }
        if self.app.disabled.iter().any(|disabled| disabled.eq_ignore_ascii_case(name)) {
            return Err(FireError::Disabled(name.to_owned()));
        }
        Err(FireError::Unknown(name.to_owned()))
    }

    /// Makes up the data of a function's trigger, with `input` as the body of a message or event.
    ///
    /// # Errors
    /// No such function, or an input that does not fit. Bodies that the real host would only fail on later are let
    /// through and fail as invocations.
    pub fn prepare(&self, name: &str, input: Option<&str>) -> Result<(Arc<Function>, Work), FireError> {
        let function = self.find(name)?;
        let now = self.clock().now();
        let zone = self.zone();
        let text = input.unwrap_or_default();
        let many = function.cardinality() == Cardinality::Many;
        let work = match &function.trigger {
            Trigger::Http(http) => {
                let url = format!("{}/{}", self.url, http.route.template());
                return Err(FireError::Http { name: function.name.clone(), url });
            }
            Trigger::Timer(trigger) => {
                let status = self.status(function, now);
                let adjusts = trigger.schedule.adjusts_for_summer_time();
                Work::Envelope(timer::timer(function, adjusts, status, false, zone))
            }
            Trigger::ServiceBus(trigger) => {
                let message = made_up::message(text, now, trigger.sessions);
                let link = self.link(&trigger.connection, trigger.sessions);
                if many {
                    service_bus::batch(function, &[message], &link, zone).into()
                } else {
                    service_bus::single(function, &message, &link).into()
                }
            }
            Trigger::EventHub(trigger) => {
                let event = made_up::hub_event(text, now);
                let namespace = connection::namespace(&self.settings, &trigger.connection);
                if many {
                    event_hub::batch(function, trigger, &namespace, &[event], zone).into()
                } else {
                    Work::Envelope(event_hub::single(function, trigger, &namespace, &event))
                }
            }
            Trigger::EventGrid => {
                let wrong = |problem: String| FireError::Input { name: function.name.clone(), problem };
                let mut events = made_up::grid_events(input, now, zone).map_err(wrong)?;
                if many {
                    Work::Envelope(event_grid::many(function, events))
                } else {
                    let count = events.len();
                    let Some(event) = events.pop().filter(|_| count == 1) else {
                        return Err(wrong(format!("one event is wanted, not {count}")));
                    };
                    Work::Envelope(event_grid::single(function, event))
                }
            }
            Trigger::Other => other::text(function, text, now, zone).into(),
        };
        Ok((function.clone(), work))
    }

    /// Runs something beside everything else, until it ends or the host does.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut background = self.background.lock().unwrap_or_else(PoisonError::into_inner);
        while background.try_join_next().is_some() {}
        background.spawn(task);
    }

    /// Ends the tasks that run beside.
    pub fn abort(&self) {
        self.background.lock().unwrap_or_else(PoisonError::into_inner).abort_all();
    }

    /// Delivers a POST of Event Grid to a function; `false` when any invocation failed.
    ///
    /// # Errors
    /// A body that holds no events.
    pub async fn deliver(&self, function: &Function, body: Token) -> Result<bool, String> {
        let events = event_grid::events(body)?;
        let run = |payload| self.invoker.run(function, Work::Envelope(payload));
        if function.cardinality() == Cardinality::Many {
            return Ok(run(event_grid::many(function, events)).await.succeeded());
        }
        let each = events.into_iter().map(|event| run(event_grid::single(function, event)));
        let reports: Vec<InvocationReport> = futures::future::join_all(each).await;
        Ok(reports.iter().all(InvocationReport::succeeded))
    }

    /// A link to the namespace of a connection; its session, if any, is locked for a minute.
    #[must_use]
    pub fn link(&self, connection: &str, session: bool) -> Link {
        let namespace = connection::namespace(&self.settings, connection);
        Link {
            identifier: format!("{namespace}-{}", Uuid::new_v4()),
            namespace,
            web_sockets: self.app.host.service_bus.web_sockets,
            session_locked_until: session.then(|| self.clock().now() + time::Duration::MINUTE),
        }
    }

    /// The status that the monitor of a timer has, if there is a monitor: schedules below a minute, and those with
    /// `useMonitor` false, have none.
    #[must_use]
    pub fn status(&self, function: &Function, now: OffsetDateTime) -> Option<ScheduleStatus> {
        let Trigger::Timer(trigger) = &function.trigger else { return None };
        if !trigger.use_monitor || trigger.schedule.is_below_a_minute(now, self.zone()) {
            return None;
        }
        let known = self.timers.lock().unwrap_or_else(PoisonError::into_inner).get(&function.name).copied();
        known.or_else(|| trigger.schedule.next(now, self.zone()).map(ScheduleStatus::first))
    }

    /// Remembers that a timer ran.
    pub fn remember(&self, function: &str, status: ScheduleStatus) {
        self.timers.lock().unwrap_or_else(PoisonError::into_inner).insert(function.to_owned(), status);
    }
}
