//! `[[suppress]]` of `policysync.toml`: findings that a person has decided to live with, why, and until when.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use time::{Date, Month, OffsetDateTime};

use crate::checks::CheckId;
use crate::finding::Finding;
use crate::rules;

/// One entry: the findings that the report keeps quiet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Suppression {
    /// The check whose findings are kept quiet.
    pub check: CheckId,
    /// A glob on the text of their subject, e.g. `contoso / short-lived / *`.
    pub subject: String,
    /// Why a person has decided to live with them.
    pub reason: String,
    /// The last day on which it counts, UTC: `2026-12-31`, with or without quotes.
    #[serde(deserialize_with = "date", serialize_with = "write_date")]
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub until: Date,
}

impl Suppression {
    /// Whether it keeps a finding quiet now. An expired suppression is a finding that cannot be kept quiet itself.
    #[must_use]
    pub fn covers(&self, finding: &Finding, now: OffsetDateTime) -> bool {
        self.check == finding.check
            && self.check != CheckId::SuppressionExpired
            && !self.is_expired(now)
            && rules::matches(&self.subject, &finding.subject.text)
    }

    /// Whether its last day is over.
    #[must_use]
    pub fn is_expired(&self, now: OffsetDateTime) -> bool {
        now.to_offset(time::UtcOffset::UTC).date() > self.until
    }
}

fn date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Date, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Date(toml::value::Datetime),
        Text(String),
    }
    let said = || D::Error::custom("it must be a date, e.g. 2026-12-31");
    let written = match Written::deserialize(deserializer).map_err(|_| said())? {
        Written::Date(written) => written,
        Written::Text(text) => text.parse().map_err(|_| said())?,
    };
    let (Some(date), None, None) = (written.date, written.time, written.offset) else { return Err(said()) };
    let month = Month::try_from(date.month).map_err(|_| said())?;
    Date::from_calendar_date(i32::from(date.year), month, date.day).map_err(|_| said())
}

fn write_date<S: serde::Serializer>(date: &Date, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&date.to_string())
}

#[cfg(test)]
mod tests {
    use time::macros::{date, datetime};

    use super::*;
    use crate::configuration::Configuration;
    use crate::finding::Subject;
    use crate::reason::Reason;

    const NAMESPACE: &str = "[[namespace]]\nid = \"/subscriptions/S/resourceGroups/R/providers/Microsoft.DeviceRegistry/namespaces/contoso\"\n";

    fn parse(check: &str, rest: &str) -> Result<Suppression, String> {
        let text =
            format!("{NAMESPACE}[[suppress]]\ncheck = \"{check}\"\nsubject = \"contoso / *\"\n{rest}\n");
        let read = Configuration::parse(&text).map_err(|error| error.to_string())?;
        Ok(read.suppressions[0].clone())
    }

    #[test]
    fn a_date_is_read_with_and_without_quotes() {
        for until in ["until = 2026-12-31", "until = \"2026-12-31\""] {
            let read = parse("ca-expiring", &format!("reason = \"renewal ordered\"\n{until}")).unwrap();
            assert_eq!(read.until, date!(2026 - 12 - 31));
        }
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        for (check, rest, line, text) in [
            ("ca-expirng", "reason = \"r\"\nuntil = 2026-12-31", 4, "ca-expiring"),
            ("ca-expiring", "reason = \"r\"\nuntil = \"soon\"", 7, "it must be a date"),
            ("ca-expiring", "reason = \"r\"\nuntil = 2026-12-31T00:00:00Z", 7, "it must be a date"),
            ("ca-expiring", "reason = \" \"\nuntil = 2026-12-31", 6, "reason"),
            ("ca-expiring", "reason = \"r\"\nuntil = 2026-12-31\nfor = 1", 8, "for"),
            ("suppression-expired", "reason = \"r\"\nuntil = 2026-12-31", 4, "cannot be suppressed"),
        ] {
            let error = parse(check, rest).unwrap_err();
            assert!(error.contains(&format!("line {line}")) && error.contains(text), "{rest}: {error}");
        }
    }

    #[test]
    fn its_last_day_still_counts_and_other_checks_and_subjects_do_not() {
        let suppression = parse("ca-leftover", "reason = \"r\"\nuntil = 2026-12-31").unwrap();
        let id = "/subscriptions/S/resourceGroups/R/providers/Microsoft.DeviceRegistry/namespaces/contoso";
        let subject = Subject::namespace(&crate::ArmId::parse(id).unwrap()).in_policy("short");
        let finding = Finding::new(CheckId::CaLeftover, Reason::CaLeftover, subject, "");
        assert!(suppression.covers(&finding, datetime!(2026-12-31 23:59 UTC)));
        assert!(!suppression.covers(&finding, datetime!(2027-01-01 00:00 UTC)));
        let other = Finding { check: CheckId::CaExpiring, ..finding.clone() };
        assert!(!suppression.covers(&other, datetime!(2026-12-31 00:00 UTC)));
        let elsewhere = Finding { subject: Subject::component("report"), ..finding };
        assert!(!suppression.covers(&elsewhere, datetime!(2026-12-31 00:00 UTC)));
    }
}
