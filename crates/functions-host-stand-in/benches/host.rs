//! Measures the cost of the Functions host stand-in: its start over an app with ten functions, and the time that it
//! adds to an invocation.
//!
//! `cargo xtask bench host`. Exits with 1 when a limit is passed. `cargo test` runs it at a small size, and then judges
//! only what must hold at any speed. The handler is this program itself, started by the host: a bare TCP server, so
//! that the bench measures as little as possible beside the host. It measures bare HTTP calls in turn with hosted ones,
//! with the same handler and the same body, since only a comparison on one machine at one time says anything.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use functions_host_stand_in::{Host, HostEvent, HostOptions};
use tokio::sync::mpsc::unbounded_channel;

type Error = Box<dyn std::error::Error>;

/// How many measurements are made.
struct Size {
    /// How many starts; the median counts.
    starts: usize,
    /// Pairs of calls that only warm up, before the measured ones.
    warm_up: usize,
    /// Pairs of calls.
    calls: usize,
}

const FULL: Size = Size { starts: 9, warm_up: 200, calls: 2000 };
const SMALL: Size = Size { starts: 2, warm_up: 1, calls: 20 };
/// The argument that `cargo bench` gives to the program that it runs, and `cargo test` does not.
const BENCH: &str = "--bench";
/// Limits of the issue that this stand-in was built by.
const MOST_START: Duration = Duration::from_millis(200);
const MOST_ADDED: Duration = Duration::from_millis(1);

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 43\r\n\r\n{\"Outputs\":{},\"Logs\":[],\"ReturnValue\":null}";

fn main() -> Result<ExitCode, Error> {
    if let Ok(port) = std::env::var("FUNCTIONS_CUSTOMHANDLER_PORT") {
        return serve(port.parse()?);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let is_bench = std::env::args().any(|argument| argument == BENCH);
    let is_within = runtime.block_on(measure(if is_bench { FULL } else { SMALL }))?;
    if is_bench && !is_within {
        println!("a limit is passed");
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

/// The handler: reads any request, and answers that it succeeded.
fn serve(port: u16) -> Result<ExitCode, Error> {
    for stream in TcpListener::bind(("127.0.0.1", port))?.incoming() {
        let stream = stream?;
        std::thread::spawn(move || {
            // The host may close a connection at any time.
            let _ = answer(&stream);
        });
    }
    Ok(ExitCode::SUCCESS)
}

fn answer(stream: &TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    loop {
        let mut chunked = false;
        let mut length = 0;
        loop {
            line.clear();
            if reader.read_line(&mut line)? == 0 {
                return Ok(());
            }
            let field = line.trim_end().to_ascii_lowercase();
            chunked |= field == "transfer-encoding: chunked";
            if let Some(value) = field.strip_prefix("content-length: ") {
                length = value.parse().unwrap_or(0);
            }
            if field.is_empty() {
                break;
            }
        }
        skip(&mut reader, length)?;
        while chunked {
            line.clear();
            reader.read_line(&mut line)?;
            let size = u64::from_str_radix(line.trim_end(), 16).map_err(std::io::Error::other)?;
            skip(&mut reader, size + 2)?;
            chunked = size > 0;
        }
        reader.get_mut().write_all(ANSWER)?;
    }
}

fn skip(reader: &mut impl Read, bytes: u64) -> std::io::Result<()> {
    std::io::copy(&mut reader.take(bytes), &mut std::io::sink()).map(drop)
}

/// Whether every figure is within its limit.
async fn measure(size: Size) -> Result<bool, Error> {
    let root = tempfile::tempdir()?;
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    lay_out(root.path(), port)?;
    let mut starts = Vec::new();
    for _ in 0..size.starts {
        let (host, took) = start(root.path()).await?;
        starts.push(took);
        host.stop().await;
    }
    let (host, _) = start(root.path()).await?;
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_nodelay(true)?;
    let request = bare_request(port);
    let (mut bare, mut hosted) = (Vec::new(), Vec::new());
    for round in 0..size.warm_up + size.calls {
        let started = Instant::now();
        tokio::task::block_in_place(|| call(&mut stream, &request))?;
        let called = started.elapsed();
        let started = Instant::now();
        let report = host.fire("function-0", Some("{\"id\":7}".to_owned())).await?;
        let fired = started.elapsed();
        if !report.succeeded() {
            return Err(format!("an invocation failed: {:?}", report.error).into());
        }
        if round >= size.warm_up {
            bare.push(called);
            hosted.push(fired);
        }
    }
    host.stop().await;
    Ok(judge(starts, bare, hosted))
}

/// An app with ten functions, answered by this program at a known port.
fn lay_out(root: &Path, port: u16) -> Result<(), Error> {
    let program = std::env::current_exe()?;
    let description = serde_json::json!({"defaultExecutablePath": program});
    let host =
        serde_json::json!({"version": "2.0", "customHandler": {"description": description, "port": port}});
    std::fs::write(root.join("host.json"), host.to_string())?;
    let kinds = [
        r#"{"type":"serviceBusTrigger","name":"message","queueName":"q"},{"type":"serviceBus","name":"out","direction":"out","queueName":"p"}"#,
        r#"{"type":"httpTrigger","name":"req","route":"things/{id:int}"},{"type":"http","name":"res","direction":"out"}"#,
        r#"{"type":"timerTrigger","name":"timer","schedule":"0 0 3 * * *"}"#,
        r#"{"type":"eventGridTrigger","name":"event"}"#,
        r#"{"type":"eventHubTrigger","name":"events","eventHubName":"h","cardinality":"many"}"#,
    ];
    for index in 0..10 {
        let folder = root.join(format!("function-{index}"));
        std::fs::create_dir(&folder)?;
        let text = format!(r#"{{"bindings":[{}]}}"#, kinds[index % kinds.len()]);
        std::fs::write(folder.join("function.json"), text)?;
    }
    Ok(())
}

/// Starts a host, up to its `ready` event.
async fn start(root: &Path) -> Result<(Host, Duration), Error> {
    let (sender, mut events) = unbounded_channel();
    let options = HostOptions { root: root.to_owned(), events: Some(sender), ..HostOptions::default() };
    let started = Instant::now();
    let host = Host::start(options).await?;
    while let Some(event) = events.recv().await {
        if matches!(event, HostEvent::Ready { .. }) {
            return Ok((host, started.elapsed()));
        }
    }
    Err("the host did not say that it is ready".into())
}

/// A POST of about the size of an envelope with one message.
fn bare_request(port: u16) -> Vec<u8> {
    let body = "x".repeat(1800);
    format!(
        "POST /function-0 HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// One bare call; the answer's length is known.
fn call(stream: &mut TcpStream, request: &[u8]) -> std::io::Result<()> {
    stream.write_all(request)?;
    let mut answer = [0; ANSWER.len()];
    stream.read_exact(&mut answer)
}

/// Prints the figures; false when a limit is passed.
fn judge(starts: Vec<Duration>, bare: Vec<Duration>, hosted: Vec<Duration>) -> bool {
    let (number, calls) = (starts.len(), bare.len());
    let start = at(starts, 0.5);
    let (bare_median, hosted_median) = (at(bare.clone(), 0.5), at(hosted.clone(), 0.5));
    let (bare_p99, hosted_p99) = (at(bare, 0.99), at(hosted, 0.99));
    let added = hosted_median.saturating_sub(bare_median);
    let ms = |duration: Duration| duration.as_secs_f64() * 1000.0;
    let ratio = |hosted: Duration, bare: Duration| hosted.as_secs_f64() / bare.as_secs_f64();
    println!(
        "start, 10 functions    {:>8.2} ms, median of {number}; limit {} ms",
        ms(start),
        MOST_START.as_millis()
    );
    println!("of {calls} calls            bare HTTP   invocation        added   ratio");
    for (name, bare, hosted) in [("median", bare_median, hosted_median), ("p99", bare_p99, hosted_p99)] {
        println!(
            "{name:<22} {:>8.3} ms  {:>8.3} ms  {:>8.3} ms  {:>5.2}x",
            ms(bare),
            ms(hosted),
            ms(hosted.saturating_sub(bare)),
            ratio(hosted, bare)
        );
    }
    println!("added to an invocation {:>8.3} ms, median; limit {} ms", ms(added), MOST_ADDED.as_millis());
    start <= MOST_START && added <= MOST_ADDED
}

/// The value that `share` of the others are not above.
fn at(mut durations: Vec<Duration>, share: f64) -> Duration {
    durations.sort();
    let index = (durations.len() as f64 * share) as usize;
    durations.get(index.min(durations.len().saturating_sub(1))).copied().unwrap_or_default()
}
