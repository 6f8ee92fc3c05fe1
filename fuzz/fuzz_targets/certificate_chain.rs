//! `certificate_chain` under libFuzzer.
#![cfg_attr(fuzzing, no_main)]

fuzz::engine!(certificate_chain);
