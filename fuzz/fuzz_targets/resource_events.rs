//! `resource_events` under libFuzzer.
#![cfg_attr(fuzzing, no_main)]

fuzz::engine!(resource_events);
