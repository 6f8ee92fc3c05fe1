//! `records` under libFuzzer.
#![cfg_attr(fuzzing, no_main)]

fuzz::engine!(records);
