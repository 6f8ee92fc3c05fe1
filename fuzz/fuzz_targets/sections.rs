//! `sections` under libFuzzer.
#![cfg_attr(fuzzing, no_main)]

fuzz::engine!(sections);
