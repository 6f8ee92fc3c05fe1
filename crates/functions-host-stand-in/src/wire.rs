//! HTTP/1.1 by hand, over TCP.
//!
//! A library would be shorter, but the stand-in simulates what the real host puts on the wire: the order and case of
//! headers, chunks of 1024 bytes, a bare `GET /`. And handlers answer in every possible way, of which a library would
//! hide some: closed connections, answers without length, garbage.

mod client;
mod headers;
mod incoming;
mod outgoing;

pub use client::Client;
pub use headers::Headers;
pub use incoming::{Incoming, RequestHead, Response};
pub use outgoing::{Body, Outgoing};

/// Largest body that is read, bytes.
pub const MOST_BODY: u64 = 256 * 1024 * 1024;

/// Why an exchange failed.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// Nothing listens there.
    #[error("nothing accepts connections on {address}: {source}")]
    Connect {
        /// Where.
        address: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The connection was closed before the first byte.
    #[error("the connection was closed before any answer")]
    Closed,
    /// The connection was closed within the head or body.
    #[error("the connection was closed in the middle of {0}")]
    Ended(&'static str),
    /// The connection broke.
    #[error("the connection broke: {0}")]
    Broken(#[from] std::io::Error),
    /// What came is not HTTP.
    #[error("what came is not HTTP: {0}")]
    Malformed(String),
    /// What came is longer than allowed.
    #[error("{0} is longer than {1} bytes")]
    TooLong(&'static str, u64),
}

impl WireError {
    /// .NET's number for this kind of `HttpRequestError`.
    #[must_use]
    pub fn request_error(&self) -> i64 {
        match self {
            Self::Connect { .. } => 2,
            Self::Malformed(_) => 9,
            Self::Closed | Self::Ended(_) => 10,
            Self::TooLong(..) => 11,
            Self::Broken(_) => 0,
        }
    }
}
