//! `function.json`: the bindings of one function.

use std::sync::Arc;

use serde_json::Value;

use super::binding::{Binding, Cardinality};
use super::function::{EventHubTrigger, Function, HttpTrigger, ServiceBusTrigger, TimerTrigger, Trigger};
use super::host_json::{HostJson, read_retry};
use super::section::{Located, SettingError, parse};
use super::settings::AppSettings;
use crate::routes::Route;
use crate::schedule::Schedule;

const METHODS: [&str; 7] = ["get", "post", "put", "delete", "head", "options", "patch"];
const LEVELS: [(&str, ()); 5] =
    [("anonymous", ()), ("function", ()), ("admin", ()), ("user", ()), ("system", ())];

/// A `function.json` that was read: a function, or one that is switched off.
pub enum Outcome {
    /// It can run.
    Enabled(Box<Function>),
    /// `disabled` says so.
    Disabled,
}

/// Reads the `function.json` of the function `name`; `file` is its path as shown in errors.
pub fn read(
    name: &str,
    file: &str,
    text: &str,
    host: &HostJson,
    settings: &AppSettings,
) -> Result<Outcome, SettingError> {
    let value = parse(file, text)?;
    let root = Located::root(file, &value)?;
    let setting = format!("AzureWebJobs.{name}.Disabled");
    let by_setting = settings.get(&setting).or_else(|| settings.get(&setting.replace('.', "_")));
    let by_setting = by_setting.is_some_and(|value| value == "1" || value.eq_ignore_ascii_case("true"));
    if by_setting || root.boolean("disabled")? == Some(true) {
        return Ok(Outcome::Disabled);
    }
    let sections = root.sections("bindings")?;
    if sections.is_empty() {
        return Err(
            root.error("bindings", "is missing or empty; allowed: an array with one trigger at least")
        );
    }
    let bindings =
        sections.iter().map(|section| Binding::read(section, settings)).collect::<Result<Vec<_>, _>>()?;
    for (index, binding) in bindings.iter().enumerate() {
        if bindings[..index].iter().any(|earlier| earlier.name.eq_ignore_ascii_case(&binding.name)) {
            let problem = format!("{:?} is the name of another binding too; names must differ", binding.name);
            return Err(sections[index].error("name", problem));
        }
    }
    let (mut triggers, others): (Vec<_>, Vec<_>) = bindings.into_iter().partition(Binding::is_trigger);
    let count = triggers.len();
    let (Some(trigger_binding), 1) = (triggers.pop(), count) else {
        return Err(root.error("bindings", format!("holds {count} triggers; allowed: exactly one")));
    };
    let properties = Value::Object(trigger_binding.properties().clone());
    let place = format!("bindings[{}]", trigger_binding.name);
    let section = Located::of(file, place, Some(&properties))?;
    Ok(Outcome::Enabled(Box::new(Function {
        name: name.to_owned(),
        trigger: read_trigger(name, &trigger_binding, &section, host)?,
        trigger_binding,
        bindings: others,
        retry: match read_retry(&root)? {
            Some(own) => Some(own),
            None => host.retry.clone(),
        },
    })))
}

fn read_trigger(
    name: &str,
    binding: &Binding,
    section: &Located<'_>,
    host: &HostJson,
) -> Result<Trigger, SettingError> {
    let connection = |default: &str| Ok(section.string("connection")?.unwrap_or_else(|| default.to_owned()));
    match binding.kind {
        "timerTrigger" => {
            let allowed =
                "a six-field cron expression such as \"0 */5 * * * *\", or an interval such as \"00:05:00\"";
            let text = section.required("schedule", allowed)?;
            let schedule = Schedule::parse(&text).map_err(|error| {
                section.error("schedule", format!("{text:?}: {error}; allowed: {allowed}"))
            })?;
            Ok(Trigger::Timer(TimerTrigger {
                schedule: Arc::new(schedule),
                run_on_startup: section.boolean("runOnStartup")?.unwrap_or(false),
                use_monitor: section.boolean("useMonitor")?.unwrap_or(true),
            }))
        }
        "serviceBusTrigger" => {
            let entity = match section.string("topicName")? {
                Some(topic) => {
                    format!(
                        "{topic}/Subscriptions/{}",
                        section.required("subscriptionName", "a subscription of the topic")?
                    )
                }
                None => section
                    .required("queueName", "the name of a queue (or topicName and subscriptionName)")?,
            };
            Ok(Trigger::ServiceBus(ServiceBusTrigger {
                entity,
                connection: connection("AzureWebJobsServiceBus")?,
                sessions: section.boolean("isSessionsEnabled")?.unwrap_or(false),
                auto_complete: section.boolean("autoCompleteMessages")?,
            }))
        }
        "eventHubTrigger" => Ok(Trigger::EventHub(EventHubTrigger {
            event_hub: match section.string("path")? {
                Some(path) => path,
                None => section.required("eventHubName", "the name of an event hub")?,
            },
            connection: connection("AzureWebJobsEventHub")?,
            consumer_group: section.string("consumerGroup")?.unwrap_or_else(|| "$Default".to_owned()),
        })),
        "eventGridTrigger" => Ok(Trigger::EventGrid),
        "httpTrigger" => read_http(name, binding, section, host),
        _ => Ok(Trigger::Other),
    }
}

fn read_http(
    name: &str,
    binding: &Binding,
    section: &Located<'_>,
    host: &HostJson,
) -> Result<Trigger, SettingError> {
    section.one_of("authLevel", &LEVELS)?;
    if binding.cardinality == Cardinality::Many {
        return Err(section.error("cardinality", "an HTTP trigger has none; remove it"));
    }
    let methods = section.strings("methods")?.unwrap_or_default();
    for method in &methods {
        if !METHODS.iter().any(|known| known.eq_ignore_ascii_case(method)) {
            let problem = format!("{method:?} is not allowed; allowed: {}", METHODS.join(", "));
            return Err(section.error("methods", problem));
        }
    }
    let route = section.string("route")?.filter(|route| !route.is_empty()).unwrap_or_else(|| name.to_owned());
    let route = Route::parse(&host.route_prefix, &route)
        .map_err(|error| section.error("route", format!("{route:?}: {error}")))?;
    let methods = methods.into_iter().map(|method| method.to_ascii_uppercase()).collect();
    Ok(Trigger::Http(HttpTrigger { route, methods }))
}
