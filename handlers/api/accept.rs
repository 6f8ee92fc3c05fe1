//! Chooses the media type of an answer by the header `Accept` (RFC 9110 §12.5.1).
//!
//! The most specific range that matches a type gives its weight, and the type with the largest weight is chosen. Of equal
//! weights the one that was named more exactly wins, then the one that was named first, then the one that the app has
//! first. A part that is no media range counts as not written, and a header without any is as good as none. Parameters
//! other than the weight are passed over: there is one form of each type.

use functions_host::HttpRequest;

/// A media type in which something can be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Media {
    /// For programs.
    Json,
    /// For people: a page.
    Page,
    /// For spreadsheets: a table.
    Csv,
}

impl Media {
    /// The type without its charset.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Page => "text/html",
            Self::Csv => "text/csv",
        }
    }
}

/// The header of a request; several lines of it are one list. Empty where there is none.
#[must_use]
pub fn of(request: &HttpRequest) -> String {
    let lines = request.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("Accept"));
    lines.map(|(_, value)| value).collect::<Vec<_>>().join(",")
}

/// What the header prefers of what is offered; the first of it where the header says nothing. `None`: it accepts nothing of
/// this.
#[must_use]
pub fn preferred(accept: &str, offered: &[Media]) -> Option<Media> {
    let ranges: Vec<Range> = accept.split(',').filter_map(Range::parse).collect();
    if ranges.is_empty() {
        return offered.first().copied();
    }
    let mut best: Option<(Merit, Media)> = None;
    for media in offered {
        let Some(merit) = Merit::of(*media, &ranges).filter(|merit| merit.weight > 0) else { continue };
        // An equal one that comes later is not better.
        if best.is_none_or(|(known, _)| merit > known) {
            best = Some((merit, *media));
        }
    }
    best.map(|(_, media)| media)
}

/// How much a type is wanted; more is better, the first member first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Merit {
    /// In thousandths.
    weight: u16,
    exactness: Exactness,
    /// Its place from the end of the header.
    place: usize,
}

impl Merit {
    fn of(media: Media, ranges: &[Range]) -> Option<Self> {
        let places = ranges.iter().rev().enumerate();
        let matching =
            places.filter_map(|(place, range)| Some((range.exactness(media)?, place, range.weight)));
        let (exactness, place, weight) = matching.max()?;
        Some(Self { weight, exactness, place })
    }
}

/// How exactly a range names a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Exactness {
    /// `*/*`
    Anything,
    /// `text/*`
    Kind,
    /// `text/html`
    Whole,
}

/// A part of the header.
struct Range {
    kind: String,
    subtype: String,
    /// In thousandths: 0 to 1000.
    weight: u16,
}

impl Range {
    fn parse(part: &str) -> Option<Self> {
        let mut pieces = part.split(';').map(str::trim);
        let (kind, subtype) = pieces.next()?.split_once('/')?;
        if !is_token(kind) || !is_token(subtype) || (kind == "*" && subtype != "*") {
            return None;
        }
        let is_weight = |piece: &str| {
            piece
                .split_once('=')
                .filter(|(name, _)| name.trim().eq_ignore_ascii_case("q"))
                .map(|(_, value)| value.trim().to_owned())
        };
        let weight = match pieces.find_map(is_weight) {
            Some(weight) => thousandths(&weight)?,
            None => 1000,
        };
        Some(Self { kind: kind.to_ascii_lowercase(), subtype: subtype.to_ascii_lowercase(), weight })
    }

    fn exactness(&self, media: Media) -> Option<Exactness> {
        let (kind, subtype) = media.name().split_once('/')?;
        match (self.kind.as_str(), self.subtype.as_str()) {
            ("*", _) => Some(Exactness::Anything),
            (own, "*") if own == kind => Some(Exactness::Kind),
            (own, rest) if own == kind && rest == subtype => Some(Exactness::Whole),
            _ => None,
        }
    }
}

/// A token of RFC 9110 §5.6.2; `*` is one too.
fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// A weight of RFC 9110 §12.4.2, from `0` to `1` with at most three decimals.
fn thousandths(text: &str) -> Option<u16> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let is_written_right = matches!(whole, "0" | "1")
        && decimals.len() <= 3
        && decimals.bytes().all(|byte| byte.is_ascii_digit());
    let weight = format!("{whole}{decimals:0<3}").parse().ok().filter(|_| is_written_right)?;
    (weight <= 1000).then_some(weight)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BOTH: [Media; 2] = [Media::Json, Media::Page];

    #[test]
    fn the_weights_decide_then_the_exactness_then_the_order() {
        let (json, page) = (Some(Media::Json), Some(Media::Page));
        for (accept, chosen) in [
            ("", json),
            ("*/*", json),
            ("text/html", page),
            ("TEXT/Html", page),
            ("application/json", json),
            ("text/*", page),
            ("application/*", json),
            // What browsers send.
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", page),
            ("text/html,application/json", page),
            ("application/json, text/html", json),
            ("application/json;q=0.5, text/html", page),
            ("text/html;q=0.5, application/json;q=0.6", json),
            ("text/html;q=0.3, */*", json),
            ("text/html, */*", page),
            ("*/*, text/html", page),
            ("*/*, application/json;q=0", page),
            ("application/json;q=0, text/*;q=0.001", page),
            ("text/html;q=0, text/*", None),
            ("text/html; charset=utf-8; Q=0.7, application/json;q=0.699", page),
            ("application/json;odata.metadata=minimal", json),
            ("image/png", None),
            ("application/json;q=0", None),
            ("*/*;q=0", None),
            ("application/xhtml+xml", None),
            // What is no media range counts as not written.
            ("json", json),
            ("*/html, text/html;q=2, text/html;q=0.1234, te xt/html, /", json),
            ("garbage, text/html", page),
            (",, text/html ,", page),
        ] {
            assert_eq!(preferred(accept, &BOTH), chosen, "{accept}");
        }
    }

    #[test]
    fn what_is_not_offered_is_never_chosen() {
        assert_eq!(preferred("text/html", &[Media::Json]), None);
        assert_eq!(preferred("text/html, */*;q=0.1", &[Media::Json]), Some(Media::Json));
        assert_eq!(preferred("", &[]), None);
    }

    fn ranges() -> impl Strategy<Value = Vec<(&'static str, u16)>> {
        let names = prop::sample::select(vec![
            "*/*",
            "text/*",
            "text/html",
            "application/*",
            "application/json",
            "image/png",
        ]);
        prop::collection::vec((names, 0..=1000_u16), 1..6)
    }

    proptest! {
        #[test]
        fn any_header_is_answered(accept in any::<String>()) {
            let _ = preferred(&accept, &BOTH);
        }

        /// Written another way: the weight of a type is that of the most exact range that names it, and no type of less weight
        /// is chosen while another has more.
        #[test]
        fn no_type_is_chosen_while_another_is_wanted_more(ranges in ranges()) {
            let header: Vec<String> = ranges.iter().map(|(name, q)| format!("{name};q={}.{:03}", q / 1000, q % 1000)).collect();
            let weight = |media: Media| {
                let kind = media.name().split('/').next().unwrap();
                for name in [media.name().to_owned(), format!("{kind}/*"), "*/*".to_owned()] {
                    if let Some((_, q)) = ranges.iter().find(|(range, _)| **range == name) {
                        return *q;
                    }
                }
                0
            };
            let most = weight(Media::Json).max(weight(Media::Page));
            match preferred(&header.join(", "), &BOTH) {
                Some(chosen) => prop_assert_eq!(weight(chosen), most),
                None => prop_assert_eq!(most, 0),
            }
        }
    }
}
