//! A message on its way in.

/// A message as the trigger gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// Its id, if the trigger knows it.
    pub message_id: Option<String>,
    /// Its body, whatever it is.
    pub text: String,
}
