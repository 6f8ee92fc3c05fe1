//! Records of the store, of every type. The first line of an input names the type.

use std::fmt::Debug;

use certificate_management::alerting::Ledger;
use certificate_management::declared::Memory;
use certificate_management::hold::GroupHolds;
use certificate_management::parked::Envelope;
use certificate_management::plan::saved::SavedPlan;
use certificate_management::report::{Finding, Report};
use certificate_management::request::RequestRecord;
use certificate_management::section::Section;
use certificate_management::sync::SyncRecord;
use certificate_management::walk_run::WalkRun;
use policysync::synchronization::records::Marker;
use policysync::walk::turns::Turns;
use policysync::{assignment, authorities, changes};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use state::Store;

use crate::cloud::wait;
use crate::input::{first_line, text};

/// What is stored is read or refused, and what is read, stored and read again means the same, for each type of record.
///
/// # Panics
/// When that does not hold.
pub fn run(input: &[u8]) {
    check(input, false);
}

/// Stores nothing of the last member of each object.
pub fn broken(input: &[u8]) {
    check(input, true);
}

fn check(input: &[u8], is_broken: bool) {
    let (kind, record) = first_line(input);
    let Ok(stored) = serde_json::from_str::<Value>(&text(record)) else { return };
    match &*kind {
        "request" => same::<RequestRecord>(&stored, is_broken),
        "sync" => same::<SyncRecord>(&stored, is_broken),
        "marker" => same::<Marker>(&stored, is_broken),
        "section" => same::<Section>(&stored, is_broken),
        "report" => same::<Report>(&stored, is_broken),
        "findings" => same::<Vec<Finding>>(&stored, is_broken),
        "alerts" => same::<Ledger>(&stored, is_broken),
        "hold" => same::<GroupHolds>(&stored, is_broken),
        "assignment" => same::<assignment::journal::WriteRecord>(&stored, is_broken),
        "registry-write" => same::<authorities::WriteRecord>(&stored, is_broken),
        "last-writes" => same::<Memory>(&stored, is_broken),
        "walk" => same::<WalkRun>(&stored, is_broken),
        "turns" => same::<Turns>(&stored, is_broken),
        "change" => same::<changes::Changed>(&stored, is_broken),
        "parked" => same::<Envelope>(&stored, is_broken),
        "plan" => same::<SavedPlan>(&stored, is_broken),
        _ => {}
    }
}

fn same<T: Serialize + DeserializeOwned + PartialEq + Debug + Send + Sync>(stored: &Value, is_broken: bool) {
    let store = Store::memory();
    wait(async {
        store.put("records/one", stored).await.unwrap_or_else(|error| panic!("any JSON is stored: {error}"));
        let Ok(Some(read)) = store.get::<T>("records/one").await else { return };
        let mut written = serde_json::to_value(&read.value)
            .unwrap_or_else(|error| panic!("it is not written: {error}: {:?}", read.value));
        if is_broken {
            forget(&mut written);
        }
        store.put("records/two", &written).await.unwrap_or_else(|error| panic!("it is not stored: {error}"));
        match store.get::<T>("records/two").await {
            Ok(Some(again)) => assert_eq!(again.value, read.value, "it means something else"),
            Ok(None) => panic!("it is gone"),
            Err(error) => panic!("it is not read again: {error}: {written}"),
        }
    });
}

fn forget(value: &mut Value) {
    match value {
        Value::Object(members) => {
            if let Some(last) = members.keys().next_back().cloned() {
                members.shift_remove(&last);
            }
        }
        Value::Array(items) => {
            items.pop();
        }
        _ => *value = Value::Null,
    }
}
