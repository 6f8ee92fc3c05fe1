//! The one line on stderr that shows that something runs. It is there on a terminal alone, what is printed meanwhile does not mix with
//! it, and nothing of it stays when the command has ended, by Ctrl-C neither.

use std::ops::Deref;
use std::sync::{Mutex, Once, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// What a shell says of a program that Ctrl-C has ended.
const INTERRUPTED: i32 = 130;
/// How often the line moves.
const TICK: Duration = Duration::from_millis(100);

/// The line that is shown now.
static SHOWN: Mutex<Option<ProgressBar>> = Mutex::new(None);

/// The line. Dropping it takes it away.
pub struct Bar(ProgressBar);

impl Bar {
    /// Shows a line of this template, in the words of `indicatif`, for so many steps; nothing where stderr is no terminal.
    pub fn start(template: &str, steps: u64) -> Self {
        let bar = ProgressBar::with_draw_target(Some(steps), ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        // Known before its first frame, so that Ctrl-C takes it away whenever it comes.
        *shown() = Some(bar.clone());
        if !bar.is_hidden() {
            hear_ctrl_c();
            bar.enable_steady_tick(TICK);
        }
        Self(bar)
    }
}

impl Deref for Bar {
    type Target = ProgressBar;

    fn deref(&self) -> &ProgressBar {
        &self.0
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
        *shown() = None;
    }
}

fn shown() -> std::sync::MutexGuard<'static, Option<ProgressBar>> {
    SHOWN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Prints while the line is away.
pub fn aside<T>(print: impl FnOnce() -> T) -> T {
    let bar = shown().clone();
    match bar {
        Some(bar) => bar.suspend(print),
        None => print(),
    }
}

/// Takes the line away when Ctrl-C ends the program.
fn hear_ctrl_c() {
    static HEARS: Once = Once::new();
    let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
    HEARS.call_once(|| {
        let mut heard = Box::pin(tokio::signal::ctrl_c());
        // The first poll begins to listen: a signal that comes before the task has run counts too.
        if (&mut heard).now_or_never().is_some() {
            return;
        }
        runtime.spawn(async move {
            if heard.await.is_ok() {
                if let Some(bar) = shown().as_ref() {
                    bar.finish_and_clear();
                }
                std::process::exit(INTERRUPTED);
            }
        });
    });
}
