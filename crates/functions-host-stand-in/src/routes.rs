//! Routes of HTTP functions, as ASP.NET matches them.
//!
//! A template is text with parameters in braces: `jobs/{id}`, `{id:int}`, `{id?}`, `{id=7}`, `{name}.{extension}`,
//! `{*rest}`. Text is compared without regard to case; where several routes match, the more exact one wins.

use percent_encoding::percent_decode_str;

use super::route_constraint::Constraint;

/// A route with its prefix.
#[derive(Debug, Clone)]
pub struct Route {
    template: String,
    segments: Vec<Vec<Part>>,
}

#[derive(Debug, Clone)]
enum Part {
    Text(String),
    Parameter(Parameter),
}

#[derive(Debug, Clone)]
struct Parameter {
    name: String,
    constraints: Vec<Constraint>,
    catch_all: bool,
    optional: bool,
    default: Option<String>,
}

/// The values of a route's parameters, in the order of the template.
pub type RouteValues = Vec<(String, String)>;

impl Route {
    /// Parses a template below a prefix (which may be empty).
    ///
    /// # Errors
    /// What is wrong with the template, in words.
    pub fn parse(prefix: &str, template: &str) -> Result<Self, String> {
        let template = template.trim_start_matches('~').trim_matches('/');
        let whole = if prefix.is_empty() { template.to_owned() } else { format!("{prefix}/{template}") };
        let segments = split(&whole).into_iter().map(parse_segment).collect::<Result<Vec<_>, _>>()?;
        for (index, segment) in segments.iter().enumerate() {
            let last = index + 1 == segments.len();
            if !last && segment.iter().any(|part| matches!(part, Part::Parameter(it) if it.catch_all)) {
                return Err("a parameter with * must be the last segment".to_owned());
            }
        }
        Ok(Self { template: whole, segments })
    }

    /// The template, prefix included.
    #[must_use]
    pub fn template(&self) -> &str {
        &self.template
    }

    /// Compares routes that match one path: the smaller one is tried first.
    #[must_use]
    pub fn precedence(&self) -> Vec<u8> {
        let rank = |segment: &Vec<Part>| match segment.as_slice() {
            [Part::Text(_)] => 1,
            [Part::Parameter(it)] => match (it.catch_all, it.constraints.is_empty()) {
                (false, false) => 2,
                (false, true) => 3,
                (true, false) => 4,
                (true, true) => 5,
            },
            _ => 2,
        };
        self.segments.iter().map(rank).collect()
    }

    /// The values of the parameters when `path` (still percent-encoded, without query) matches.
    #[must_use]
    pub fn matches(&self, path: &str) -> Option<RouteValues> {
        let path = path.trim_start_matches('/').trim_end_matches('/');
        let given: Vec<&str> = if path.is_empty() { Vec::new() } else { path.split('/').collect() };
        let mut values = RouteValues::new();
        let mut at = 0;
        for segment in &self.segments {
            if let [Part::Parameter(parameter)] = segment.as_slice() {
                let text = if parameter.catch_all {
                    let rest = given[at.min(given.len())..].join("/");
                    at = given.len();
                    decode(&rest)
                } else {
                    at += 1;
                    given.get(at - 1).map(|text| decode(text)).unwrap_or_default()
                };
                if let Some(value) = parameter.accept(&text)? {
                    values.push((parameter.name.clone(), value));
                }
            } else {
                let text = decode(given.get(at)?);
                at += 1;
                match_parts(segment, &text, &mut values)?;
            }
        }
        (at >= given.len()).then_some(values)
    }
}

impl Parameter {
    /// `None`: no match; `Some(None)`: a match without a value.
    fn accept(&self, text: &str) -> Option<Option<String>> {
        if text.is_empty() {
            let may_lack = self.optional || self.catch_all || self.default.is_some();
            return may_lack.then(|| self.default.clone());
        }
        self.constraints.iter().all(|constraint| constraint.allows(text)).then(|| Some(text.to_owned()))
    }
}

/// Matches a segment of text and parameters; a parameter takes as much as it can.
fn match_parts(parts: &[Part], text: &str, values: &mut RouteValues) -> Option<()> {
    match parts {
        [] => text.is_empty().then_some(()),
        [Part::Text(literal), rest @ ..] => {
            let (head, tail) = text.split_at_checked(literal.len())?;
            if !head.eq_ignore_ascii_case(literal) {
                return None;
            }
            match_parts(rest, tail, values)
        }
        [Part::Parameter(parameter), rest @ ..] => {
            for end in (1..=text.len()).rev().filter(|end| text.is_char_boundary(*end)) {
                let known = values.len();
                if let Some(Some(value)) = parameter.accept(&text[..end]) {
                    values.push((parameter.name.clone(), value));
                    if match_parts(rest, &text[end..], values).is_some() {
                        return Some(());
                    }
                }
                values.truncate(known);
            }
            None
        }
    }
}

fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// Splits at slashes outside of braces.
fn split(template: &str) -> Vec<&str> {
    let mut depth = 0_i32;
    let at_slash = |character: char| {
        depth += match character {
            '{' => 1,
            '}' => -1,
            _ => 0,
        };
        character == '/' && depth == 0
    };
    template.split(at_slash).filter(|segment| !segment.is_empty()).collect()
}

fn parse_segment(text: &str) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (literal, after) = rest.split_once('{').unwrap_or((rest, ""));
        if literal.contains('}') {
            return Err(format!("{text:?} has a closing brace without an opening one"));
        }
        if !literal.is_empty() {
            parts.push(Part::Text(literal.to_owned()));
        }
        if literal.len() == rest.len() {
            break;
        }
        let (parameter, after) = after
            .split_once('}')
            .ok_or_else(|| format!("{text:?} has an opening brace without a closing one"))?;
        parts.push(Part::Parameter(parse_parameter(parameter)?));
        rest = after;
    }
    Ok(parts)
}

fn parse_parameter(text: &str) -> Result<Parameter, String> {
    let name_and_rest = text.trim_start_matches('*');
    let catch_all = name_and_rest.len() < text.len();
    let (name_and_rest, optional) = match name_and_rest.strip_suffix('?') {
        Some(text) => (text, true),
        None => (name_and_rest, false),
    };
    let (name_and_constraints, default) = match name_and_rest.split_once('=') {
        Some((text, default)) => (text, Some(default.to_owned())),
        None => (name_and_rest, None),
    };
    let mut pieces = name_and_constraints.split(':');
    let name = pieces.next().unwrap_or_default().trim().to_owned();
    if name.is_empty() {
        return Err(format!("{{{text}}} has no name"));
    }
    let constraints = pieces.map(str::parse).collect::<Result<_, _>>()?;
    Ok(Parameter { name, constraints, catch_all, optional, default })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(template: &str, path: &str) -> Option<String> {
        let found = Route::parse("api", template).unwrap().matches(path)?;
        Some(found.into_iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(","))
    }

    #[test]
    fn parameters_take_their_segments() {
        for (template, path, expected) in [
            ("jobs/{id}", "/api/jobs/42", Some("id=42")),
            ("jobs/{id}", "/API/Jobs/a%20b/", Some("id=a b")),
            ("jobs/{id}", "/api/jobs", None),
            ("jobs/{id}", "/api/jobs/1/2", None),
            ("jobs/{id?}", "/api/jobs", Some("")),
            ("jobs/{id=7}", "/api/jobs", Some("id=7")),
            ("jobs/{id:int}", "/api/jobs/x", None),
            ("jobs/{id:int:min(3)}", "/api/jobs/2", None),
            ("jobs/{id:int:min(3)}", "/api/jobs/3", Some("id=3")),
            ("files/{*rest}", "/api/files/a/b.txt", Some("rest=a/b.txt")),
            ("files/{*rest}", "/api/files", Some("")),
            ("{name}.{extension}", "/api/a.b.txt", Some("name=a.b,extension=txt")),
            ("v{version:int}", "/api/v12", Some("version=12")),
            ("v{version:int}", "/api/v", None),
            (
                "{category}/{id:guid}",
                "/api/x/3f2504e0-4f89-11d3-9a0c-0305e82c3301",
                Some("category=x,id=3f2504e0-4f89-11d3-9a0c-0305e82c3301"),
            ),
        ] {
            assert_eq!(values(template, path).as_deref(), expected, "{template} {path}");
        }
    }

    #[test]
    fn an_empty_prefix_puts_routes_at_the_root() {
        assert!(Route::parse("", "jobs").unwrap().matches("/jobs").is_some());
    }

    #[test]
    fn the_more_exact_route_comes_first() {
        let mut routes =
            ["{*rest}", "{name}", "jobs", "{id:int}"].map(|text| Route::parse("api", text).unwrap());
        routes.sort_by_key(Route::precedence);
        let order: Vec<_> = routes.iter().map(Route::template).collect();
        assert_eq!(order, ["api/jobs", "api/{id:int}", "api/{name}", "api/{*rest}"]);
    }

    #[test]
    fn faulty_templates_are_refused_in_words() {
        for (template, words) in [
            ("{id", "closing"),
            ("id}", "opening"),
            ("{}", "no name"),
            ("{id:color}", "allowed: alpha"),
            ("{*rest}/x", "last segment"),
        ] {
            let error = Route::parse("api", template).unwrap_err();
            assert!(error.contains(words), "{error}");
        }
    }
}
