//! Chains that OpenSSL's command line has made, right ones and broken ones, and the recipe to the letter.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod broken;
mod hostile;
mod recipe;
mod right;
mod workshop;
