//! Hides credentials in texts that are copied into an error.

/// Texts that the host takes for the start of a credential. It hides everything from there on.
const MARKS: [&str; 16] = [
    "token=",
    "defaultendpointsprotocol=http",
    "accountkey=",
    "data source=",
    "server=",
    "password=",
    "pwd=",
    "&amp;sig=",
    "&sig=",
    "?sig=",
    "sharedaccesskey=",
    "sharedaccesssignature=",
    "&code=",
    "&amp;code=",
    "?code=",
    "bearer ",
];

/// Replaces everything from the start of a credential to the next quote, angle bracket or end of the text.
#[must_use]
pub fn hide(text: &str) -> String {
    let mut out = text.to_owned();
    for mark in MARKS {
        let mut from = 0;
        // Only ASCII letters change their case here, so positions hold in both texts.
        while let Some(found) = out[from..].to_ascii_lowercase().find(mark) {
            let start = from + found;
            let end = out[start..].find(['<', '"', '\'']).map_or(out.len(), |length| start + length);
            out.replace_range(start..end, HIDDEN);
            from = start + HIDDEN.len();
        }
    }
    out
}

const HIDDEN: &str = "[Hidden Credential]";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_hidden_up_to_the_next_quote() {
        assert_eq!(hide("oops AccountKey=abc==;SharedAccessSignature=sig end"), "oops [Hidden Credential]");
        assert_eq!(
            hide(r#"{"a":"https://x/?code=1&sig=2","b":"é"}"#),
            r#"{"a":"https://x/[Hidden Credential]","b":"é"}"#
        );
        assert_eq!(hide("nothing here"), "nothing here");
    }
}
