//! Logs on stdout: one line each, with the invocation's id.
//!
//! The host takes every line on stderr for an error, and correlates none with its invocation
//! (`functions-host-protocol.md` §2.3). So everything goes to stdout, each line names its invocation itself, and a text
//! of several lines (an error of a service, a panic) becomes one line with `\n` for its line ends.
//!
//! ```text
//! 2026-11-25T16:02:37.123456Z  INFO report written: 3 findings faas.name=report-policy-status faas.invocation_id=…
//! ```

use std::fmt::{self, Write as _};

use tracing::field::{Field, Visit};
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::filter::{FilterExt, ParseError, Targets, filter_fn};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, FormattedFields, MakeWriter};
use tracing_subscriber::layer::Filter;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{Layer, fmt as lines};

use super::names::LOG_FIELDS;
use crate::visible;

/// The filter unless `RUST_LOG` says otherwise. It leaves out the exporters' own complaints, which would come with
/// every try; [`super::deliveries`] logs each change once.
const DEFAULT_FILTER: &str = "warn,policysync=info,azure=info,azure_core=warn,azure_identity=warn,\
    azure_messaging_servicebus=warn,state=info,functions_host=info,opentelemetry=off,opentelemetry_sdk=off,\
    opentelemetry-otlp=off";

/// The layer that writes log lines, and a complaint about `RUST_LOG` if that cannot be parsed.
pub fn layer<S, W>(rust_log: Option<&str>, writer: W) -> (impl Layer<S> + Send + Sync, Option<String>)
where
    S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let asked = rust_log.filter(|text| !text.trim().is_empty()).map(str::parse);
    let (filter, complaint) = match asked {
        None => (default_filter(), None),
        Some(Ok(filter)) => (filter, None),
        Some::<Result<Targets, ParseError>>(Err(error)) => {
            let complaint = format!("RUST_LOG is not understood, and the default is used: {error}");
            (default_filter(), Some(complaint))
        }
    };
    let layer = lines::layer().with_writer(writer).event_format(Line).fmt_fields(Shown);
    (layer.with_filter(with_our_spans(filter)), complaint)
}

fn default_filter() -> Targets {
    DEFAULT_FILTER.parse().unwrap_or_default()
}

/// Keeps our spans under a stricter filter, since they say which invocation an event belongs to.
fn with_our_spans<S: Subscriber + for<'a> LookupSpan<'a>>(filter: Targets) -> impl Filter<S> {
    filter.or(filter_fn(|metadata| metadata.is_span() && is_ours(metadata)))
}

/// Whether a span or event is of our own crates.
pub fn is_ours(metadata: &Metadata<'_>) -> bool {
    let root = metadata.target().split("::").next().unwrap_or_default();
    matches!(root, "policysync" | "azure" | "state" | "functions_host")
}

/// One event as one line.
struct Line;

impl<S, N> FormatEvent<S, N> for Line
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        SystemTime.format_time(&mut writer)?;
        write!(writer, " {:>5}", event.metadata().level().as_str())?;
        let mut text = EventText::default();
        event.record(&mut text);
        let mut line = text.message;
        line.push_str(&text.fields);
        for span in context.event_scope().into_iter().flat_map(tracing_subscriber::registry::Scope::from_root)
        {
            if let Some(fields) = span.extensions().get::<FormattedFields<N>>() {
                line.push_str(fields);
            }
        }
        writeln!(writer, "{}", visible::line(&line))
    }
}

/// The fields of spans that are shown, each with a space before it.
struct Shown;

impl<'writer> FormatFields<'writer> for Shown {
    fn format_fields<R: RecordFields>(&self, mut writer: Writer<'writer>, fields: R) -> fmt::Result {
        let mut text = EventText { shown: Some(&LOG_FIELDS), ..EventText::default() };
        fields.record(&mut text);
        writer.write_str(&text.fields)
    }

    fn add_fields(
        &self,
        current: &'writer mut FormattedFields<Self>,
        fields: &tracing::span::Record<'_>,
    ) -> fmt::Result {
        self.format_fields(current.as_writer(), fields)
    }
}

/// Message and fields of an event; or those fields of a span that are shown.
#[derive(Default)]
struct EventText {
    shown: Option<&'static [(&'static str, &'static str)]>,
    message: String,
    fields: String,
}

impl EventText {
    fn push(&mut self, field: &Field, value: fmt::Arguments<'_>) {
        let name = field.name();
        if self.shown.is_some_and(|shown| !shown.iter().any(|(known, _)| *known == name)) {
            return;
        }
        // Writing to a string cannot fail.
        let _ = match name {
            "message" => write!(self.message, " {value}"),
            _ => write!(self.fields, " {name}={value}"),
        };
    }
}

impl Visit for EventText {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.push(field, format_args!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        let is_plain = !value.is_empty() && !value.contains([' ', '=', '"']);
        if is_plain || field.name() == "message" {
            self.push(field, format_args!("{value}"));
        } else {
            self.push(field, format_args!("\"{}\"", value.replace('"', "'")));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex, PoisonError};

    use tracing::Level;
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    #[derive(Clone, Default)]
    struct Memory(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Memory {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(rust_log: Option<&str>, act: impl FnOnce()) -> Vec<String> {
        let memory = Memory::default();
        let (writer, kept) = (memory.clone(), memory.0);
        let (layer, _) = layer(rust_log, move || writer.clone());
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), act);
        let text = String::from_utf8(kept.lock().unwrap().clone()).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    fn invocation() -> tracing::Span {
        tracing::info_span!(
            target: "functions_host::router",
            "invocation",
            faas.name = "tick",
            faas.invocation_id = "id-1",
            trace_id = tracing::field::Empty,
            otel.kind = "server",
        )
    }

    #[test]
    fn every_line_within_an_invocation_names_it_and_shows_nothing_else_of_its_span() {
        let lines = logged(None, || {
            let span = invocation();
            span.record("trace_id", "abc");
            span.in_scope(|| tracing::info!(target: "policysync", count = 3, text = "two words", "done"));
        });
        let [line] = &lines[..] else { panic!("{lines:?}") };
        let (time, rest) = line.split_once(' ').unwrap();
        assert!(time.ends_with('Z'), "{line}");
        assert_eq!(
            rest,
            " INFO done count=3 text=\"two words\" faas.name=tick faas.invocation_id=id-1 trace_id=abc"
        );
    }

    #[test]
    fn what_has_several_lines_becomes_one() {
        let lines = logged(None, || {
            let detail = "first\r\nsecond\u{1b}[2J\u{2028}third";
            tracing::error!(target: "policysync", detail, "it failed: {detail}");
        });
        let [line] = &lines[..] else { panic!("{lines:?}") };
        assert!(line.contains(r"it failed: first\r\nsecond\u{1b}[2J\u{2028}third"), "{line}");
    }

    #[test]
    fn a_strict_filter_keeps_the_id_of_the_invocation() {
        let lines = logged(Some("error"), || {
            invocation().in_scope(|| {
                tracing::info!(target: "policysync", "not this");
                tracing::error!(target: "policysync", "this");
            });
        });
        let [line] = &lines[..] else { panic!("{lines:?}") };
        assert!(line.ends_with("ERROR this faas.name=tick faas.invocation_id=id-1"), "{line}");
    }

    #[test]
    fn the_default_logs_what_we_say_and_no_complaint_of_an_exporter() {
        let filter = default_filter();
        for ours in ["policysync::commands", "azure", "state", "functions_host"] {
            assert!(filter.would_enable(ours, &Level::INFO), "{ours}");
            assert!(!filter.would_enable(ours, &Level::DEBUG), "{ours}");
        }
        assert!(filter.would_enable("hyper", &Level::WARN) && !filter.would_enable("hyper", &Level::INFO));
        assert!(!filter.would_enable("opentelemetry_sdk", &Level::ERROR));
    }

    #[test]
    fn a_filter_that_is_not_understood_is_complained_about() {
        let (_, complaint) =
            layer::<tracing_subscriber::Registry, _>(Some("policysync=loud=louder"), std::io::sink);
        assert!(complaint.unwrap().starts_with("RUST_LOG"));
    }
}
