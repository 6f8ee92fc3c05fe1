//! `invocation` under libFuzzer.
#![cfg_attr(fuzzing, no_main)]

fuzz::engine!(invocation);
