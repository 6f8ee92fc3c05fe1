//! Judges a handler's answer as the host does: decoding, verdict, outputs (`functions-host-protocol.md` §2).

mod credentials;
mod failure;
mod http_output;
mod outputs;
mod reader;
mod verdict;

pub use failure::{Exception, Failure, retry_context};
pub use http_output::HttpOutput;
pub use verdict::{Answer, Verdict, judge};

#[cfg(test)]
mod recorded;
