//! Outages of the storage: while one lasts, no record can be read or written. Half of them refuse, and the calls fail at once; the
//! others are silent, and the calls last until a deadline ends them.

use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use tokio::task::JoinHandle;

use crate::azurite::Azurite;
use crate::distance::Passage;

/// The longest outage. It is longer than the client's repeats of a refused call, and shorter than the patience of a batch.
const LONGEST: Duration = Duration::from_secs(12);

/// The outages of one run.
pub struct Outages {
    azurite: Arc<Azurite>,
    random: Rng,
    lasting: Option<JoinHandle<()>>,
    number: usize,
    time: Duration,
}

impl Outages {
    /// None yet.
    pub fn of(azurite: &Arc<Azurite>, random: Rng) -> Self {
        Self { azurite: Arc::clone(azurite), random, lasting: None, number: 0, time: Duration::ZERO }
    }

    /// Begins one, after the one before has ended. It ends by itself.
    pub async fn begin(&mut self) {
        self.end().await;
        let passage = if self.random.bool() { Passage::Refused } else { Passage::Silent };
        let time = LONGEST.mul_f64(self.random.f64());
        self.number += 1;
        self.time += time;
        self.azurite.set(passage);
        let azurite = Arc::clone(&self.azurite);
        self.lasting = Some(tokio::spawn(async move {
            tokio::time::sleep(time).await;
            azurite.set(Passage::Open);
        }));
    }

    /// Waits until the storage is there.
    pub async fn end(&mut self) {
        if let Some(lasting) = self.lasting.take() {
            // The task neither panics nor is it aborted.
            let _ = lasting.await;
        }
    }

    /// How many there were, and how long they lasted in all.
    pub fn shown(&self) -> String {
        format!("{}, {:.0} s", self.number, self.time.as_secs_f64())
    }
}
