//! What the services have answered so far, and answers that are not what is true now: older ones, and lists that lack an entry.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use azure::http::transport::Outgoing;
use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::value::{RawValue, to_raw_value};

use crate::fault::Fault;
use crate::site::ADDRESS;

/// An answer whose body has arrived.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Answer {
    /// An answer that a fault makes up.
    #[must_use]
    pub fn made_up(status: StatusCode, code: &str) -> Self {
        let body =
            format!("{{\"error\":{{\"code\":\"{code}\",\"message\":\"A fault of the simulation.\"}}}}");
        Self { status, headers: HeaderMap::new(), body: body.into() }
    }

    /// DPS says that the `If-Match` of a write did not match.
    #[must_use]
    pub fn condition_failed() -> Self {
        let body = r#"{"errorCode":412000,"message":"A fault of the simulation."}"#;
        Self { status: StatusCode::PRECONDITION_FAILED, headers: HeaderMap::new(), body: body.into() }
    }
}

/// For how long a read can show what is true no more. Resource Manager promises no time; this is longer than anything that the app waits for
/// between a look and a write.
pub const STALEST: Duration = Duration::from_secs(120);
/// So many states of one thing are remembered.
const KEPT: usize = 4;
/// The header with which DPS goes from page to page.
const CONTINUATION: &str = "x-ms-continuation";

/// What is asked: two equal questions have equal answers while nothing changes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Question {
    place: String,
    continuation: String,
    body: Bytes,
}

/// The answers of one play.
#[derive(Default)]
pub struct Answers {
    /// The last states of each answer, the newest last.
    seen: BTreeMap<Question, VecDeque<Seen>>,
    /// The last entry of the page before, by the question for the next one.
    before: BTreeMap<Question, Box<RawValue>>,
}

struct Seen {
    /// When it was true for the last time.
    last: Duration,
    answer: Answer,
}

impl Question {
    /// The question that a request asks.
    #[must_use]
    pub fn of(request: &Outgoing) -> Self {
        let path = request.url.path();
        let query = request.url.query().map(|query| format!("?{query}")).unwrap_or_default();
        let continuation = request.headers.get(CONTINUATION).and_then(|value| value.to_str().ok());
        Self {
            place: format!("{} {path}{query}", request.method),
            continuation: continuation.unwrap_or_default().to_owned(),
            body: request.body.clone(),
        }
    }

    /// Whether it asks for a further page of a list.
    #[must_use]
    pub fn is_next_page(&self) -> bool {
        !self.continuation.is_empty() || self.place.contains("skiptoken=")
    }

    /// The question for the page after this answer.
    fn next(&self, answer: &Answer) -> Option<Self> {
        if let Some(token) = answer.headers.get(CONTINUATION).and_then(|value| value.to_str().ok()) {
            return Some(Self { continuation: token.to_owned(), ..self.clone() });
        }
        if !std::str::from_utf8(&answer.body).is_ok_and(|text| text.contains(r#""nextLink":""#)) {
            return None;
        }
        let page: serde_json::Value = serde_json::from_slice(&answer.body).ok()?;
        let place = page["nextLink"].as_str()?.strip_prefix(ADDRESS)?;
        Some(Self { place: format!("GET {place}"), ..self.clone() })
    }
}

impl Answers {
    /// Takes note of what is true at `now`, and gives the answer that arrives in its place because of a fault, if the two differ. `chance`
    /// decides what is left to chance.
    pub fn instead(
        &mut self,
        question: &Question,
        (now, truth): (Duration, &Answer),
        fault: Option<Fault>,
        chance: u64,
    ) -> Option<Answer> {
        if truth.status != StatusCode::OK {
            return None;
        }
        let instead = match fault {
            Some(Fault::Stale) => self.older(question, now, truth),
            Some(Fault::Unlisted) => without_one(truth, chance),
            Some(Fault::MovedPages) if chance.is_multiple_of(2) => without_one(truth, 0),
            Some(Fault::MovedPages) => {
                let repeated = self.before.get(question)?.clone();
                let mut entries = List::of(truth)?;
                entries.0.insert(0, repeated);
                entries.within(truth)
            }
            _ => None,
        };
        self.note(question, now, truth);
        instead
    }

    fn older(&self, question: &Question, now: Duration, truth: &Answer) -> Option<Answer> {
        let mut states = self.seen.get(question)?.iter().rev();
        let older = states.find(|seen| seen.answer.body != truth.body && now <= seen.last + STALEST);
        older.map(|seen| seen.answer.clone())
    }

    fn note(&mut self, question: &Question, now: Duration, truth: &Answer) {
        if let Some(next) = question.next(truth)
            && let Some(last) = List::of(truth).and_then(|list| list.0.last().cloned())
        {
            self.before.insert(next, last);
        }
        let states = self.seen.entry(question.clone()).or_default();
        match states.back_mut().filter(|newest| newest.answer.body == truth.body) {
            Some(newest) => newest.last = now,
            None => states.push_back(Seen { last: now, answer: truth.clone() }),
        }
        if states.len() > KEPT {
            states.pop_front();
        }
    }
}

/// The entries of a list, each as it was written.
struct List(Vec<Box<RawValue>>);

impl List {
    /// DPS answers a list as it is, Resource Manager in `value`.
    fn of(answer: &Answer) -> Option<Self> {
        if let Ok(entries) = serde_json::from_slice(&answer.body) {
            return Some(Self(entries));
        }
        let page: BTreeMap<String, Box<RawValue>> = serde_json::from_slice(&answer.body).ok()?;
        serde_json::from_str(page.get("value")?.get()).ok().map(Self)
    }

    /// The same answer with these entries.
    fn within(self, answer: &Answer) -> Option<Answer> {
        let entries = to_raw_value(&self.0).ok()?;
        let body = match serde_json::from_slice::<BTreeMap<String, Box<RawValue>>>(&answer.body) {
            Ok(mut page) => {
                page.insert("value".to_owned(), entries);
                serde_json::to_vec(&page).ok()?
            }
            Err(_) => entries.get().as_bytes().to_vec(),
        };
        let mut changed = Answer { body: body.into(), ..answer.clone() };
        if changed.headers.contains_key(CONTENT_LENGTH) {
            changed.headers.insert(CONTENT_LENGTH, HeaderValue::from(changed.body.len()));
        }
        Some(changed)
    }
}

/// A list without one of its entries; `None` when it has none.
fn without_one(answer: &Answer, chance: u64) -> Option<Answer> {
    let mut list = List::of(answer)?;
    let count = u64::try_from(list.0.len()).ok().filter(|count| *count > 0)?;
    list.0.remove(usize::try_from(chance % count).ok()?);
    list.within(answer)
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, Method};
    use serde_json::{Value, json};

    use super::*;

    fn question(place: &str) -> Question {
        let url = format!("{ADDRESS}{place}").parse().unwrap();
        Question::of(&Outgoing { method: Method::GET, url, headers: HeaderMap::new(), body: Bytes::new() })
    }

    fn answer(body: &Value) -> Answer {
        Answer { status: StatusCode::OK, headers: HeaderMap::new(), body: body.to_string().into() }
    }

    fn body(answer: &Answer) -> Value {
        serde_json::from_slice(&answer.body).unwrap()
    }

    #[test]
    fn an_answer_is_older_only_when_the_truth_has_changed_and_never_too_old() {
        let (mut answers, asked) = (Answers::default(), question("/a"));
        let (old, new) = (answer(&json!({"state": 1})), answer(&json!({"state": 2})));
        let at = Duration::from_secs;
        let mut ask = |second, truth, fault| answers.instead(&asked, (at(second), truth), fault, 0);
        assert!(ask(0, &old, Some(Fault::Stale)).is_none());
        assert!(ask(10, &old, Some(Fault::Stale)).is_none());
        assert_eq!(ask(100, &new, Some(Fault::Stale)).unwrap().body, old.body);
        assert!(ask(100, &new, None).is_none());
        assert_eq!(ask(130, &new, Some(Fault::Stale)).unwrap().body, old.body);
        assert!(ask(131, &new, Some(Fault::Stale)).is_none());
    }

    #[test]
    fn a_list_can_lack_an_entry_in_either_form() {
        let mut answers = Answers::default();
        let page = answer(&json!({"value": [{"a": 1.0}, {"b": 2}], "nextLink": null}));
        let at = Duration::ZERO;
        let unlisted = Some(Fault::Unlisted);
        let lacks = answers.instead(&question("/l"), (at, &page), unlisted, 3).unwrap();
        assert_eq!(body(&lacks), json!({"value": [{"a": 1.0}], "nextLink": null}));
        let bare = answers.instead(&question("/m"), (at, &answer(&json!([1, 2]))), unlisted, 0).unwrap();
        assert_eq!(body(&bare), json!([2]));
        let empty = answer(&json!({"value": []}));
        assert!(answers.instead(&question("/n"), (at, &empty), unlisted, 0).is_none());
    }

    #[test]
    fn the_next_page_repeats_the_last_entry_of_the_one_before_or_leaves_its_own_first_out() {
        let mut answers = Answers::default();
        let next = "/l?api-version=1&%24skiptoken=x";
        let first = answer(&json!({"value": [1, 2], "nextLink": format!("{ADDRESS}{next}")}));
        let second = answer(&json!({"value": [3, 4]}));
        let at = Duration::ZERO;
        assert!(answers.instead(&question("/l?api-version=1"), (at, &first), None, 0).is_none());
        assert!(question(next).is_next_page() && !question("/l?api-version=1").is_next_page());
        let mut ask =
            |chance| answers.instead(&question(next), (at, &second), Some(Fault::MovedPages), chance);
        assert_eq!(body(&ask(0).unwrap())["value"], json!([4]));
        assert_eq!(body(&ask(1).unwrap())["value"], json!([2, 3, 4]));
    }
}
