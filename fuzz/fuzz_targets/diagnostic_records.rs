//! `diagnostic_records` under libFuzzer.
#![cfg_attr(fuzzing, no_main)]

fuzz::engine!(diagnostic_records);
