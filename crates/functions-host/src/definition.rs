//! Says what the code of a function expects of its `function.json`.
//!
//! The host never tells the handler what `function.json` says. Where the two disagree, the host drops outputs without a
//! word, or encodes data in a way that the code does not expect. So the code states its side here, decodes by it, and
//! a test compares it with the files ([`Definition::check`]).

/// The name, trigger and outputs of a function, as its code expects them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Definition {
    /// The function's name, which is the name of its folder, in exactly that spelling.
    pub name: &'static str,
    /// The trigger that starts it.
    pub trigger: Trigger,
    /// The output bindings besides the response of an HTTP trigger: names, exactly as in `function.json`, and kinds.
    pub outputs: &'static [(&'static str, OutputKind)],
}

/// The trigger of a function, with the binding name under which its data arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Trigger {
    /// `timerTrigger`.
    Timer {
        /// Name of the binding.
        binding: &'static str,
    },
    /// `serviceBusTrigger`.
    ServiceBus {
        /// Name of the binding.
        binding: &'static str,
        /// Whether its cardinality is `many`.
        many: bool,
        /// Its `dataType`. With `many` it has to be set: without it the host parses each body itself, and one body
        /// that is not JSON fails the whole batch before the handler is asked.
        data_type: Option<DataType>,
    },
    /// `eventHubTrigger`.
    EventHub {
        /// Name of the binding.
        binding: &'static str,
        /// Whether its cardinality is `many`.
        many: bool,
        /// Its `dataType`; see [`Trigger::ServiceBus`].
        data_type: Option<DataType>,
    },
    /// `eventGridTrigger`, of either cardinality: both are decoded alike, and its `dataType` changes nothing.
    EventGrid {
        /// Name of the binding.
        binding: &'static str,
    },
    /// `httpTrigger` with one `http` output.
    Http {
        /// Name of the binding.
        binding: &'static str,
        /// Name of the `http` output.
        response: &'static str,
        /// The methods it serves, in any case and order; empty for all, as in `function.json`.
        methods: &'static [&'static str],
        /// Its route template; `None` when `function.json` has none, so that the function's name is the route.
        route: Option<&'static str>,
    },
}

/// How the host reads the bodies of messages and events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataType {
    /// As UTF-8 text.
    String,
    /// As bytes.
    Binary,
}

/// A kind of output binding that works from a custom handler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum OutputKind {
    /// `http`: the response of an HTTP trigger.
    Http,
    /// `serviceBus`: bodies only; no properties, session, message id or schedule can be set this way.
    ServiceBus,
    /// `queue`: a storage queue.
    Queue,
    /// `blob`.
    Blob,
    /// `eventGrid`.
    EventGrid,
}

impl Definition {
    /// Every output binding with its kind, the response of an HTTP trigger included.
    pub fn all_outputs(&self) -> impl Iterator<Item = (&'static str, OutputKind)> {
        let response = match self.trigger {
            Trigger::Http { response, .. } => Some((response, OutputKind::Http)),
            _ => None,
        };
        response.into_iter().chain(self.outputs.iter().copied())
    }
}

impl Trigger {
    /// Name of the binding.
    #[must_use]
    pub const fn binding(&self) -> &'static str {
        match self {
            Self::Timer { binding }
            | Self::ServiceBus { binding, .. }
            | Self::EventHub { binding, .. }
            | Self::EventGrid { binding }
            | Self::Http { binding, .. } => binding,
        }
    }

    /// Its `type` in `function.json`.
    #[must_use]
    pub const fn binding_type(&self) -> &'static str {
        match self {
            Self::Timer { .. } => "timerTrigger",
            Self::ServiceBus { .. } => "serviceBusTrigger",
            Self::EventHub { .. } => "eventHubTrigger",
            Self::EventGrid { .. } => "eventGridTrigger",
            Self::Http { .. } => "httpTrigger",
        }
    }

    /// Whether metadata says anything that data does not.
    pub(crate) const fn uses_metadata(&self) -> bool {
        matches!(self, Self::ServiceBus { .. } | Self::EventHub { .. })
    }

    /// The value of `faas.trigger` in the semantic conventions of OpenTelemetry. Both kinds of events are "pubsub", as a
    /// queue's messages are.
    #[must_use]
    pub const fn semantic_name(&self) -> &'static str {
        match self {
            Self::Timer { .. } => "timer",
            Self::ServiceBus { .. } | Self::EventHub { .. } | Self::EventGrid { .. } => "pubsub",
            Self::Http { .. } => "http",
        }
    }
}

impl DataType {
    /// Its name in `function.json`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Binary => "binary",
        }
    }
}

impl OutputKind {
    /// Its `type` in `function.json`.
    #[must_use]
    pub const fn binding_type(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::ServiceBus => "serviceBus",
            Self::Queue => "queue",
            Self::Blob => "blob",
            Self::EventGrid => "eventGrid",
        }
    }
}
