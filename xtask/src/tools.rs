//! Tools that the tests need and cargo does not install.

pub mod azurite;
pub mod bicep;
pub mod browser;
pub mod cargo_install;
pub mod checkov;
pub mod debian;
pub mod faketime;
pub mod libfuzzer;
pub mod mutation_report;
pub mod needs;
pub mod npm;
pub mod python;
