//! Faults that a test or a person installs: what a service does wrong, how often, and on which paths.
//!
//! The first installed fault that matches a request decides. Chance comes from a seeded generator, so a run with the
//! same seed and the same order of requests meets the same faults.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use super::service::{self, Service};

mod document;
pub(crate) mod merge;

pub use document::{FaultError, parse, read};

/// One thing that goes wrong.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    /// Upper-case HTTP method; any when absent.
    pub method: Option<String>,
    /// Glob over the path, in any case: `*` is any run of characters, slashes included, `?` is one character.
    pub path: String,
    /// Answer with this status.
    pub status: Option<StatusCode>,
    /// Seconds in the `Retry-After` header of that answer.
    pub retry_after: Option<u64>,
    /// How often it strikes; for ever when absent.
    pub times: Option<u64>,
    /// Body of that answer instead of the service's own: a text is sent as it is, anything else as JSON.
    pub body: Option<Value>,
    /// Wait so long, in real time, first.
    pub delay: Duration,
    /// Close the connection with no answer.
    pub close: bool,
    /// Do the work first, then lose its answer.
    pub afterwards: bool,
    /// Change the service's own answer by this merge patch: members and values that nobody knew.
    pub merge: Option<Map<String, Value>>,
    /// Chance, 0 to 1, that it strikes a request that it matches.
    pub probability: f64,
}

impl Fault {
    fn matches(&self, method: &str, path: &str) -> bool {
        self.method.as_deref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
            && glob(self.path.as_bytes(), path.as_bytes())
    }

    /// The answer that this fault gives in place of the service's; none when it gives none.
    #[must_use]
    pub fn answer(&self, service: Service, now: OffsetDateTime) -> Option<Response> {
        let status = self.status?;
        let mut answer = match &self.body {
            Some(Value::String(text)) => service::answer(status, "text/plain; charset=utf-8", text.clone()),
            Some(body) => service::json_answer(status, body),
            None if status.is_client_error() || status.is_server_error() => service.refuse(status, now),
            None => {
                let mut answer = Response::default();
                *answer.status_mut() = status;
                answer
            }
        };
        if let Some(seconds) = self.retry_after {
            answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        Some(answer)
    }

    fn to_json(&self, struck: u64) -> Value {
        let mut shown = Map::new();
        shown.insert("method".into(), json!(self.method.as_deref().unwrap_or("*")));
        shown.insert("path".into(), json!(self.path));
        let mut put = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                shown.insert(name.into(), value);
            }
        };
        put("status", self.status.map(|status| json!(status.as_u16())));
        put("retryAfter", self.retry_after.map(Value::from));
        put("times", self.times.map(Value::from));
        put("body", self.body.clone());
        put("delaySeconds", (!self.delay.is_zero()).then(|| json!(self.delay.as_secs_f64())));
        put("close", self.close.then_some(Value::Bool(true)));
        put("afterwards", self.afterwards.then_some(Value::Bool(true)));
        put("merge", self.merge.clone().map(Value::Object));
        put("probability", (self.probability < 1.0).then(|| json!(self.probability)));
        put("remaining", self.times.map(|times| json!(times.saturating_sub(struck))));
        put("struck", Some(json!(struck)));
        Value::Object(shown)
    }
}

/// The faults that are installed now.
#[derive(Debug)]
pub struct Faults {
    installed: Mutex<Installed>,
}

#[derive(Debug)]
struct Installed {
    faults: Vec<(Fault, u64)>,
    chance: u64,
}

impl Faults {
    /// Installs `faults`; `seed` starts the generator of chance.
    #[must_use]
    pub fn new(faults: Vec<Fault>, seed: u64) -> Self {
        let faults = faults.into_iter().map(|fault| (fault, 0)).collect();
        Self { installed: Mutex::new(Installed { faults, chance: seed }) }
    }

    /// Installs `faults` in place of all that were there.
    pub fn replace(&self, faults: Vec<Fault>) {
        let mut installed = self.installed.lock().unwrap_or_else(PoisonError::into_inner);
        installed.faults = faults.into_iter().map(|fault| (fault, 0)).collect();
    }

    /// The fault that strikes this request, if one does. It counts as having struck.
    pub fn strike(&self, method: &str, path: &str) -> Option<Fault> {
        let mut installed = self.installed.lock().unwrap_or_else(PoisonError::into_inner);
        let Installed { faults, chance } = &mut *installed;
        for (fault, struck) in faults {
            let spent = fault.times.is_some_and(|times| *struck >= times);
            if !spent
                && fault.matches(method, path)
                && (fault.probability >= 1.0 || roll(chance) < fault.probability)
            {
                *struck += 1;
                return Some(fault.clone());
            }
        }
        None
    }

    /// `{"faults":[...]}`, each with what is left of it.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let installed = self.installed.lock().unwrap_or_else(PoisonError::into_inner);
        let shown: Vec<Value> =
            installed.faults.iter().map(|(fault, struck)| fault.to_json(*struck)).collect();
        json!({"faults": shown})
    }
}

/// The next number in [0, 1) of the splitmix64 generator: small, and good enough to spread faults.
fn roll(state: &mut u64) -> f64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^= mixed >> 31;
    // 53 bits are what a double holds exactly.
    (mixed >> 11) as f64 / (1u64 << 53) as f64
}

/// Matches in time proportional to the product of both lengths at worst: a star remembers one place to come back to.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut read) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while read < text.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at + 1, read));
                at += 1;
            }
            Some(wanted) if *wanted == b'?' || wanted.eq_ignore_ascii_case(&text[read]) => {
                at += 1;
                read += 1;
            }
            _ => {
                let Some((after, from)) = star else { return false };
                star = Some((after, from + 1));
                at = after;
                read = from + 1;
            }
        }
    }
    pattern[at..].iter().all(|rest| *rest == b'*')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_star_spans_slashes_and_a_question_mark_is_one_character() {
        let matches = |pattern: &str, path: &str| glob(pattern.as_bytes(), path.as_bytes());
        assert!(matches("/subscriptions/*/synchronize", "/subscriptions/s/resourceGroups/r/synchronize"));
        assert!(matches("/dps/?/enrollmentGroups/*", "/dps/a/enrollmentgroups/"));
        assert!(matches("*", ""));
        assert!(matches("*/a*b", "/x/aab/ab"));
        assert!(!matches("/dps/?/x", "/dps//x"));
        assert!(!matches("/a", "/a/b"));
        assert!(!matches("/a?", "/a"));
    }

    #[test]
    fn faults_strike_in_order_and_only_as_often_as_they_say() {
        let first = parse(
            r#"{"faults":[{"method":"get","path":"/a*","status":500,"times":1}, {"path":"*","status":503}]}"#,
        );
        let faults = Faults::new(first.unwrap(), 1);
        let statuses: Vec<Option<u16>> = ["/a", "/a", "/b"]
            .into_iter()
            .map(|path| {
                faults.strike("GET", path).and_then(|fault| fault.status).map(|status| status.as_u16())
            })
            .collect();
        assert_eq!(statuses, [Some(500), Some(503), Some(503)]);
        let shown = faults.to_json();
        assert_eq!(shown["faults"][0]["remaining"], 0);
        assert_eq!(shown["faults"][1]["struck"], 2);
    }

    #[test]
    fn chance_is_repeatable_by_its_seed_and_near_its_probability() {
        let run = |seed| {
            let faults = parse(r#"{"faults":[{"path":"*","status":500,"probability":0.3}]}"#).unwrap();
            let faults = Faults::new(faults, seed);
            (0..2_000).map(|_| faults.strike("GET", "/a").is_some()).collect::<Vec<_>>()
        };
        assert_eq!(run(7), run(7));
        assert_ne!(run(7), run(8));
        let struck = run(7).into_iter().filter(|struck| *struck).count();
        assert!((500..700).contains(&struck), "{struck}");
    }

    proptest! {
        #[test]
        fn a_glob_with_a_star_in_each_gap_matches_the_text(text in "[a-c/]{0,12}", cuts in proptest::collection::vec(any::<bool>(), 12)) {
            let pattern: String = text.chars().zip(&cuts).map(|(letter, cut)| if *cut { '*' } else { letter }).collect();
            prop_assert!(glob(pattern.as_bytes(), text.as_bytes()), "{pattern}");
        }

        #[test]
        fn a_glob_agrees_with_a_plain_recursive_one(pattern in "[ab*?]{0,8}", text in "[ab]{0,8}") {
            fn plain(pattern: &[u8], text: &[u8]) -> bool {
                match (pattern.split_first(), text.split_first()) {
                    (None, None) => true,
                    (Some((b'*', rest)), _) => plain(rest, text) || (!text.is_empty() && plain(pattern, &text[1..])),
                    (Some((wanted, rest)), Some((letter, others))) => (*wanted == b'?' || wanted == letter) && plain(rest, others),
                    _ => false,
                }
            }
            prop_assert_eq!(glob(pattern.as_bytes(), text.as_bytes()), plain(pattern.as_bytes(), text.as_bytes()));
        }
    }
}
