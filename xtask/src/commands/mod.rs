//! One file per command of `cargo xtask`.

pub mod check;
pub mod full;
pub mod test;
