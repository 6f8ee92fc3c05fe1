//! `arm_bodies` under libFuzzer.
#![cfg_attr(fuzzing, no_main)]

fuzz::engine!(arm_bodies);
