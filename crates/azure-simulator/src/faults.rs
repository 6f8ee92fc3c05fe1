//! Faults that a test or a person installs: which mistake a service makes, how often, and on which paths.
//!
//! The first installed fault that matches a request decides. Chance comes from a seeded generator, so a run with the
//! same seed and the same order of requests meets the same faults.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use wildmatch::WildMatch;

use super::answer;
use super::clock::Clock;
use super::service::Service;

mod document;
mod merge;

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
    /// Change the service's own answer by this merge patch, such as unknown members and values.
    pub merge: Option<Map<String, Value>>,
    /// Chance, 0 to 1, that it strikes a request that it matches.
    pub probability: f64,
}

impl Fault {
    fn matches(&self, method: &str, path: &str) -> bool {
        self.method.as_deref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
            && WildMatch::new_case_insensitive(&self.path).matches(path)
    }

    /// Strikes a request that `serve` hands to its service. Gives the answer, if there is one, and whether the service
    /// has done work whose answer is lost.
    pub(crate) async fn act(
        &self,
        service: Service,
        clock: &Clock,
        serve: impl Future<Output = Response>,
    ) -> (Option<Response>, bool) {
        tokio::time::sleep(self.delay).await;
        let is_answered = self.status.is_none() && !self.close;
        if is_answered {
            let answer = serve.await;
            return match &self.merge {
                None => (Some(answer), false),
                Some(patch) => (Some(merge::into(answer, patch).await), false),
            };
        }
        if self.afterwards {
            drop(serve.await);
        }
        (self.answer(service, clock.now()), self.afterwards)
    }

    /// The answer that this fault gives in place of the service's; none when it gives none.
    fn answer(&self, service: Service, now: OffsetDateTime) -> Option<Response> {
        let status = self.status?;
        let mut answer = match &self.body {
            Some(Value::String(text)) => answer::answer(status, "text/plain; charset=utf-8", text.clone()),
            Some(body) => answer::json_answer(status, body),
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
    chance: fastrand::Rng,
}

impl Faults {
    /// Installs `faults`; `seed` starts the generator of chance.
    #[must_use]
    pub fn new(faults: Vec<Fault>, seed: u64) -> Self {
        let faults = faults.into_iter().map(|fault| (fault, 0)).collect();
        Self { installed: Mutex::new(Installed { faults, chance: fastrand::Rng::with_seed(seed) }) }
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
                && (fault.probability >= 1.0 || chance.f64() < fault.probability)
            {
                *struck += 1;
                return Some(fault.clone());
            }
        }
        None
    }

    /// `{"faults":[...]}`, each with the number of times that are left.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let installed = self.installed.lock().unwrap_or_else(PoisonError::into_inner);
        let shown: Vec<Value> =
            installed.faults.iter().map(|(fault, struck)| fault.to_json(*struck)).collect();
        json!({"faults": shown})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_spans_slashes_and_a_question_mark_is_one_character() {
        let matches = |pattern: &str, path: &str| {
            let faults = parse(&format!(r#"{{"faults":[{{"path":"{pattern}","status":500}}]}}"#));
            faults.unwrap()[0].matches("GET", path)
        };
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
}
