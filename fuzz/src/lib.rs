//! What comes in from outside, thrown at the code that reads it.
//!
//! A target ([`targets`]) is a plain function of bytes, with its property as a sentence: that nothing panics is the least.
//! `fuzz_targets/` runs each under libFuzzer (`cargo xtask fuzz`, or `cargo fuzz` where there is a nightly compiler), and
//! [`replay`] runs it without any engine on the inputs of `corpora/` and on mutations of them ([`mutation`]).
//!
//! - [`input`]: how an input is divided.
//! - [`cloud`]: an Azure in this process, which answers with parts of the input.
#![warn(missing_docs)]

pub mod cloud;
pub mod input;
pub mod mutation;
pub mod replay;
pub mod targets;

/// The program of a target: libFuzzer's in a fuzzing build, and one that says so in any other.
#[macro_export]
macro_rules! engine {
    ($target:ident) => {
        #[cfg(fuzzing)]
        libfuzzer_sys::fuzz_target!(|input: &[u8]| $crate::targets::$target::run(input));

        #[cfg(not(fuzzing))]
        fn main() -> std::process::ExitCode {
            eprintln!("this build has no fuzzing engine: cargo xtask fuzz {}", stringify!($target));
            std::process::ExitCode::FAILURE
        }
    };
}
