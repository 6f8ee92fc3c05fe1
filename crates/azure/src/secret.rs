//! Text that must not be shown.

use std::fmt;

/// A key, a token or a signature. Neither `Debug` nor `Display` shows it; reading it takes a call that is easy to find.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a text.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the one place that sends it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_does_not_show_it() {
        assert_eq!(
            format!("{:?} {:#?}", Secret::new("hunter2"), Some(Secret::new("hunter2"))),
            "[secret] Some(\n    [secret],\n)"
        );
    }
}
