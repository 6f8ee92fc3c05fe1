//! A function that can run.

use std::sync::Arc;

use super::RetryPolicy;
use super::binding::{Binding, Cardinality, DataType};
use crate::routes::Route;
use crate::schedule::Schedule;

/// A function: its name, its trigger and its bindings.
#[derive(Debug, Clone)]
pub struct Function {
    /// The name of its folder.
    pub name: String,
    /// The trigger that starts it.
    pub trigger: Trigger,
    /// The binding of the trigger.
    pub trigger_binding: Binding,
    /// Every other binding.
    pub bindings: Vec<Binding>,
    /// Whether and how failed invocations are tried again.
    pub retry: Option<RetryPolicy>,
}

/// The trigger of a function.
#[derive(Debug, Clone)]
pub enum Trigger {
    /// A schedule.
    Timer(TimerTrigger),
    /// Messages of a queue or subscription.
    ServiceBus(ServiceBusTrigger),
    /// Events of an event hub.
    EventHub(EventHubTrigger),
    /// Events that Event Grid posts.
    EventGrid,
    /// HTTP requests.
    Http(HttpTrigger),
    /// Something that this stand-in cannot receive: fired by hand only.
    Other,
}

/// `timerTrigger`.
#[derive(Debug, Clone)]
pub struct TimerTrigger {
    /// When it fires.
    pub schedule: Arc<Schedule>,
    /// Whether it fires once when the host starts.
    pub run_on_startup: bool,
    /// Whether the host remembers runs, so that it gives a `ScheduleStatus` and catches up a missed run.
    pub use_monitor: bool,
}

/// `serviceBusTrigger`.
#[derive(Debug, Clone)]
pub struct ServiceBusTrigger {
    /// The queue, or `topic/Subscriptions/subscription`.
    pub entity: String,
    /// Name of the setting with the connection.
    pub connection: String,
    /// Whether the queue has sessions.
    pub sessions: bool,
    /// Whether messages are completed after success; `None`: as `host.json` says.
    pub auto_complete: Option<bool>,
}

/// `eventHubTrigger`.
#[derive(Debug, Clone)]
pub struct EventHubTrigger {
    /// The event hub.
    pub event_hub: String,
    /// Name of the setting with the connection.
    pub connection: String,
    /// The consumer group.
    pub consumer_group: String,
}

/// `httpTrigger`.
#[derive(Debug, Clone)]
pub struct HttpTrigger {
    /// Where it is reached, route prefix included.
    pub route: Route,
    /// Upper-case methods; empty: every method.
    pub methods: Vec<String>,
}

impl Function {
    /// One item per invocation or a batch.
    #[must_use]
    pub fn cardinality(&self) -> Cardinality {
        self.trigger_binding.cardinality
    }

    /// How the trigger's data is typed.
    #[must_use]
    pub fn data_type(&self) -> DataType {
        self.trigger_binding.data_type
    }

    /// The bindings that a handler can put values into.
    pub fn outputs(&self) -> impl Iterator<Item = &Binding> {
        self.bindings.iter().filter(|binding| binding.is_output())
    }

    /// Whether it has exactly an HTTP trigger and an HTTP output, so that requests can be forwarded as they are.
    #[must_use]
    pub fn is_plain_http(&self) -> bool {
        let one_output =
            matches!(self.bindings.as_slice(), [only] if only.kind == "http" && only.is_output());
        matches!(self.trigger, Trigger::Http(_)) && one_output
    }

    /// The type of its trigger, as written in `function.json`.
    #[must_use]
    pub fn trigger_kind(&self) -> &'static str {
        self.trigger_binding.kind
    }
}
