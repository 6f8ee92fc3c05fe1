//! `queue_messages` under libFuzzer.
#![cfg_attr(fuzzing, no_main)]

fuzz::engine!(queue_messages);
