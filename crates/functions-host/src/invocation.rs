//! One call of a function.

use std::time::Duration;

use http::HeaderMap;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::Instant;

use crate::bounded::COST;
use crate::definition::{Definition, Trigger};
use crate::envelope::{Envelope, EnvelopeError};
use crate::error::DecodeError;
use crate::trace::TraceContext;
use crate::trigger::event_grid::EventGridEvent;
use crate::trigger::event_hub::EventHubBatch;
use crate::trigger::http::HttpRequest;
use crate::trigger::service_bus::{ServiceBusBatch, ServiceBusText};
use crate::trigger::timer::TimerTrigger;

/// An invocation, with a decoder for each trigger.
///
/// An invocation does not show the host's `sys` and `RetryContext`: a message body can forge both, and the latter holds
/// pages of stack traces and a copy of an earlier answer.
#[non_exhaustive]
pub struct Invocation {
    /// The function's name.
    pub function: String,
    /// The host's id of this dispatch. A redelivered message comes under a new one; the attempts of a retry policy
    /// share one. So it is good for logs, and no key for idempotence.
    pub id: String,
    /// The trace to which the call belongs.
    pub trace: TraceContext,
    /// When the router gives up: it then drops the function's future and answers with a failure. Nothing cancels an
    /// invocation from the host's side, so this is the only limit short of the process being killed.
    pub deadline: Instant,
    trigger: Trigger,
    envelope: Envelope,
}

impl Invocation {
    /// Reads an invocation from the request's headers and body, as [`Router`](crate::Router) does.
    ///
    /// # Errors
    /// [`EnvelopeError`] when the body is not an envelope at all. What is inside is decoded on demand.
    pub fn decode(
        definition: &Definition,
        headers: &HeaderMap,
        body: &[u8],
        deadline: Instant,
    ) -> Result<Self, EnvelopeError> {
        Ok(Self {
            function: definition.name.to_owned(),
            id: id(headers),
            trace: TraceContext::from_headers(headers),
            deadline,
            trigger: definition.trigger,
            envelope: Envelope::parse(body, definition.trigger.uses_metadata())?,
        })
    }

    /// The memory that it takes beside the texts of its body, in bytes.
    pub(crate) fn overhead(&self) -> usize {
        self.envelope.values.saturating_mul(COST)
    }

    /// How long the function may still take; zero when the deadline has passed.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// The firing of a timer.
    ///
    /// # Errors
    /// [`DecodeError`] when the function is not declared so, or the data is no timer's.
    pub fn timer(&self, binding: &str) -> Result<TimerTrigger, DecodeError> {
        match self.trigger {
            Trigger::Timer { .. } => TimerTrigger::decode(binding, self.data(binding)?),
            _ => Err(self.wrong_trigger("timerTrigger")),
        }
    }

    /// The messages of a Service Bus trigger, of cardinality many or one.
    ///
    /// # Errors
    /// [`DecodeError`] when the function is not declared so, or the data is no batch. A message whose body is not a
    /// `T` is no error here: see [`ServiceBusMessage::body`](crate::ServiceBusMessage::body).
    pub fn service_bus_batch<T: DeserializeOwned>(
        &self,
        binding: &str,
    ) -> Result<ServiceBusBatch<T>, DecodeError> {
        match self.trigger {
            Trigger::ServiceBus { many, data_type, .. } => ServiceBusBatch::decode(
                binding,
                self.data(binding)?,
                &self.envelope.metadata,
                many,
                data_type,
            ),
            _ => Err(self.wrong_trigger("serviceBusTrigger")),
        }
    }

    /// The texts of the same messages with their ids. The host writes some twenty properties of each message, and reading them all
    /// takes several times as long as the texts: a function that needs none of them asks for this.
    ///
    /// # Errors
    /// As for [`service_bus_batch`](Self::service_bus_batch).
    pub fn service_bus_texts(&self, binding: &str) -> Result<Vec<ServiceBusText>, DecodeError> {
        match self.trigger {
            Trigger::ServiceBus { many, data_type, .. } => {
                ServiceBusText::decode(binding, self.data(binding)?, &self.envelope.metadata, many, data_type)
            }
            _ => Err(self.wrong_trigger("serviceBusTrigger")),
        }
    }

    /// The events of an Event Hubs trigger, of cardinality many or one.
    ///
    /// # Errors
    /// As for [`service_bus_batch`](Self::service_bus_batch).
    pub fn event_hub_batch<T: DeserializeOwned>(
        &self,
        binding: &str,
    ) -> Result<EventHubBatch<T>, DecodeError> {
        match self.trigger {
            Trigger::EventHub { many, data_type, .. } => {
                EventHubBatch::decode(binding, self.data(binding)?, &self.envelope.metadata, many, data_type)
            }
            _ => Err(self.wrong_trigger("eventHubTrigger")),
        }
    }

    /// The event of an Event Grid trigger, or with cardinality many all of a POST: possibly none, which is a success.
    ///
    /// # Errors
    /// [`DecodeError`] when the function is not declared so, or when any event is of no known schema; see
    /// [`event_grid_elements`](Self::event_grid_elements) for the others of its POST.
    pub fn event_grid(&self, binding: &str) -> Result<Vec<EventGridEvent>, DecodeError> {
        let elements = self.event_grid_elements(binding)?;
        let all_or_nothing = |(index, element): (usize, Result<_, _>)| {
            element.map_err(|error| DecodeError::Element { binding: binding.to_owned(), index, error })
        };
        elements.into_iter().enumerate().map(all_or_nothing).collect()
    }

    /// Like [`event_grid`](Self::event_grid), but an event that cannot be decoded spoils no other.
    ///
    /// # Errors
    /// [`DecodeError`] when the function is not declared so, or the data is neither an event nor a list.
    pub fn event_grid_elements(
        &self,
        binding: &str,
    ) -> Result<Vec<Result<EventGridEvent, crate::ElementError>>, DecodeError> {
        match self.trigger {
            Trigger::EventGrid { .. } => EventGridEvent::decode(binding, self.data(binding)?),
            _ => Err(self.wrong_trigger("eventGridTrigger")),
        }
    }

    /// The request of an HTTP trigger.
    ///
    /// # Errors
    /// [`DecodeError`] when the function is not declared so, or the data is no request.
    pub fn http(&self, binding: &str) -> Result<HttpRequest, DecodeError> {
        match self.trigger {
            Trigger::Http { .. } => HttpRequest::decode(binding, self.data(binding)?),
            _ => Err(self.wrong_trigger("httpTrigger")),
        }
    }

    fn data(&self, binding: &str) -> Result<&Value, DecodeError> {
        self.envelope.data.get(binding).ok_or_else(|| DecodeError::MissingBinding {
            binding: binding.to_owned(),
            present: self.envelope.data.keys().map(String::as_str).collect::<Vec<_>>().join(", "),
        })
    }

    fn wrong_trigger(&self, asked: &'static str) -> DecodeError {
        DecodeError::WrongTrigger { declared: self.trigger.binding_type(), asked }
    }
}

impl std::fmt::Debug for Invocation {
    /// Without data and metadata, which may hold function keys and anything that senders write.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Invocation")
            .field("function", &self.function)
            .field("id", &self.id)
            .field("trace", &self.trace)
            .field("trigger", &self.trigger)
            .finish_non_exhaustive()
    }
}

/// The host's id of an invocation; `none` when a request comes without one, as from a person trying the handler out.
pub(crate) fn id(headers: &HeaderMap) -> String {
    let id = headers.get("x-azure-functions-invocationid").and_then(|value| value.to_str().ok());
    id.filter(|id| !id.is_empty() && id.len() <= 128).unwrap_or("none").to_owned()
}
