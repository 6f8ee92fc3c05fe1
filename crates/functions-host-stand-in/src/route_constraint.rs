//! The constraints of route parameters: `int`, `guid`, `length(2,5)` and the others of ASP.NET.

use std::str::FromStr;

const ALLOWED: &str = "alpha, bool, datetime, decimal, double, file, float, guid, int, length(n), length(a,b), long, max(n), maxlength(n), min(n), minlength(n), nonfile, range(a,b), required";

/// A constraint on a parameter.
#[derive(Debug, Clone, PartialEq)]
pub enum Constraint {
    /// Letters only.
    Alpha,
    /// `true` or `false`.
    Bool,
    /// A date, with or without a time.
    DateTime,
    /// Any number.
    Number,
    /// Last segment with (`true`) or without a dot.
    File(bool),
    /// 32 hexadecimal digits, with or without dashes and braces.
    Guid,
    /// A 32-bit whole number.
    Int,
    /// A whole number between two.
    Range(i64, i64),
    /// A count of characters between two.
    Length(usize, usize),
    /// Anything at all.
    Required,
}

impl FromStr for Constraint {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, arguments) = match text.split_once('(') {
            Some((name, rest)) => (name, rest.strip_suffix(')').unwrap_or(rest)),
            None => (text, ""),
        };
        let unknown = || format!("{text:?} is no constraint of this stand-in; allowed: {ALLOWED}");
        let numbers: Vec<i64> =
            arguments.split(',').filter_map(|argument| argument.trim().parse().ok()).collect();
        let size = |number: i64| usize::try_from(number).map_err(|_| unknown());
        Ok(match (name.to_ascii_lowercase().as_str(), numbers.as_slice()) {
            ("alpha", []) => Self::Alpha,
            ("bool", []) => Self::Bool,
            ("datetime", []) => Self::DateTime,
            ("decimal" | "double" | "float", []) => Self::Number,
            ("file", []) => Self::File(true),
            ("nonfile", []) => Self::File(false),
            ("guid", []) => Self::Guid,
            ("int", []) => Self::Int,
            ("long", []) => Self::Range(i64::MIN, i64::MAX),
            ("min", [least]) => Self::Range(*least, i64::MAX),
            ("max", [most]) => Self::Range(i64::MIN, *most),
            ("range", [least, most]) => Self::Range(*least, *most),
            ("length", [exact]) => Self::Length(size(*exact)?, size(*exact)?),
            ("length", [least, most]) => Self::Length(size(*least)?, size(*most)?),
            ("minlength", [least]) => Self::Length(size(*least)?, usize::MAX),
            ("maxlength", [most]) => Self::Length(0, size(*most)?),
            ("required", []) => Self::Required,
            _ => return Err(unknown()),
        })
    }
}

impl Constraint {
    /// Whether a value that is not empty may stand for the parameter.
    #[must_use]
    pub fn allows(&self, text: &str) -> bool {
        match self {
            Self::Alpha => text.bytes().all(|byte| byte.is_ascii_alphabetic()),
            Self::Bool => text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false"),
            Self::DateTime => is_date(text),
            Self::Number => text.parse::<f64>().is_ok_and(f64::is_finite),
            Self::File(wanted) => text.rsplit('/').next().is_some_and(|name| name.contains('.')) == *wanted,
            Self::Guid => uuid::Uuid::parse_str(text).is_ok(),
            Self::Int => text.parse::<i32>().is_ok(),
            Self::Range(least, most) => {
                text.parse().is_ok_and(|value: i64| (*least..=*most).contains(&value))
            }
            Self::Length(least, most) => (*least..=*most).contains(&text.chars().count()),
            Self::Required => true,
        }
    }
}

/// `yyyy-MM-dd`, alone or followed by a time. .NET takes more forms, which do not occur in paths.
fn is_date(text: &str) -> bool {
    let format = time::macros::format_description!("[year]-[month]-[day]");
    let (date, clock) = text.split_once(['T', ' ']).unwrap_or((text, "00:00"));
    time::Date::parse(date, format).is_ok() && clock.starts_with(|first: char| first.is_ascii_digit())
}
