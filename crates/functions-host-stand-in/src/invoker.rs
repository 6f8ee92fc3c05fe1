//! Running invocations: attempts, deadlines, retries, reports.

use std::time::Duration;

use indexmap::IndexMap;
use tokio::time::{Instant, sleep, timeout_at};
use uuid::Uuid;

use super::answer::{Answer, Exception, Failure, HttpOutput, Verdict, judge, retry_context};
use super::app::{Function, Trigger};
use super::clock::HostClock;
use super::envelope::{self, Attempt, Payload};
use super::events::{Events, HostEvent, InvocationReport, LogLevel, Outcome};
use super::exchange;
use super::forward;
use super::handler::{Handler, Status};
use super::newtonsoft::Token;
use super::trigger::http::HttpRequest;
use super::zone::Zone;

/// Between the end of `functionTimeout` and the kill (`functions-host-protocol.md` §2.2).
const GRACE: Duration = Duration::from_secs(2);

/// Runs invocations on one handler.
#[derive(Debug)]
pub struct Invoker {
    /// The handler.
    pub handler: Handler,
    /// The host's time zone.
    pub zone: Zone,
    /// The host's clock.
    pub clock: HostClock,
    /// `functionTimeout`; `None`: none.
    pub timeout: Option<Duration>,
    /// How long an invocation waits for a handler that is being started.
    pub start_limit: Duration,
    /// Whether redirects are followed.
    pub follow_redirects: bool,
    /// Whether requests carry a `traceparent`.
    pub traced: bool,
    /// Where reports go.
    pub events: Events,
}

/// The work of an invocation.
#[derive(Debug, Clone)]
pub enum Work {
    /// An envelope.
    Envelope(Payload),
    /// A client's HTTP request, passed on as it is; `true`: in proxying mode.
    Forward(HttpRequest, bool),
    /// Data that the host itself cannot convert: the invocation fails before any request.
    Unusable(String),
}

impl From<Result<Payload, String>> for Work {
    fn from(payload: Result<Payload, String>) -> Self {
        payload.map_or_else(Self::Unusable, Self::Envelope)
    }
}

/// How one attempt ended.
struct Ending {
    outcome: Outcome,
    failure: Option<Failure>,
    logs: Vec<String>,
    outputs: IndexMap<String, Vec<String>>,
    response: Option<HttpOutput>,
}

impl Ending {
    fn failed(outcome: Outcome, mut failure: Failure) -> Self {
        let logs = std::mem::take(&mut failure.logs);
        Self { outcome, failure: Some(failure), logs, outputs: IndexMap::new(), response: None }
    }
}

impl Invoker {
    /// Runs an invocation to its end, with every retry that its policy grants; reports each attempt and gives the
    /// last report. All attempts share one invocation id.
    pub async fn run(&self, function: &Function, work: Work) -> InvocationReport {
        let id = Uuid::new_v4();
        // A client waits for an HTTP function, so the host does not retry that.
        let policy = function.retry.as_ref().filter(|_| !matches!(function.trigger, Trigger::Http(_)));
        let mut retry = 0;
        let mut earlier: Option<Failure> = None;
        loop {
            let context =
                policy.map(|policy| retry_context(&function.name, id, retry, policy.most, earlier.as_ref()));
            let started = Instant::now();
            let ending = self.attempt(function, id, &work, context, started).await;
            let report = InvocationReport {
                function: function.name.clone(),
                trigger: function.trigger_kind(),
                invocation_id: id.to_string(),
                outcome: ending.outcome,
                error: ending.failure.as_ref().map(|failure| failure.words.clone()),
                logs: ending.logs,
                outputs: ending.outputs,
                duration: started.elapsed(),
                response: ending.response,
            };
            self.events.tell(HostEvent::Invocation(Box::new(report.clone())));
            let again =
                policy.filter(|policy| !report.succeeded() && policy.most.is_none_or(|most| retry < most));
            match again {
                Some(policy) if !matches!(self.handler.status(), Status::Gone { .. }) => {
                    retry += 1;
                    earlier = ending.failure;
                    sleep(policy.delay.before(retry)).await;
                }
                _ => return report,
            }
        }
    }

    async fn attempt(
        &self,
        function: &Function,
        id: Uuid,
        work: &Work,
        retry: Option<Token>,
        started: Instant,
    ) -> Ending {
        let deadline = self.timeout.map(|timeout| started + timeout);
        let verdict = self.verdict(function, id, work, retry);
        // Pinned here so that the connection stays open through the grace period, as on the real host.
        tokio::pin!(verdict);
        let verdict = match deadline {
            Some(deadline) => timeout_at(deadline, &mut verdict).await.ok(),
            None => Some(verdict.await),
        };
        let why = match verdict {
            Some(Verdict::Succeeded { outputs, logs, response, .. }) => {
                return Ending { outcome: Outcome::Succeeded, failure: None, logs, outputs, response };
            }
            Some(Verdict::Failed(failure)) => return Ending::failed(Outcome::Failed, failure),
            Some(Verdict::NeverCompletes { why }) => {
                self.events.log(LogLevel::Warning, format!("{}: {why}", function.name));
                why
            }
            None => "the handler has not answered".to_owned(),
        };
        let (Some(timeout), Some(deadline)) = (self.timeout, deadline) else {
            let words = format!(
                "{why}; with functionTimeout -1 the real host waits for ever, this stand-in does not"
            );
            let message = words.clone();
            return Ending::failed(Outcome::TimedOut, Failure::new(words, Exception::Timeout { message }));
        };
        tokio::time::sleep_until(deadline).await;
        let message = format!(
            "Timeout value of {} was exceeded by function: Functions.{}",
            span(timeout),
            function.name
        );
        self.events
            .log(LogLevel::Error, format!("{message}; the handler is killed in {} s", GRACE.as_secs()));
        sleep(GRACE).await;
        self.handler.kill(deadline.into_std()).await;
        let words = format!(
            "{message}: {why}. The handler was killed and started again; everything else that it worked on failed too"
        );
        Ending::failed(Outcome::TimedOut, Failure::new(words, Exception::Timeout { message }))
    }

    async fn verdict(&self, function: &Function, id: Uuid, work: &Work, retry: Option<Token>) -> Verdict {
        if let Work::Unusable(problem) = work {
            return Verdict::Failed(Failure::before_request(problem.clone()));
        }
        if let Err(words) = self.handler.wait_ready(self.start_limit).await {
            return Verdict::Failed(Failure::connection(words, 2));
        }
        let client = self.handler.client();
        let request = match work {
            Work::Envelope(payload) => {
                let attempt = Attempt { now: self.clock.now(), random: Uuid::new_v4(), retry };
                let body = envelope::write(&function.name, payload, &attempt, &self.zone);
                exchange::envelope_request(&function.name, client.address(), id, self.traced, body)
            }
            Work::Forward(request, proxying) => match forward::request(request, id, *proxying) {
                Ok(request) => request,
                Err(words) => return Verdict::Failed(Failure::connection(words, 0)),
            },
            Work::Unusable(problem) => return Verdict::Failed(Failure::before_request(problem.clone())),
        };
        let forwarded = matches!(work, Work::Forward(..));
        let response = if self.follow_redirects && !forwarded {
            exchange::follow(client, request).await
        } else {
            exchange::once(client, &request).await
        };
        match response {
            Err(failure) => {
                self.handler.notice().await;
                Verdict::Failed(failure)
            }
            Ok(response) if forwarded => forward::verdict(response),
            Ok(response) => {
                let content_type = response.headers.get("content-type").map(str::to_owned);
                let answer = Answer {
                    status: response.status,
                    reason: response.reason,
                    content_type,
                    body: response.body,
                };
                judge(&answer, function, &self.zone)
            }
        }
    }
}

/// A time span as .NET writes it: `hh:mm:ss`, days in front, a fraction behind.
fn span(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    let mut text = format!("{hours:02}:{minutes:02}:{:02}", seconds % 60);
    if days > 0 {
        text = format!("{days}.{text}");
    }
    if duration.subsec_nanos() > 0 {
        text = format!("{text}.{:07}", duration.subsec_nanos() / 100);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_spans_are_written_as_dotnet_does() {
        for (milliseconds, expected) in [
            (6_000, "00:00:06"),
            (600_000, "00:10:00"),
            (1_500, "00:00:01.5000000"),
            (90_000_000, "1.01:00:00"),
        ] {
            assert_eq!(span(Duration::from_millis(milliseconds)), expected);
        }
    }
}
