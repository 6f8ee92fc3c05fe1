//! The app tells the time, draws randomness and makes ids in one way: by what `crates/ambient` gives it. So a run can be
//! repeated, with another clock and the same seed.
//!
//! Seen are paths and imports, in macros too, through imports under another name. Tests may do as they like, and so may the
//! commands for a laptop, which no build that ships has.

use std::path::Path;

use crate::reader::{Module, Name};
use crate::source::Crate;

/// The root files of what ships, but for `crates/ambient` itself.
const SHIPS: [&str; 5] = [
    "handlers/lib.rs",
    "crates/azure/src/lib.rs",
    "crates/certificate-management/src/lib.rs",
    "crates/functions-host/src/lib.rs",
    "crates/state/src/lib.rs",
];
/// Where a process begins, and takes the clock and the randomness of the operating system once.
const BEGINS: &str = "handlers/commands/";
/// No part of what ships.
const LAPTOP: [&str; 2] = ["handlers/commands/laptop.rs", "handlers/commands/laptop/"];

/// Functions that tell the time or make an id by themselves, of whatever type.
const FUNCTIONS: [&str; 8] =
    ["now_utc", "now_local", "new_v1", "new_v4", "new_v6", "new_v7", "from_datetime", "generate"];
/// Crates that draw.
const CRATES: [&str; 5] = ["fastrand", "getrandom", "rand", "rand_chacha", "rand_core"];
/// Types that draw, or tell the time of the operating system.
const TYPES: [&str; 4] = ["RandomIdGenerator", "RandomState", "ThreadRng", "UtcDateTime"];

/// Why a path may not stand in what ships; `None` where it may.
fn wrong(file: &str, path: &[String]) -> Option<&'static str> {
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    match path.as_slice() {
        ["std", "time", "Instant", ..] => Some("no test can move it: take `tokio::time::Instant`"),
        ["std", "time", "SystemTime", ..] => Some("take `ambient::Clock`"),
        [.., "of_system"] if file.starts_with(BEGINS) => None,
        [.., "of_system"] => Some("a process begins in a command: take what it was given"),
        [first, ..] if CRATES.contains(first) => Some("take `ambient::Randomness`"),
        [.., last] if FUNCTIONS.contains(last) => Some("take `ambient::Ambient`"),
        path if path.iter().any(|name| TYPES.contains(name)) => Some("take `ambient::Ambient`"),
        _ => None,
    }
}

/// A path with the import that its first name stands for.
fn in_full(module: &Module, path: &[String]) -> Vec<String> {
    let import = path.first().and_then(|first| {
        let meanings = module.names.get(first).into_iter().flatten();
        meanings.into_iter().find_map(|meaning| match meaning {
            Name::Import(import) => Some(import),
            Name::Item => None,
        })
    });
    match import {
        Some(import) => import.iter().chain(&path[1..]).cloned().collect(),
        None => path.to_vec(),
    }
}

/// A line for each path that may not stand where it does.
fn breaches(found: &Crate) -> Vec<String> {
    let mut breaches = Vec::new();
    for module in found.modules.values() {
        if LAPTOP.iter().any(|laptop| module.file.starts_with(laptop)) {
            continue;
        }
        for reference in module.references.iter().filter(|reference| !reference.is_test) {
            let path = in_full(module, &reference.path);
            breaches.extend(
                wrong(&module.file, &path).map(|why| format!("{}: {}: {why}", module.file, path.join("::"))),
            );
        }
    }
    breaches
}

#[test]
fn the_app_takes_time_and_randomness_from_one_place() {
    let root = crate::root();
    let (mut modules, mut found) = (0, Vec::new());
    for file in SHIPS {
        let ships = crate::read(&root.join(file));
        modules += ships.modules.len();
        found.extend(breaches(&ships));
    }
    assert!(modules > 300, "only {modules} modules were read");
    assert!(found.is_empty(), "{}", found.join("\n"));
}

fn of(file: &str, text: &str) -> Vec<String> {
    let read = |asked: &Path| (asked == Path::new(file)).then(|| text.to_owned());
    breaches(&Crate::read(Path::new(file), &read))
}

#[test]
fn each_other_way_is_found_whatever_hides_it() {
    for text in [
        "fn f() { ulid::Ulid::generate(); }",
        "use ulid::Ulid; fn f() { Ulid::from_datetime(t); }",
        "use uuid::Uuid as Id; fn f() { let id = Id::new_v4(); }",
        "fn f() { println!(\"{}\", uuid::Uuid::new_v4()); }",
        "fn f() { let x = <Uuid>::new_v4(); }",
        "fn f() { fastrand::u32(..); }",
        "use rand as chance; fn f() { chance::rng(); }",
        "fn f() -> impl Fn() -> T { time::OffsetDateTime::now_utc }",
        "use time::OffsetDateTime as T; fn f() { T::now_utc(); }",
        "use std::time::{Duration, SystemTime};",
        "fn f() { std::time::Instant::now(); }",
        "use std::time; fn f() { time::Instant::now(); }",
        "use opentelemetry_sdk::trace::RandomIdGenerator;",
        "fn f() { ambient::Ambient::of_system(); }",
        "use ambient::Clock; fn f() { Clock::of_system(); }",
    ] {
        assert!(!of("handlers/alerting.rs", text).is_empty(), "{text}");
    }
}

#[test]
fn what_is_right_is_left_alone() {
    for text in [
        "use ambient::Ambient; fn f(ambient: &Ambient) { ambient.ulid(); }",
        "use tokio::time::Instant; fn f() { Instant::now(); }",
        "use ulid::Ulid; fn f(text: &str) { Ulid::from_string(text); }",
        "use std::time::Duration;",
        "#[cfg(test)] mod tests { fn f() { uuid::Uuid::new_v4(); std::time::Instant::now(); } }",
    ] {
        assert_eq!(of("handlers/alerting.rs", text), [""; 0], "{text}");
    }
    let begins = "fn f() { ambient::Ambient::of_system(); }";
    assert_eq!(of("handlers/commands/serve.rs", begins), [""; 0]);
    assert_eq!(of("handlers/commands/laptop/dev.rs", "fn f() { uuid::Uuid::new_v4(); }"), [""; 0]);
}
