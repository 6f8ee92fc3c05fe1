//! The customer's own root, offline: what a signing request asks for, whether a chain of certificates answers it, and
//! how to sign it with OpenSSL.
//!
//! Pure: bytes and a time go in, a judgement comes out. Everything that comes in was made by others: sizes are bounded,
//! no input makes it panic, and no message holds a byte of a file but names that stand in parsed certificates.
//!
//! - [`SigningRequest`]: a PKCS#10 request.
//! - [`lint`](mod@lint): every published requirement of a chain (`ca-lifecycle-facts.md` §1.6), judged.
//! - [`Code`], [`Verdict`]: what can be wrong, and one thing that is.
//! - [`recipe`]: the commands that sign a request.
#![warn(missing_docs)]

mod algorithm;
mod certificate;
mod code;
mod der;
mod extensions;
pub mod lint;
mod name;
mod pem;
pub mod recipe;
mod request;
mod requirements;

pub use code::{Code, Position, Severity, Verdict};
pub use lint::{Linted, Summary, certificates, lint};
pub use pem::{MOST_BYTES, PemFault};
pub use request::{RequestError, SigningRequest};
