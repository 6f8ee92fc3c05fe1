//! `host.json`: settings of the whole app (`functions-host-protocol.md` §3.1).

use std::time::Duration;

use super::custom_handler::CustomHandler;
use super::section::{Located, SettingError, parse};
use super::{RetryDelay, RetryPolicy};
use crate::time_span::parse_time_span;

const FILE: &str = "host.json";
const MINUTE: Duration = Duration::from_secs(60);
/// Half of the longest lock.
const MOST_BATCH_WAIT: Duration = Duration::from_secs(150);

/// The part of `host.json` that this stand-in obeys.
#[derive(Debug, Clone)]
pub struct HostJson {
    /// After this long an invocation has failed; `None`: never. 30 minutes unless set.
    pub function_timeout: Option<Duration>,
    /// Whether requests carry a `traceparent`.
    pub open_telemetry: bool,
    /// How the host starts the handler and speaks to it.
    pub custom_handler: CustomHandler,
    /// `extensions.serviceBus`.
    pub service_bus: ServiceBusSettings,
    /// `extensions.eventHubs`.
    pub event_hubs: EventHubsSettings,
    /// First part of every HTTP function's path, without slashes; `api` unless set.
    pub route_prefix: String,
    /// `extensions.http.customHeaders`: given to every answer that has none of the name.
    pub custom_headers: Vec<(String, String)>,
    /// Retry policy of functions that have none of their own.
    pub retry: Option<RetryPolicy>,
}

/// `extensions.serviceBus`.
#[derive(Debug, Clone)]
pub struct ServiceBusSettings {
    /// Whether messages are completed after success.
    pub auto_complete: bool,
    /// Most messages of one batch.
    pub max_message_batch_size: usize,
    /// Fewest messages that a batch waits for, up to `max_batch_wait_time`.
    pub min_message_batch_size: usize,
    /// How long a batch waits for its fewest messages; 150 s at most, as on the real host.
    pub max_batch_wait_time: Duration,
    /// Most invocations of one function at a time, for single messages.
    pub max_concurrent_calls: usize,
    /// Most sessions of one function at a time, for single messages.
    pub max_concurrent_sessions: usize,
    /// Most invocations for one session at a time.
    pub max_concurrent_calls_per_session: usize,
    /// How long a session may be without messages before the host gives it back; its batch does not wait any longer
    /// then.
    pub session_idle_timeout: Duration,
    /// Whether AMQP goes over web sockets; shows in metadata.
    pub web_sockets: bool,
}

/// `extensions.eventHubs`.
#[derive(Debug, Clone)]
pub struct EventHubsSettings {
    /// Most events of one batch.
    pub max_event_batch_size: usize,
    /// Fewest events that a batch waits for, up to `max_wait_time`.
    pub min_event_batch_size: usize,
    /// How long a batch waits for its fewest events.
    pub max_wait_time: Duration,
}

impl HostJson {
    /// Reads the text of `host.json`.
    ///
    /// # Errors
    /// The first key with a value that the host does not accept.
    pub fn read(text: &str) -> Result<Self, SettingError> {
        let value = parse(FILE, text)?;
        let root = Located::root(FILE, &value)?;
        root.one_of("version", &[("2.0", ())])?
            .ok_or_else(|| root.error("version", "is missing; allowed: \"2.0\""))?;
        let custom_handler = CustomHandler::read(&root)?;
        let extensions = root.section("extensions")?;
        let route_prefix = match custom_handler.route_prefix_override() {
            Some(prefix) => prefix.to_owned(),
            None => extensions.section("http")?.string("routePrefix")?.unwrap_or_else(|| "api".to_owned()),
        };
        let modes = [("OpenTelemetry", true), ("ApplicationInsights", false)];
        Ok(Self {
            function_timeout: read_function_timeout(&root)?,
            open_telemetry: root.one_of("telemetryMode", &modes)?.unwrap_or(false),
            service_bus: ServiceBusSettings::read(&extensions.section("serviceBus")?)?,
            event_hubs: EventHubsSettings::read(&extensions.section("eventHubs")?)?,
            custom_headers: read_headers(&extensions.section("http")?.section("customHeaders")?)?,
            route_prefix: route_prefix.trim_matches('/').to_owned(),
            retry: read_retry(&root)?,
            custom_handler,
        })
    }
}

impl ServiceBusSettings {
    fn read(section: &Located<'_>) -> Result<Self, SettingError> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let transports = [("amqpTcp", false), ("amqpWebSockets", true)];
        section.time_span("maxAutoLockRenewalDuration")?;
        let most = count(section, "maxMessageBatchSize", 1000)?;
        let wait = section.time_span("maxBatchWaitTime")?.unwrap_or(Duration::from_secs(30));
        if wait > MOST_BATCH_WAIT {
            return Err(section.error("maxBatchWaitTime", "is too long; allowed: up to \"00:02:30\""));
        }
        Ok(Self {
            auto_complete: section.boolean("autoCompleteMessages")?.unwrap_or(true),
            max_message_batch_size: most,
            min_message_batch_size: least(section, "minMessageBatchSize", "maxMessageBatchSize", most)?,
            max_batch_wait_time: wait,
            max_concurrent_calls: count(section, "maxConcurrentCalls", 16 * cores)?,
            max_concurrent_sessions: count(section, "maxConcurrentSessions", 8)?,
            max_concurrent_calls_per_session: count(section, "maxConcurrentCallsPerSession", 1)?,
            session_idle_timeout: section.time_span("sessionIdleTimeout")?.unwrap_or(MINUTE),
            web_sockets: section.one_of("transportType", &transports)?.unwrap_or(false),
        })
    }
}

impl EventHubsSettings {
    fn read(section: &Located<'_>) -> Result<Self, SettingError> {
        count(section, "batchCheckpointFrequency", 1)?;
        let most = count(section, "maxEventBatchSize", 100)?;
        Ok(Self {
            max_event_batch_size: most,
            min_event_batch_size: least(section, "minEventBatchSize", "maxEventBatchSize", most)?,
            max_wait_time: section.time_span("maxWaitTime")?.unwrap_or(MINUTE),
        })
    }
}

/// Names with their values; one that could not be written in a header is refused.
fn read_headers(section: &Located<'_>) -> Result<Vec<(String, String)>, SettingError> {
    let mut headers = Vec::new();
    for (name, _) in section.members() {
        let value = section.string(name)?.unwrap_or_default();
        let fits = name.parse::<http::HeaderName>().is_ok() && value.parse::<http::HeaderValue>().is_ok();
        if !fits {
            return Err(section.error(name, "is no header; allowed: a token with a text of one line"));
        }
        headers.push((name.clone(), value));
    }
    Ok(headers)
}

fn count(section: &Located<'_>, key: &str, default: usize) -> Result<usize, SettingError> {
    let value = section.integer(key, 1, i32::MAX.into())?;
    Ok(value.and_then(|value| usize::try_from(value).ok()).unwrap_or(default))
}

/// The fewest items of a batch; more than its most is refused, as on the real host.
fn least(section: &Located<'_>, key: &str, other: &str, most: usize) -> Result<usize, SettingError> {
    let least = count(section, key, 1)?;
    let problem = || section.error(key, format!("{least} is more than {other}; allowed: 1 to {most}"));
    if least > most { Err(problem()) } else { Ok(least) }
}

fn read_function_timeout(root: &Located<'_>) -> Result<Option<Duration>, SettingError> {
    const DEFAULT: Duration = Duration::from_secs(30 * 60);
    let Some(text) = root.string("functionTimeout")? else { return Ok(Some(DEFAULT)) };
    if text.trim() == "-1" {
        return Ok(None);
    }
    let allowed = "a time span of at least \"00:00:01\", or \"-1\" for no limit";
    let span = parse_time_span(&text).filter(|span| *span >= Duration::from_secs(1));
    let problem =
        || root.error("functionTimeout", format!("{text:?} is not allowed here; allowed: {allowed}"));
    span.map(Some).ok_or_else(problem)
}

/// Reads the member `retry` of either file.
pub(super) fn read_retry(root: &Located<'_>) -> Result<Option<RetryPolicy>, SettingError> {
    let section = root.section("retry")?;
    if !section.exists() {
        return Ok(None);
    }
    let required = |key: &str| {
        let missing = || section.error(key, "is missing; allowed: \"hh:mm:ss\"");
        section.time_span(key)?.ok_or_else(missing)
    };
    let exponential =
        section.one_of("strategy", &[("fixedDelay", false), ("exponentialBackoff", true)])?.ok_or_else(
            || section.error("strategy", "is missing; allowed: \"fixedDelay\", \"exponentialBackoff\""),
        )?;
    let most = section
        .integer("maxRetryCount", -1, i32::MAX.into())?
        .ok_or_else(|| section.error("maxRetryCount", "is missing; allowed: -1 (for ever) or a count"))?;
    let delay = if exponential {
        RetryDelay::Exponential(required("minimumInterval")?, required("maximumInterval")?)
    } else {
        RetryDelay::Fixed(required("delayInterval")?)
    };
    Ok(Some(RetryPolicy { most: u32::try_from(most).ok(), delay }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(members: &str) -> Result<HostJson, String> {
        let handler = r#""customHandler":{"description":{"defaultExecutablePath":"handler"}}"#;
        HostJson::read(&format!(r#"{{"version":"2.0",{handler},{members}}}"#))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_not_set_has_the_hosts_default() {
        let host = read("/* nothing more */").unwrap();
        assert_eq!(host.function_timeout, Some(Duration::from_secs(1800)));
        assert_eq!(host.service_bus.max_message_batch_size, 1000);
        assert_eq!(host.route_prefix, "api");
        assert!(!host.open_telemetry && host.retry.is_none());
        assert_eq!(host.custom_handler.initialization_timeout, Duration::from_secs(30));
    }

    #[test]
    fn settings_are_read() {
        let host = read(
            r#""functionTimeout":"-1","telemetryMode":"openTelemetry",
            "extensions":{"serviceBus":{"maxMessageBatchSize":16},"http":{"routePrefix":"/v1/","customHeaders":{"X-A":"b"}}},
            "retry":{"strategy":"exponentialBackoff","maxRetryCount":-1,"minimumInterval":"00:00:01","maximumInterval":"00:00:05"}"#,
        )
        .unwrap();
        assert_eq!(host.function_timeout, None);
        assert!(host.open_telemetry);
        assert_eq!(host.service_bus.max_message_batch_size, 16);
        assert_eq!(host.route_prefix, "v1");
        assert_eq!(host.custom_headers, [("X-A".to_owned(), "b".to_owned())]);
        let retry = host.retry.unwrap();
        assert_eq!(retry.most, None);
        let waits = [1, 2, 3, 4, 99].map(|attempt| retry.delay.before(attempt).as_secs());
        assert_eq!(waits, [1, 2, 4, 5, 5]);
    }

    #[test]
    fn errors_name_file_key_and_allowed_values() {
        for (members, key, allowed) in [
            (r#""functionTimeout":"5 minutes""#, "functionTimeout", "00:00:01"),
            (r#""telemetryMode":"otel""#, "telemetryMode", "OpenTelemetry"),
            (
                r#""extensions":{"serviceBus":{"maxMessageBatchSize":0}}"#,
                "extensions.serviceBus.maxMessageBatchSize",
                "1 to",
            ),
            (
                r#""extensions":{"serviceBus":{"maxMessageBatchSize":4,"minMessageBatchSize":5}}"#,
                "extensions.serviceBus.minMessageBatchSize",
                "1 to 4",
            ),
            (
                r#""extensions":{"serviceBus":{"maxBatchWaitTime":"00:02:31"}}"#,
                "extensions.serviceBus.maxBatchWaitTime",
                "00:02:30",
            ),
            (
                r#""extensions":{"eventHubs":{"minEventBatchSize":101}}"#,
                "extensions.eventHubs.minEventBatchSize",
                "1 to 100",
            ),
            (r#""extensions":[]"#, "extensions", "object"),
            (r#""retry":{"strategy":"often"}"#, "retry.strategy", "exponentialBackoff"),
            (r#""retry":{"strategy":"fixedDelay","maxRetryCount":2}"#, "retry.delayInterval", "hh:mm:ss"),
        ] {
            let error = read(members).unwrap_err();
            assert!(error.starts_with(&format!("host.json: {key}: ")) && error.contains(allowed), "{error}");
        }
        let error = HostJson::read("{").unwrap_err().to_string();
        assert!(error.starts_with("host.json: line 1: is not JSON"), "{error}");
        assert!(HostJson::read("{}").unwrap_err().to_string().contains("version"));
    }
}
