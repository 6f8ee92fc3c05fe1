//! `connection_strings` under libFuzzer.
#![cfg_attr(fuzzing, no_main)]

fuzz::engine!(connection_strings);
