//! `write_guard` under libFuzzer.
#![cfg_attr(fuzzing, no_main)]

fuzz::engine!(write_guard);
