//! `announce GROUP`: publishes that a group was created, for pipelines that create groups by other means. The app gets
//! the event and looks at the group. Without the event it looks when the DPS's own diagnostic records come, minutes
//! later.
//!
//! The environment names the topic as it names the connection of an Event Grid output binding to a Functions app:
//! `EventGridTopic__topicEndpointUri`, with the identity of the process, or with a key in `EventGridTopic__topicKey`.

use std::process::ExitCode;

use azure::TopicConnection;
use azure::event_grid::CloudEvent;
use clap::Args;
use serde_json::json;

use super::command_failure::CommandFailure;
use super::fail;
use super::person::{self, Person};
use super::plan::survey::Survey;
use super::table::{self, Output};
use super::wanted::Wanted;

const ENDPOINT: &str = "EventGridTopic__topicEndpointUri";
const KEY: &str = "EventGridTopic__topicKey";
const CREATED: &str = "Policysync.EnrollmentGroup.Created";

#[derive(Args)]
pub struct Arguments {
    /// The enrollment group: its id, or DPS/ID where several DPS have one of this id.
    #[arg(value_name = "[DPS/]GROUP")]
    group: String,
    #[arg(long, value_enum, default_value_t = Output::Table)]
    output: Output,
}

pub async fn run(arguments: Arguments) -> ExitCode {
    let person = match person::start().await {
        Ok(person) => person,
        Err(message) => return fail(&message),
    };
    let event = match publish(&person, &arguments.group).await {
        Ok(event) => event,
        Err(failure) => return failure.tell(),
    };
    match arguments.output {
        Output::Json => say!("{}", table::json(&event)),
        Output::Table => say!(
            "Announced {} of {} (event {}).",
            event.data["enrollmentGroupId"].as_str().unwrap_or_default(),
            event.data["provisioningService"].as_str().unwrap_or_default(),
            event.id
        ),
    }
    ExitCode::SUCCESS
}

async fn publish(person: &Person, group: &str) -> Result<CloudEvent, CommandFailure> {
    let fleet = &person.fleet;
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
    let Some(endpoint) = set(ENDPOINT) else {
        return Err(CommandFailure::Failed(format!(
            "{ENDPOINT}: it is not set; set it to the topic's endpoint, https://.../api/events ({KEY} is its key; \
             without one the identity of this process is used)"
        )));
    };
    let topic = TopicConnection::new(&endpoint, set(KEY).as_deref())
        .and_then(|connection| fleet.azure.topic(connection))
        .map_err(|error| CommandFailure::Failed(format!("{ENDPOINT}: {error}")))?;
    let (service, group) = Wanted::parse(group)?.find(&mut Survey::new(fleet)).await?;
    let event = CloudEvent {
        specversion: "1.0",
        id: fleet.ambient.ulid().to_string(),
        source: service.linked.endpoint.clone(),
        r#type: CREATED.to_owned(),
        subject: format!("enrollmentGroups/{}", group.view.id),
        time: fleet.now(),
        datacontenttype: "application/json",
        data: json!({
            "enrollmentGroupId": group.view.id,
            "provisioningService": service.linked.endpoint.trim_start_matches("https://"),
        }),
    };
    let published = topic.publish(&event).await;
    published.map_err(|error| CommandFailure::Failed(format!("the event was not published: {error}")))?;
    Ok(event)
}
