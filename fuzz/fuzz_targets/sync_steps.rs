//! `sync_steps` under libFuzzer.
#![cfg_attr(fuzzing, no_main)]

fuzz::engine!(sync_steps);
