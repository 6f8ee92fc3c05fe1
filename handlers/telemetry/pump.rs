//! Exports metrics within a second of a measurement, and costs nothing while nothing is measured.
//!
//! A reader that collects every second would send the same sums all day, and people would pay for them. So a thread
//! waits for a measurement, lets more of them gather for a moment, and exports them. A measurement sets a flag and goes
//! on; it never waits for an export.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// How long measurements gather.
const GATHERING: Duration = Duration::from_millis(300);

/// The thread of one destination, and the flags that wake it.
#[derive(Debug)]
pub struct Pump {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    /// Whether there is something new, by series.
    events: AtomicBool,
    standing: AtomicBool,
    is_stopped: Mutex<bool>,
    wake: Condvar,
}

impl Pump {
    /// Starts the thread. It calls `events` after [`Pump::measured`] and `standing` after [`Pump::stood`].
    ///
    /// # Errors
    /// When the system has no thread to give.
    pub fn start(
        events: impl Fn() + Send + 'static,
        standing: impl Fn() + Send + 'static,
    ) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let waiting = Arc::clone(&shared);
        std::thread::Builder::new().name("metrics".to_owned()).spawn(move || {
            while waiting.next() {
                if waiting.events.swap(false, Ordering::Relaxed) {
                    events();
                }
                if waiting.standing.swap(false, Ordering::Relaxed) {
                    standing();
                }
            }
        })?;
        Ok(Self { shared })
    }

    /// Wakes the thread after a measurement.
    pub fn measured(&self) {
        self.shared.flag(&self.shared.events);
    }

    /// Wakes the thread after a report has found how things stand.
    pub fn stood(&self) {
        self.shared.flag(&self.shared.standing);
    }
}

impl Drop for Pump {
    fn drop(&mut self) {
        *self.shared.is_stopped.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.shared.wake.notify_all();
    }
}

impl Shared {
    fn flag(&self, flag: &AtomicBool) {
        if !flag.swap(true, Ordering::Relaxed) {
            // The lock keeps the thread from reading the flags before this change and waiting after it.
            drop(self.is_stopped.lock().unwrap_or_else(PoisonError::into_inner));
            self.wake.notify_all();
        }
    }

    /// Waits until a flag is set, and a moment more. `false`: the pump has been stopped.
    fn next(&self) -> bool {
        let is_idle = || !self.events.load(Ordering::Relaxed) && !self.standing.load(Ordering::Relaxed);
        let mut is_stopped = self.is_stopped.lock().unwrap_or_else(PoisonError::into_inner);
        while !*is_stopped && is_idle() {
            is_stopped = self.wake.wait(is_stopped).unwrap_or_else(PoisonError::into_inner);
        }
        let gathering = self.wake.wait_timeout_while(is_stopped, GATHERING, |is_stopped| !*is_stopped);
        let (is_stopped, _) = gathering.unwrap_or_else(PoisonError::into_inner);
        !*is_stopped
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Instant;

    use super::*;

    /// Time for threads on a busy machine. Other tests measure how fast an export is.
    const PATIENCE: Duration = Duration::from_secs(30);

    #[test]
    fn many_measurements_are_few_exports_and_none_is_forgotten() {
        let (sender, exports) = mpsc::channel();
        let standing = sender.clone();
        let pump =
            Pump::start(move || sender.send("events").unwrap(), move || standing.send("standing").unwrap())
                .unwrap();
        let since = Instant::now();
        (0..1000).for_each(|_| pump.measured());
        assert_eq!(exports.recv_timeout(PATIENCE), Ok("events"));
        assert!(since.elapsed() >= GATHERING, "they gather");
        assert!(exports.try_iter().count() < 10, "far fewer exports than measurements");
        pump.stood();
        // An export of the measurements above may still come first; none comes after it.
        while exports.recv_timeout(PATIENCE).unwrap() != "standing" {}
        pump.measured();
        assert_eq!(exports.recv_timeout(PATIENCE), Ok("events"));
        drop(pump);
        assert_eq!(exports.recv_timeout(PATIENCE), Err(mpsc::RecvTimeoutError::Disconnected));
    }

    #[test]
    fn an_export_that_hangs_holds_up_no_measurement() {
        let (release, held) = mpsc::channel::<()>();
        let (started, starts) = mpsc::channel();
        let hang = move || {
            started.send(()).unwrap();
            let _ = held.recv();
        };
        let pump = Pump::start(hang, || {}).unwrap();
        pump.measured();
        starts.recv_timeout(Duration::from_secs(2)).unwrap();
        let since = Instant::now();
        (0..100_000).for_each(|_| pump.measured());
        assert!(since.elapsed() < Duration::from_secs(1), "{:?}", since.elapsed());
        drop(release);
    }
}
