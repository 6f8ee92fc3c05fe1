//! Event Grid. The posted event is the recorded one, since its members come out as they went in.

use super::{Capture, function};
use crate::newtonsoft;
use crate::trigger::event_grid;
use crate::zone::Zone;

fn check_posted(capture: &Capture, posted: &str) {
    let function = function("eg", r#""type":"eventGridTrigger","name":"event""#);
    let events = event_grid::events(newtonsoft::parse(posted, &Zone::Utc).unwrap()).unwrap();
    let payload = event_grid::single(&function, events.into_iter().next().unwrap());
    capture.check(&function, &payload, None, &Zone::Utc);
}

fn check(case: &str) {
    let capture = Capture::load(case);
    check_posted(&capture, &capture.body()["Data"]["event"].to_string());
}

#[test]
fn eg_data_null() {
    check("eg.data-null");
}

#[test]
fn eg_data_string() {
    check("eg.data-string");
}

#[test]
fn eg_single_cloudevent_object_notification() {
    check("eg.single.cloudevent.object.notification");
}

#[test]
fn eg_single_eventgridschema() {
    check("eg.single.eventgridschema");
}

#[test]
fn eg_single_two_in_post_1() {
    check("eg.single.two-in-post.1");
}

#[test]
fn eg_single_two_in_post_2() {
    check("eg.single.two-in-post.2");
}

/// Dates and numbers come out in another form; the note of the recording holds the posted event.
#[test]
fn eg_date_number_shapes_eg() {
    let capture = Capture::load("eg.date-number-shapes.eg");
    let note = capture.file["note"].as_str().unwrap().to_owned();
    check_posted(&capture, note.strip_prefix("posted to the extension: ").unwrap());
}

#[test]
fn eg_many_empty() {
    let function = function("eg-many", r#""type":"eventGridTrigger","name":"events","cardinality":"many""#);
    let payload = event_grid::many(&function, Vec::new());
    Capture::load("eg.many.empty").check(&function, &payload, None, &Zone::Utc);
}
