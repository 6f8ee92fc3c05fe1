//! What needs a person now: the causes, the worst first, one card for all of one check and reason. Under each cause stands what
//! follows from it.

use certificate_management::causes;
use certificate_management::checks::CheckId;
use certificate_management::reason::{Reason, Severity};
use certificate_management::report::{FINDINGS_ON_PAGE, Finding, Page, Report, SuppressedFinding};

use super::links::Links;
use super::words::{self, Piece};

/// How many subjects of a card are seen at once.
const SEEN_AT_ONCE: usize = 6;
/// How many more can be unfolded. The rest is in the JSON.
const UNFOLDED: usize = 94;
/// How many findings are shown of those that follow from one.
const FOLLOWERS: usize = 50;

/// All findings.
pub struct Attention {
    /// How many are critical.
    pub critical: usize,
    /// How many are warnings.
    pub warnings: usize,
    /// How many messages wait for a person, as far as they were counted.
    pub messages: usize,
    /// What all findings come down to; 0 in a report of a version that did not count it.
    pub causes: usize,
    /// How many findings there are in all.
    pub findings: usize,
    /// The cards, the worst first.
    pub cards: Vec<Card>,
    /// The other pages of findings, where there are any.
    pub pages: Option<Pages>,
    /// What the configuration keeps quiet.
    pub quiet: Vec<Quiet>,
    /// How many more it keeps quiet.
    pub quiet_left_out: Option<String>,
}

/// Which page of the findings this is, and where the others are.
pub struct Pages {
    /// The first and the last finding of this page, and how many there are.
    pub shown: String,
    pub number: usize,
    pub of: usize,
    /// To the page before, and to the one after.
    pub before: Option<String>,
    pub after: Option<String>,
}

/// A finding that is kept quiet.
pub struct Quiet {
    pub subject: String,
    pub message: Vec<Piece>,
    pub reason: String,
    pub until: String,
}

/// The causes of one check and reason.
pub struct Card {
    pub severity: Shown,
    pub check: &'static str,
    /// The reason, where it says more than the check.
    pub reason: Option<&'static str>,
    pub meaning: Vec<Piece>,
    /// What is to be done, where it is the same in all places; else each place says it.
    pub next_step: Option<Vec<Piece>>,
    /// How many causes there are, with their noun.
    pub count: String,
    /// The first of them, each with what follows from it.
    pub items: Vec<Item>,
    /// More of them, folded away.
    pub more: Vec<Item>,
    /// How many are in neither, with their noun.
    pub left_out: Option<String>,
}

/// One finding.
pub struct Item {
    pub subject: String,
    pub message: Vec<Piece>,
    /// What is to be done here, where that of the card is not for all of its places.
    pub next_step: Option<Vec<Piece>>,
    /// What follows from it.
    pub follows: Option<Follows>,
}

/// What follows from a cause.
pub struct Follows {
    /// How much it is, in a few words.
    pub summary: String,
    pub items: Vec<Follower>,
    /// How many more there are.
    pub left_out: Option<String>,
}

/// A finding that follows from another one.
pub struct Follower {
    pub severity: Shown,
    pub check: &'static str,
    pub subject: String,
    pub message: Vec<Piece>,
}

/// A severity as it is shown: by a word and a shape as well as by colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    pub word: &'static str,
    pub class: &'static str,
}

impl From<Severity> for Shown {
    fn from(severity: Severity) -> Self {
        match severity {
            Severity::Critical => Self { word: "Critical", class: "bad" },
            Severity::Warning => Self { word: "Warning", class: "fair" },
            Severity::Information => Self { word: "Information", class: "unknown" },
        }
    }
}

impl Attention {
    pub fn of(report: &Report, links: &Links) -> Self {
        let kind = |cause: &[&Finding]| cause.first().map(|head| (head.severity, head.check, head.reason));
        let mut cards: Vec<Vec<Vec<&Finding>>> = Vec::new();
        for cause in causes::group(&report.findings) {
            match cards.iter_mut().find(|card| card.first().and_then(|first| kind(first)) == kind(&cause)) {
                Some(card) => card.push(cause),
                None => cards.push(vec![cause]),
            }
        }
        let shown = report.suppressed.len().min(UNFOLDED);
        let quiet = report.summary.findings.suppressed.saturating_sub(shown);
        Self {
            critical: report.summary.findings.critical,
            warnings: report.summary.findings.warning,
            messages: report.waiting.as_ref().map_or(0, |waiting| {
                waiting.parked + waiting.dead_letters.map_or(0, |letters| letters.count)
            }),
            causes: report.summary.findings.causes,
            findings: report.summary.findings.critical
                + report.summary.findings.warning
                + report.summary.findings.information,
            cards: cards
                .iter()
                .filter_map(|causes| {
                    let (severity, check, reason) = kind(causes.first()?)?;
                    Some(Card::of(severity, check, reason, causes))
                })
                .collect(),
            pages: Pages::of(report, links),
            quiet: report.suppressed.iter().take(UNFOLDED).map(Quiet::of).collect(),
            quiet_left_out: (quiet > 0).then(|| words::thousands(quiet as u64)),
        }
    }

    /// The whole in a few words.
    pub fn headline(&self) -> String {
        let critical = format!("{} critical", words::thousands(self.critical as u64));
        let warnings = words::count(self.warnings, "warning");
        match (self.critical, self.warnings) {
            (0, 0) if self.messages > 0 => {
                let wait = if self.messages == 1 { "waits" } else { "wait" };
                format!("{} {wait} for a person", words::count(self.messages, "message"))
            }
            (0, 0) => "Nothing needs a person now".to_owned(),
            (_, 0) => critical,
            (0, _) => warnings,
            _ => format!("{critical}, {warnings}"),
        }
    }

    /// How few causes the findings have, where they are fewer.
    pub fn causes(&self) -> Option<String> {
        (0 < self.causes && self.causes < self.findings).then(|| {
            format!(
                "{} come down to {}.",
                words::count(self.findings, "finding"),
                words::count(self.causes, "cause")
            )
        })
    }

    /// The colour of the whole.
    pub fn class(&self) -> &'static str {
        match (self.critical, self.warnings) {
            (0, 0) if self.messages == 0 => "good",
            (0, _) => "fair",
            _ => "bad",
        }
    }
}

impl Pages {
    fn of(report: &Report, links: &Links) -> Option<Self> {
        let Page { number, of } = report.page;
        if of <= 1 {
            return None;
        }
        let counts = &report.summary.findings;
        let all = counts.critical + counts.warning + counts.information;
        let before = number.saturating_sub(1) * FINDINGS_ON_PAGE;
        let shown = format!(
            "{} to {} of {}",
            words::thousands(before as u64 + 1),
            words::thousands((before + report.findings.len()) as u64),
            words::count(all, "finding")
        );
        Some(Self {
            shown,
            number,
            of,
            before: (number > 1).then(|| links.page(number - 1)),
            after: (number < of).then(|| links.page(number + 1)),
        })
    }
}

impl Card {
    fn of(severity: Severity, check: CheckId, reason: Reason, causes: &[Vec<&Finding>]) -> Self {
        let mut steps = causes.iter().filter_map(|cause| cause.first()).map(|head| head.next_step.as_str());
        let first = steps.next().unwrap_or_else(|| reason.next_step());
        let next_step = steps.all(|step| step == first).then_some(first);
        let items = || causes.iter().filter_map(|cause| Item::of(next_step.is_some(), cause));
        let left_out = causes.len().saturating_sub(SEEN_AT_ONCE + UNFOLDED);
        Self {
            severity: severity.into(),
            check: check.code(),
            reason: (reason.code() != check.code()).then_some(reason.code()),
            meaning: words::prose(reason.meaning()),
            next_step: next_step.map(|step| words::prose(&words::text(step))),
            count: words::count(causes.len(), "place"),
            items: items().take(SEEN_AT_ONCE).collect(),
            more: items().skip(SEEN_AT_ONCE).take(UNFOLDED).collect(),
            left_out: (left_out > 0).then(|| words::thousands(left_out as u64)),
        }
    }
}

impl Item {
    /// `is_shared`: whether its card says what is to be done.
    fn of(is_shared: bool, cause: &[&Finding]) -> Option<Self> {
        let (finding, follows) = cause.split_first()?;
        Some(Self {
            subject: words::text(&finding.subject.text),
            message: words::prose(&words::text(&finding.message)),
            next_step: (!is_shared).then(|| words::prose(&words::text(&finding.next_step))),
            follows: (!follows.is_empty()).then(|| Follows::of(follows)),
        })
    }
}

impl Follows {
    fn of(follows: &[&Finding]) -> Self {
        // By check, in the order in which they come.
        let mut counts: Vec<(CheckId, usize)> = Vec::new();
        for finding in follows {
            match counts.iter_mut().find(|(check, _)| *check == finding.check) {
                Some((_, count)) => *count += 1,
                None => counts.push((finding.check, 1)),
            }
        }
        let counts: Vec<String> = counts.iter().map(|(check, count)| format!("{count} {check}")).collect();
        let left_out = follows.len().saturating_sub(FOLLOWERS);
        Self {
            summary: format!("{} with it: {}", words::count(follows.len(), "finding"), counts.join(", ")),
            items: follows.iter().take(FOLLOWERS).map(|finding| Follower::of(finding)).collect(),
            left_out: (left_out > 0).then(|| words::thousands(left_out as u64)),
        }
    }
}

impl Follower {
    fn of(finding: &Finding) -> Self {
        Self {
            severity: finding.severity.into(),
            check: finding.check.code(),
            subject: words::text(&finding.subject.text),
            message: words::prose(&words::text(&finding.message)),
        }
    }
}

impl Quiet {
    fn of(quiet: &SuppressedFinding) -> Self {
        Self {
            subject: words::text(&quiet.finding.subject.text),
            message: words::prose(&words::text(&quiet.finding.message)),
            reason: words::text(&quiet.reason),
            until: quiet.until.to_string(),
        }
    }
}
