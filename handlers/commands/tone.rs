//! The colours of words that say how something stands. No meaning is in a colour alone: the word says it too, since logs of pipelines
//! have no colours. Whether there are any is decided where the text is printed ([`super::terminal::show`]).

/// How something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// As it should be.
    Good,
    /// A person should know, and need not act now.
    Caution,
    /// A person has to act.
    Bad,
    /// Names what follows.
    Strong,
}

/// Words that begin a text which says how something stands.
const WORDS: [(Tone, &[&str]); 3] = [
    (
        Tone::Good,
        &[
            "ok",
            "done",
            "written",
            "trusted",
            "already-trusted",
            "already-assigned",
            "as-declared",
            "matches",
            "released",
            "reached",
        ],
    ),
    (
        Tone::Caution,
        &[
            "warning",
            "waiting",
            "wait",
            "leftover",
            "not",
            "unverified",
            "audit",
            "queued",
            "syncing",
            "verifying",
        ],
    ),
    (Tone::Bad, &["failed", "critical", "fault", "refused", "refuse", "missing", "stale", "unreadable"]),
];

impl Tone {
    /// The tone of a text by its first word, where that says how something stands.
    pub fn of(text: &str) -> Option<Self> {
        let first = text.split([' ', ',', ':']).next().unwrap_or_default().to_lowercase();
        WORDS.iter().find(|(_, words)| words.contains(&first.as_str())).map(|(tone, _)| *tone)
    }

    /// A text, which has to be escaped already, in this tone.
    pub fn on(self, text: &str) -> String {
        let start = match self {
            Self::Good => "\u{1b}[32m",
            Self::Caution => "\u{1b}[33m",
            Self::Bad => "\u{1b}[1;31m",
            Self::Strong => "\u{1b}[1m",
        };
        match text.is_empty() {
            true => String::new(),
            false => format!("{start}{text}\u{1b}[0m"),
        }
    }
}
