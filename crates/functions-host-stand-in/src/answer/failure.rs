//! Why an invocation failed: in words for a developer, and as the exception in the `RetryContext` of the next attempt.

use std::sync::LazyLock;

use uuid::Uuid;

use crate::newtonsoft::{Members, Token};

/// A failed invocation.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// The reason, and what to do about it.
    pub words: String,
    /// What the real host would have thrown.
    pub exception: Exception,
    /// Log lines that were written before it failed.
    pub logs: Vec<String>,
}

/// What the real host would have thrown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exception {
    /// An `HttpRequestException`: a bad status, or no whole answer.
    Request {
        /// .NET's `HttpRequestError`: 0 unknown, 2 connection, 9 invalid response, 10 response ended.
        error: i64,
        /// The status, if there was one.
        status: Option<u16>,
        /// Its message.
        message: String,
    },
    /// An `InvalidOperationException` around a 2xx that could not be used; its message holds the answer.
    Operation {
        /// Its message.
        message: String,
    },
    /// A `FunctionTimeoutException`.
    Timeout {
        /// Its message.
        message: String,
    },
}

impl Failure {
    /// A failure without any log line.
    #[must_use]
    pub fn new(words: impl Into<String>, exception: Exception) -> Self {
        Self { words: words.into(), exception, logs: Vec::new() }
    }

    /// A failure on the way to the handler or back.
    #[must_use]
    pub fn connection(words: impl Into<String>, error: i64) -> Self {
        let message = "An error occurred while sending the request.".to_owned();
        Self::new(words, Exception::Request { error, status: None, message })
    }

    /// A failure before any request was sent.
    #[must_use]
    pub fn before_request(words: impl Into<String>) -> Self {
        let words = words.into();
        Self::new(words.clone(), Exception::Operation { message: words })
    }
}

/// The `RetryContext` of an attempt; `failure` is why the attempt before it failed.
///
/// It models only the shape of the exception: stack traces name frames that do not exist.
#[must_use]
pub fn retry_context(
    function: &str,
    invocation: Uuid,
    retry: u32,
    most: Option<u32>,
    failure: Option<&Failure>,
) -> Token {
    let most = most.map_or(-1, i64::from);
    Token::Object(Members::from([
        ("RetryCount".to_owned(), Token::from(i64::from(retry))),
        ("MaxRetryCount".to_owned(), Token::from(most)),
        ("Exception".to_owned(), failure.map_or(Token::Null, |failure| outer(function, invocation, failure))),
        ("Instance".to_owned(), Token::Null),
        ("State".to_owned(), Token::Object(Members::new())),
    ]))
}

fn outer(function: &str, invocation: Uuid, failure: &Failure) -> Token {
    let mut members = Members::from([
        ("InstanceId".to_owned(), Token::Text(invocation.to_string())),
        ("MethodName".to_owned(), Token::Text(format!("Host.Functions.{function}"))),
        ("Handled".to_owned(), Token::from(false)),
    ]);
    let message = format!("Exception while executing function: Functions.{function}");
    let name = "Microsoft.Azure.WebJobs.Host.FunctionInvocationException";
    members.extend(serializable(name, &message, inner(&failure.exception), -2_146_233_088));
    Token::Object(members)
}

fn inner(exception: &Exception) -> Token {
    match exception {
        Exception::Request { error, status, message } => Token::Object(Members::from([
            ("HttpRequestError".to_owned(), Token::from(*error)),
            ("StatusCode".to_owned(), Token::from(status.map(i64::from))),
            ("Message".to_owned(), Token::from(message.as_str())),
            ("Data".to_owned(), Token::Object(Members::new())),
            ("InnerException".to_owned(), Token::Null),
            ("HelpLink".to_owned(), Token::Null),
            ("Source".to_owned(), Token::from("System.Net.Http")),
            ("HResult".to_owned(), Token::from(-2_146_233_088)),
            ("StackTrace".to_owned(), Token::from(STACK.as_str())),
        ])),
        Exception::Operation { message } => Token::Object(serializable(
            "System.InvalidOperationException",
            message,
            Token::Null,
            -2_146_233_079,
        )),
        Exception::Timeout { message } => Token::Object(serializable(
            "Microsoft.Azure.WebJobs.Host.FunctionTimeoutException",
            message,
            Token::Null,
            -2_146_233_088,
        )),
    }
}

/// As long as the recorded ones, so that a `RetryContext` is as large as on the real host: several chunks.
static STACK: LazyLock<String> = LazyLock::new(|| {
    let frame = |number| {
        format!(
            "   at Simulated.Host.Executors.FunctionExecutor.Frame{number:02}(IFunctionInstance instance, ILogger logger, CancellationToken cancellationToken) in /_/src/FunctionExecutor.cs:line {number}"
        )
    };
    (1..=8).map(frame).collect::<Vec<_>>().join("\n")
});

/// The members of an exception that writes itself (`ISerializable`).
fn serializable(name: &str, message: &str, inner: Token, result: i64) -> Members {
    Members::from([
        ("ClassName".to_owned(), Token::from(name)),
        ("Message".to_owned(), Token::from(message)),
        ("Data".to_owned(), Token::Null),
        ("InnerException".to_owned(), inner),
        ("HelpURL".to_owned(), Token::Null),
        ("StackTraceString".to_owned(), Token::from(STACK.as_str())),
        ("RemoteStackTraceString".to_owned(), Token::Null),
        ("RemoteStackIndex".to_owned(), Token::from(0)),
        ("ExceptionMethod".to_owned(), Token::Null),
        ("HResult".to_owned(), Token::from(result)),
        ("Source".to_owned(), Token::from("System.Private.CoreLib")),
        ("WatsonBuckets".to_owned(), Token::Null),
    ])
}
