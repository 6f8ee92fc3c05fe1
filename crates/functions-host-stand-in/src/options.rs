//! How a host is started.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::mpsc::UnboundedSender;

use super::events::HostEvent;
use super::trigger::timer::ScheduleStatus;
use super::zone::Zone;
use trigger_sources::{ClockSource, EventGridSource, EventHubSource, QueueSource};

/// Where functions that neither a schedule nor HTTP fires get their data. Without a source such a function fires by
/// hand only.
#[derive(Clone, Default)]
pub struct Sources {
    /// Service Bus.
    pub queues: Option<Arc<dyn QueueSource>>,
    /// Event Hubs.
    pub event_hubs: Option<Arc<dyn EventHubSource>>,
    /// Event Grid.
    pub event_grid: Option<Arc<dyn EventGridSource>>,
    /// The clock that timers go by; without it that of this machine. When it is pushed ahead, a timer that was due in the time
    /// that was left out fires once, late, as after a time in which the host did not run.
    pub clock: Option<Arc<dyn ClockSource>>,
}

impl fmt::Debug for Sources {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Sources")
            .field("queues", &self.queues.is_some())
            .field("event_hubs", &self.event_hubs.is_some())
            .field("event_grid", &self.event_grid.is_some())
            .field("clock", &self.clock.is_some())
            .finish()
    }
}

/// How a host is started. Everything but the root has a default.
#[derive(Clone, Default)]
pub struct HostOptions {
    /// The folder with `host.json` and the function folders.
    pub root: PathBuf,
    /// Port of 127.0.0.1 for HTTP functions; `None`: any free one.
    pub port: Option<u16>,
    /// Nothing fires by itself but HTTP functions.
    pub manual: bool,
    /// App settings: environment of the handler, and what `%NAME%` stands for.
    pub app_settings: BTreeMap<String, String>,
    /// The handler gets nothing of this process's environment but the basics (`PATH`, `HOME` and their like).
    pub clear_environment: bool,
    /// Where triggers get their data.
    pub sources: Sources,
    /// The receiver of events.
    pub events: Option<UnboundedSender<HostEvent>>,
    /// The handler, instead of the one that `host.json` names.
    pub handler_executable: Option<PathBuf>,
    /// The port of 127.0.0.1 of a handler that runs already, in a debugger or within a test: the host starts no process. The
    /// real host always starts one, and kills it after a timeout; this one only stops waiting for it.
    pub attached: Option<u16>,
    /// The time zone, instead of the one of `WEBSITE_TIME_ZONE`, `TZ` or this machine.
    pub zone: Option<Zone>,
    /// The status of earlier runs of timers, by function.
    pub timers: HashMap<String, ScheduleStatus>,
}

impl fmt::Debug for HostOptions {
    /// App settings are left out: they hold secrets.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("HostOptions")
            .field("root", &self.root)
            .field("port", &self.port)
            .field("manual", &self.manual)
            .field("clear_environment", &self.clear_environment)
            .field("sources", &self.sources)
            .field("handler_executable", &self.handler_executable)
            .field("attached", &self.attached)
            .field("zone", &self.zone)
            .finish_non_exhaustive()
    }
}
