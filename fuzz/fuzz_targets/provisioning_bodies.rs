//! `provisioning_bodies` under libFuzzer.
#![cfg_attr(fuzzing, no_main)]

fuzz::engine!(provisioning_bodies);
