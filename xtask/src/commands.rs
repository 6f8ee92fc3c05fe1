//! One file per command of `cargo xtask`.

pub mod bench;
mod bench_figures;
mod bench_host;
mod bench_page;
pub mod calendar;
pub mod check;
pub mod contract;
pub mod full;
pub mod fuzz;
pub mod infra;
pub mod mutants;
pub mod package;
pub mod simulate;
pub mod test;
