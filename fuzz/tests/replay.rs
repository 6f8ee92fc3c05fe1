//! Every input of every corpus, and mutations of each, on the plain functions: what can be run anywhere, without an engine.
//!
//! The mutations are drawn of a seed. `FUZZ_SEED` draws others, and `FUZZ_MUTATIONS` says how many of each input.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::path::Path;

use fuzz::replay;
use fuzz::targets::{ALL, Target};

/// Mutations of each input.
const MUTATIONS: usize = 40;
const SEED: u64 = 20_261_123;
/// Most bytes of all corpora together.
const LARGEST: usize = 1024 * 1024;

fn setting<T: std::str::FromStr>(name: &str, usual: T) -> T {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name} is `{text}`, and no number")),
        Err(_) => usual,
    }
}

fn target(name: &str) -> &'static Target {
    ALL.iter().find(|target| target.name == name).unwrap()
}

macro_rules! replayed {
    ($($name:ident),* $(,)?) => {
        $(#[test]
        fn $name() {
            let target = target(stringify!($name));
            let files = replay::corpus(target.name).unwrap();
            let (mutations, seed) = (setting("FUZZ_MUTATIONS", MUTATIONS), setting("FUZZ_SEED", SEED));
            match replay::run(target.run, &files, mutations, seed) {
                Ok(inputs) => assert_eq!(inputs, files.len() * (mutations + 1)),
                Err(broken) => panic!("{} (seed {seed})\n{broken}", target.name),
            }
        })*

        const REPLAYED: &[&str] = &[$(stringify!($name)),*];
    };
}

replayed! {
    arm_bodies, certificate_chain, configuration, connection_strings, diagnostic_records, envelope, invocation, operations,
    provisioning_bodies, queue_messages, records, resource_events, sections, sync_steps, write_guard,
}

/// A property that nothing can break says nothing: with a deliberate mistake in what a target observes, some input of its
/// corpus breaks it. So the corpus comes to the property, too.
#[test]
fn every_target_can_fail() {
    for target in ALL {
        let files = replay::corpus(target.name).unwrap();
        let found = replay::run(target.broken, &files, 0, SEED);
        assert!(found.is_err(), "{}: no input of its corpus comes to its property", target.name);
    }
}

/// The names of the files or folders in a folder of this crate, without `.rs`.
fn names(folder: &str) -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = std::fs::read_dir(folder).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().to_string_lossy().trim_end_matches(".rs").to_owned())
        .collect()
}

#[test]
fn each_target_has_a_program_a_corpus_and_a_replay() {
    let known: BTreeSet<String> = ALL.iter().map(|target| target.name.to_owned()).collect();
    assert_eq!(names("fuzz_targets"), known);
    assert_eq!(names("corpora"), known);
    assert_eq!(REPLAYED.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>(), known);
    let manifest = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).unwrap();
    for name in &known {
        let program = format!("name = \"{name}\"\npath = \"fuzz_targets/{name}.rs\"\n");
        assert!(manifest.contains(&program), "{name} has no program");
        let text = std::fs::read_to_string(
            Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("fuzz_targets/{name}.rs")),
        );
        assert!(text.unwrap().contains(&format!("fuzz::engine!({name});")), "{name}");
    }
}

#[test]
fn the_corpora_stay_small() {
    let sizes = ALL.iter().map(|target| {
        let files = replay::corpus(target.name).unwrap();
        assert!(files.len() >= 3, "{} has {} inputs", target.name, files.len());
        files.iter().map(|(_, input)| input.len()).sum::<usize>()
    });
    let all: usize = sizes.sum();
    assert!(all < LARGEST, "{all} bytes");
}
