//! `operations` under libFuzzer.
#![cfg_attr(fuzzing, no_main)]

fuzz::engine!(operations);
