//! What a DPS answers to reads of enrollment groups, individual enrollments and registrations. The first part of an input names
//! the read, the others are the answers, one after the other.

use azure::{Azure, Group, RawGroup};
use certificate_management::generation::NamespaceGeneration;

use crate::cloud::{HOST, NOW, Script, clients, wait};
use crate::input::{parts, text};
use crate::targets::kept;

/// Most pages of registrations and of individual enrollments that are read.
const PAGES: usize = 8;

/// Whatever the service answers, a read ends with a result, the same one the second time, and within the calls that it is
/// given; no call leaves the cloud; and each group that is read has an id, can be stored as it was seen, and is the same group
/// when its text is written and read again.
///
/// # Panics
/// When that does not hold.
pub fn run(input: &[u8]) {
    check(input, false);
}

/// Forgets the last answer the second time.
pub fn broken(input: &[u8]) {
    check(input, true);
}

fn check(input: &[u8], is_broken: bool) {
    let parts = parts(input);
    let [what, answers @ ..] = parts.as_slice() else { return };
    let what = text(what);
    let again = if is_broken { &answers[..answers.len().saturating_sub(1)] } else { answers };
    let read = |answers: &[&[u8]]| wait(outcome(what.trim(), &clients(Script::of(answers)).0));
    assert_eq!(read(answers), read(again), "two readings of the same answers differ");
}

async fn outcome(what: &str, azure: &Azure) -> String {
    let older = azure.enrollment_groups(NamespaceGeneration::Credentials);
    let both = azure.enrollment_groups(NamespaceGeneration::Migrating);
    match what {
        "groups" => seen(older.list(HOST).await),
        "groups of both generations" => seen(both.list(HOST).await),
        "group" => seen(older.get(HOST, "line-7").await.map(|group| group.into_iter().collect())),
        "group of both generations" => {
            seen(both.get(HOST, "line-7").await.map(|group| group.into_iter().collect()))
        }
        "individuals" => {
            let read = both.individual_enrollments(HOST, PAGES).await;
            if let Ok(read) = &read {
                assert!(read.calls <= PAGES, "{} calls", read.calls);
            }
            // The policies come out of a map, in no order.
            format!(
                "{:?}",
                read.map(|read| (read.policies.len(), read.is_cut, read.calls))
                    .map_err(|error| error.to_string())
            )
        }
        "registrations" => {
            let read = older.registrations_before(HOST, "line-7", Some(NOW), PAGES).await;
            if let Ok(read) = &read {
                assert!(read.pages <= PAGES, "{} pages", read.pages);
            }
            format!("{:?}", read.map_err(|error| error.to_string()))
        }
        _ => String::new(),
    }
}

fn seen(read: Result<Vec<Group>, azure::Error>) -> String {
    for group in read.iter().flatten() {
        assert!(!group.view.id.trim().is_empty(), "a group has no id");
        assert_eq!(kept(&group.view), group.view, "a group is another one when it is stored");
        let text = group.raw.to_json();
        let again = RawGroup::parse(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        assert_eq!(again.view(), group.raw.view(), "a group is another one when it is written: {text}");
        assert_eq!(again.to_json(), text);
    }
    format!("{:?}", read.map_err(|error| error.to_string()))
}
