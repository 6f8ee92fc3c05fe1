//! Finds the citations in a text: the name of a page with the numbers of its sections.

/// Sections of one page, cited in one place.
#[derive(Debug, PartialEq, Eq)]
pub struct Citation {
    /// Where it begins, from 1.
    pub line: usize,
    /// Name of the page's file, without its folder. Absent where only a number stands.
    pub page: Option<String>,
    /// At least one; of a range its two ends.
    pub sections: Vec<String>,
}

const SIGN: char = '\u{a7}';
const SUFFIX: &str = ".md";

/// All citations of a text. A number without the sign counts only behind a page of facts, which `has_facts` knows by
/// its name.
pub fn citations(text: &str, has_facts: impl Fn(&str) -> bool) -> Vec<Citation> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(next) = text[at..].find([SIGN, '.']).map(|next| at + next) {
        let rest = &text[next..];
        if let Some(after) = rest.strip_prefix(SIGN) {
            at = text.len() - after.len();
            if let Some((section, after)) = number(after)
                && !is_of_an_rfc(&text[..next])
            {
                let (mut sections, end) = (vec![section], text.len() - after.len());
                at = end + more(&text[end..], true, &mut sections);
                found.push(Citation { line: line(text, next), page: None, sections });
            }
            continue;
        }
        at = next + 1;
        let Some((name, after)) = page(text, next) else { continue };
        at = text.len() - after.len();
        let mark = gap(after.trim_start_matches(['`', ')', ']', ',']));
        let (signed, start) = match (mark.strip_prefix(SIGN), mark.strip_prefix("section")) {
            (Some(after), _) => (true, after),
            (None, Some(after)) => (false, gap(after.trim_start_matches('s'))),
            (None, None) if has_facts(&name) && mark.len() < after.len() => (false, mark),
            (None, None) => continue,
        };
        if let Some((section, after)) = number(start) {
            let (mut sections, end) = (vec![section], text.len() - after.len());
            at = end + more(&text[end..], signed, &mut sections);
            found.push(Citation { line: line(text, next), page: Some(name), sections });
        }
    }
    found
}

/// Names of pages between backticks, with their lines.
pub fn mentions(text: &str) -> Vec<(usize, String)> {
    let ends = text.match_indices(".md`").map(|(at, _)| at);
    ends.filter_map(|at| Some((line(text, at), page(text, at)?.0))).collect()
}

/// The page whose `.md` stands at `dot`, and what comes behind it.
fn page(text: &str, dot: usize) -> Option<(String, &str)> {
    let after = text[dot..].strip_prefix(SUFFIX)?;
    let before = &text[..dot];
    let stem =
        &before[before.trim_end_matches(|c: char| c.is_ascii_alphanumeric() || "-_".contains(c)).len()..];
    let ends = !after.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    (ends && !stem.is_empty()).then(|| (format!("{stem}{SUFFIX}"), after))
}

/// Reads the sections that follow on one that was read, and says how many bytes they take.
fn more(text: &str, signed: bool, sections: &mut Vec<String>) -> usize {
    let mut rest = text;
    loop {
        let spaced = [", and ", ", ", " and ", " or ", " to "].into_iter();
        // A separator may end its line.
        let next = spaced.filter_map(|word| {
            let after = rest.strip_prefix(word.trim_end()).filter(|after| gap(after).len() < after.len());
            let after = gap(after.or_else(|| gap(rest).strip_prefix(word.trim()).map(gap))?);
            match after.strip_prefix(SIGN) {
                Some(after) if signed => number(after),
                // Without the sign, only a number with a dot counts as a section.
                None if !signed => number(after).filter(|(section, _)| section.contains('.')),
                _ => None,
            }
        });
        let range = rest.strip_prefix(['-', '\u{2013}']).and_then(|end| number(end.trim_start_matches(SIGN)));
        let Some((section, after)) = range.or_else(|| next.into_iter().next()) else {
            return text.len() - rest.len();
        };
        sections.push(section);
        rest = after;
    }
}

/// `2`, `2.10`, `10c.1`: a number, perhaps with a letter, and numbers below it.
fn number(text: &str) -> Option<(String, &str)> {
    let digits = |text: &str| text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let mut end = digits(text);
    if end == 0 {
        return None;
    }
    let letter = text[end..].starts_with(|c: char| c.is_ascii_lowercase());
    if letter && !text[end + 1..].starts_with(|c: char| c.is_alphanumeric()) {
        end += 1;
    }
    while let Some(below) = text[end..].strip_prefix('.').map(digits).filter(|below| *below > 0) {
        end += 1 + below;
    }
    Some((text[..end].to_owned(), &text[end..]))
}

/// Leaves out spaces, and the end of a line with the marker of a comment on the next one.
fn gap(text: &str) -> &str {
    let rest = text.trim_start_matches(' ');
    let Some(next) = rest.strip_prefix('\n') else { return rest };
    let next = next.trim_start_matches(' ');
    let marker = ["///", "//!", "//", "#", "*", "|"].into_iter().find_map(|marker| next.strip_prefix(marker));
    marker.unwrap_or(next).trim_start_matches(' ')
}

/// Whether a section belongs to a standard: `RFC 9110` stands before it.
fn is_of_an_rfc(before: &str) -> bool {
    let before = before.trim_end();
    let name = before.trim_end_matches(|c: char| c.is_ascii_digit());
    name.len() < before.len() && name.trim_end().ends_with("RFC")
}

fn line(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}
