//! Every metric, span and field of a log line that the app emits, in one table. The code takes its names from it, and a
//! test compares it with `docs/telemetry.md` and the queries of the workbook and the alerts.
//!
//! Our own names begin with `policysync.`; the others are those of OpenTelemetry's semantic conventions. Units are
//! UCUM.

use certificate_management::ArmId;
use opentelemetry::KeyValue;

/// The kind of an instrument, which decides how its points are added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A sum that only grows.
    Counter,
    /// A value that is seen at a moment.
    Gauge,
    /// A distribution.
    Histogram,
}

/// A metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub kind: Kind,
    /// Its unit in UCUM.
    pub unit: &'static str,
    /// What it counts or measures.
    pub description: &'static str,
    /// The attributes that a point may have.
    pub attributes: &'static [&'static str],
}

/// How long invocations take, the answer included.
pub const INVOKE_DURATION: Metric = Metric {
    name: "faas.invoke_duration",
    kind: Kind::Histogram,
    unit: "s",
    description: "Duration of an invocation, from the host's request to our answer",
    attributes: &["faas.name", "faas.trigger", "outcome", "error.type"],
};

/// How long requests to Azure take, each attempt for itself.
pub const REQUEST_DURATION: Metric = Metric {
    name: "http.client.request.duration",
    kind: Kind::Histogram,
    unit: "s",
    description: "Duration of one attempt of a request to Azure",
    attributes: &[
        "http.request.method",
        "server.address",
        "server.port",
        "http.response.status_code",
        "error.type",
    ],
};

/// Requests that got their final outcome.
pub const SYNC_REQUESTS: Metric = Metric {
    name: "policysync.sync_requests",
    kind: Kind::Counter,
    unit: "{request}",
    description: "Sync requests that got their final outcome",
    attributes: &["policysync.namespace.id", "policysync.outcome", "policysync.reason"],
};

/// How long syncs take.
pub const SYNC_DURATION: Metric = Metric {
    name: "policysync.sync.duration",
    kind: Kind::Histogram,
    unit: "s",
    description: "Duration of a sync, from its claim to the evidence on the last hub, or to the end of looking for it",
    attributes: &["policysync.namespace.id", "policysync.outcome"],
};

/// Days until the issuing CA of a policy ends.
pub const POLICY_VALIDITY: Metric = Metric {
    name: "policysync.policy.remaining_validity",
    kind: Kind::Gauge,
    unit: "d",
    description: "Days until the policy's issuing CA expires, as of the last report; negative when it has",
    attributes: &["policysync.namespace.id", "policysync.policy.name"],
};

/// Days until the certificate of a policy that a hub holds ends.
pub const HUB_VALIDITY: Metric = Metric {
    name: "policysync.hub.certificate.remaining_validity",
    kind: Kind::Gauge,
    unit: "d",
    description: "Days until the newest certificate of the policy on the hub expires, as of the last report; negative \
                  when it has",
    attributes: &["policysync.namespace.id", "policysync.policy.name", "policysync.hub.name"],
};

/// Pairs of a policy and a hub in each state of trust.
pub const TRUST_PAIRS: Metric = Metric {
    name: "policysync.trust.pairs",
    kind: Kind::Gauge,
    unit: "{pair}",
    description: "Pairs of policy and hub in each state of trust, as of the last report",
    attributes: &["policysync.namespace.id", "policysync.trust.state"],
};

/// Findings of the last report.
pub const FINDINGS: Metric = Metric {
    name: "policysync.findings",
    kind: Kind::Gauge,
    unit: "{finding}",
    description: "Findings of the last report",
    attributes: &["policysync.severity"],
};

/// Calls that are left in a budget.
pub const BUDGET_REMAINING: Metric = Metric {
    name: "policysync.budget.remaining",
    kind: Kind::Gauge,
    unit: "{request}",
    description: "Calls that are left in the bucket, the reserve for people included",
    attributes: &["policysync.budget.scope", "policysync.budget.operation"],
};

/// Calls that wait for a budget.
pub const BUDGET_WAITING: Metric = Metric {
    name: "policysync.budget.waiting",
    kind: Kind::Gauge,
    unit: "{request}",
    description: "Calls that wait for their turn",
    attributes: &["policysync.budget.scope", "policysync.budget.operation"],
};

/// Calls that Azure throttled.
pub const BUDGET_THROTTLED: Metric = Metric {
    name: "policysync.budget.throttled",
    kind: Kind::Counter,
    unit: "{response}",
    description: "Answers with status 429",
    attributes: &["policysync.budget.scope", "policysync.budget.operation"],
};

/// Calls that the app did not make for want of budget.
pub const BUDGET_PUT_OFF: Metric = Metric {
    name: "policysync.budget.put_off",
    kind: Kind::Counter,
    unit: "{request}",
    description: "Calls that were not made, since their turn would have come after their deadline",
    attributes: &["policysync.budget.scope", "policysync.budget.operation"],
};

/// Members and values of the service that this version does not know.
pub const SURPRISES: Metric = Metric {
    name: "policysync.service.surprises",
    kind: Kind::Counter,
    unit: "{occurrence}",
    description: "Members and values that the service sent and this version does not know",
    attributes: &["policysync.service.member"],
};

/// Every metric, in the order of the documentation.
pub const METRICS: [Metric; 13] = [
    INVOKE_DURATION,
    REQUEST_DURATION,
    SYNC_REQUESTS,
    SYNC_DURATION,
    POLICY_VALIDITY,
    HUB_VALIDITY,
    TRUST_PAIRS,
    FINDINGS,
    BUDGET_REMAINING,
    BUDGET_WAITING,
    BUDGET_THROTTLED,
    BUDGET_PUT_OFF,
    SURPRISES,
];

/// A span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpanName {
    /// Its name as exported; what varies is in braces.
    pub name: &'static str,
    /// Its kind.
    pub kind: &'static str,
    /// What it covers.
    pub description: &'static str,
    /// The attributes that it may have.
    pub attributes: &'static [&'static str],
}

/// Every span.
pub const SPANS: [SpanName; 4] = [
    SpanName {
        name: "{function}",
        kind: "server",
        description: "An invocation. Its parent is the host's call; a batch links to the trace of each of its messages",
        attributes: &["faas.name", "faas.invocation_id", "faas.trigger", "trace_id", "outcome", "error.type"],
    },
    SpanName {
        name: "sync {step}",
        kind: "internal",
        description: "A step of a sync (join, look, event): in the trace of the request, and linked to its invocation",
        attributes: &["namespace", "policysync.namespace.id", "request.trace_id"],
    },
    SpanName {
        name: "{method}",
        kind: "client",
        description: "One attempt of a request to Azure; the URL is without its query",
        attributes: &[
            "http.request.method",
            "server.address",
            "server.port",
            "url.full",
            "http.request.resend_count",
            "http.response.status_code",
            "error.type",
        ],
    },
    SpanName {
        name: "send {queue}",
        kind: "producer",
        description: "Sending a message; the message carries this span as `traceparent` and `diagnostic-id`",
        attributes: &[
            "messaging.system",
            "messaging.operation.name",
            "messaging.operation.type",
            "messaging.destination.name",
            "messaging.message.id",
            "error.type",
        ],
    },
];

/// The fields of spans that every log line within them shows, with what they say.
pub const LOG_FIELDS: [(&str, &str); 5] = [
    ("faas.name", "the function"),
    ("faas.invocation_id", "the host's id of the invocation, as in its own logs"),
    ("trace_id", "the trace of the invocation, while spans are exported or the host sends one"),
    ("namespace", "the namespace that a step of a sync is about"),
    ("request.trace_id", "the trace of the request that the step belongs to"),
];

/// The attribute that names a namespace.
pub fn namespace(id: &ArmId) -> KeyValue {
    // Shared by the points of a namespace, which a large fleet has thousands of.
    KeyValue::new("policysync.namespace.id", std::sync::Arc::<str>::from(id.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::DEFINITIONS;

    const DOCUMENT: &str = include_str!("../../docs/telemetry.md");
    const QUERIES: [&str; 2] =
        [include_str!("../../infra/modules/alerts.bicep"), include_str!("../../infra/modules/workbook.json")];

    fn code(names: &[&str]) -> String {
        names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
    }

    /// The rows of the table that begins below a heading.
    fn rows(heading: &str) -> Vec<&'static str> {
        let (_, section) = DOCUMENT.split_once(heading).unwrap_or_else(|| panic!("no `{heading}`"));
        let lines = section.lines().skip_while(|line| !line.starts_with("|---"));
        lines.skip(1).take_while(|line| line.starts_with('|')).collect()
    }

    #[test]
    fn the_documentation_has_every_name_and_no_other() {
        let metrics = METRICS.map(|metric| {
            let kind = format!("{:?}", metric.kind).to_lowercase();
            let (name, unit) = (metric.name, metric.unit);
            let attributes = code(metric.attributes);
            format!("| `{name}` | {kind} | `{unit}` | {} | {attributes} |", metric.description)
        });
        assert_eq!(rows("## Metrics"), metrics);
        let spans = SPANS.map(|span| {
            let attributes = code(span.attributes);
            format!("| `{}` | {} | {} | {attributes} |", span.name, span.kind, span.description)
        });
        assert_eq!(rows("## Spans"), spans);
        assert_eq!(rows("## Log lines"), LOG_FIELDS.map(|(name, says)| format!("| `{name}` | {says} |")));
    }

    /// The texts between quotation marks that follow each of these marks in the queries.
    fn asked_for(mark: &str) -> Vec<String> {
        let queries = QUERIES.map(|text| text.replace("\\\"", "\"")).concat();
        let found = queries.split(mark).skip(1).filter_map(|rest| rest.trim_start().strip_prefix('"'));
        let texts: Vec<String> =
            found.filter_map(|rest| rest.split_once('"').map(|(text, _)| text.to_owned())).collect();
        assert!(!texts.is_empty(), "the queries have no `{mark}` any more");
        texts
    }

    fn sources(folder: &std::path::Path) -> String {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let text = |path: std::path::PathBuf| {
            if path.is_dir() { sources(&path) } else { std::fs::read_to_string(path).unwrap_or_default() }
        };
        entries.filter(|path| !path.ends_with("telemetry")).map(text).collect()
    }

    #[test]
    fn queries_of_workbook_and_alerts_ask_for_what_is_emitted() {
        for name in asked_for("name ==") {
            let is_metric = METRICS.iter().any(|metric| metric.name == name);
            let is_function = DEFINITIONS.iter().any(|definition| definition.name == name);
            assert!(is_metric || is_function, "nothing is called `{name}`");
        }
        for name in asked_for("customDimensions[") {
            assert!(METRICS.iter().any(|metric| metric.attributes.contains(&name.as_str())), "{name}");
        }
        let sources = sources(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("handlers"));
        for text in asked_for("message has ") {
            assert!(sources.contains(&text), "no log line says `{text}`");
        }
    }
}
