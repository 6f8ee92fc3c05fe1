//! Texts that others have chosen as parts of our sentences.

/// A text as a part of a sentence that goes on: without the full stop at its end, which messages of services have.
#[must_use]
pub fn clause(text: &str) -> &str {
    let text = text.trim_end();
    text.strip_suffix('.').filter(|rest| !rest.ends_with('.')).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_stop_at_the_end_goes_and_nothing_else() {
        for (text, expected) in [
            ("The namespace could not be linked.", "The namespace could not be linked"),
            ("it answered 503", "it answered 503"),
            ("wait...", "wait..."),
            ("1. first. ", "1. first"),
            ("", ""),
        ] {
            assert_eq!(clause(text), expected);
        }
    }
}
