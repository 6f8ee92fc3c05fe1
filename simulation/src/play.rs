//! One seed from its beginning to the verdict.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use ambient::Randomness;
use azure_simulator::clock::Clock;
use azure_simulator::fleet::Fleet;
use azure_simulator::{InProcess, Options};
use policysync::synchronization::records;
use state::Store;
use tokio::time::sleep;
use trigger_sources::QueueSource;

use crate::configured::Configured;
use crate::engine::{self, Time};
use crate::faults::{Faults, Hits};
use crate::host::{Host, QUEUE};
use crate::judge::{Judge, Violation};
use crate::network::Network;
use crate::oracles::{self, Event, RequestState};
use crate::records::Records;
use crate::seed::Seed;
use crate::site::ADDRESS;
use crate::surroundings::Surroundings;
use crate::trace::Trace;
use crate::upgrade;
use crate::variation::{Part, Variation};
use crate::workload::Workload;
use crate::world::{Unplayable, World};

/// How long things go wrong and people do things.
const STORMY: Duration = Duration::from_secs(90 * 60);
/// How long after that everything has to be as it should be: three reports, so three hours.
const RECOVERY: Duration = Duration::from_secs(3 * 60 * 60 - 10 * 60);
/// Where the service failed a sync, or left it without effect: the app asks for the same need once a day (`sync/automatic.rs`), so there has to be
/// another day, and two reports in it.
const NEXT_DAY: Duration = Duration::from_secs((16 * 60 + 2 * 60 + 20) * 60);
/// The last round: every timer fires at least once.
const ROUND: Duration = Duration::from_secs(60 * 60);

/// What came of a seed.
#[derive(Debug, Clone)]
pub struct Played {
    /// The seed.
    pub seed: u64,
    /// Promises that were broken, in the order in which that was seen.
    pub violations: Vec<Violation>,
    /// What happened, line by line.
    pub trace: String,
    /// Which faults struck where.
    pub hits: Hits,
    /// How many requests were taken.
    pub requests: usize,
    /// The parts that could be left out.
    pub parts: Vec<Part>,
}

/// Plays a seed.
///
/// # Errors
/// When what was drawn cannot be played, which is a mistake of the simulation.
pub fn play(seed: u64, variation: &Variation) -> Result<Played, Unplayable> {
    engine::run(within(Seed(seed), variation))
}

async fn within(seed: Seed, variation: &Variation) -> Result<Played, Unplayable> {
    let time = Time::begin();
    let trace = Trace::new(time);
    let world = Arc::new(World::draw(seed));
    let fleet = Fleet::from_toml(&world.fleet).map_err(|error| Unplayable(error.to_string()))?;
    let clock = Clock::over(move || time.now());
    let options = Options { fleet, seed: seed.number("azure"), clock, ..Options::default() };
    let azure = InProcess::new(options, ADDRESS);
    let azure = Arc::new(azure.map_err(|error| Unplayable(error.to_string()))?);
    let judge = Judge::new(oracles::all(), time, trace.clone());
    let faults = Faults::draw(seed, time, STORMY, variation);
    let watched = (trace.clone(), judge.clone());
    let network = Network::new(Arc::clone(&azure), faults.clone(), watched, variation.sabotage, seed);
    let records = Records::new(time);
    let configured = Configured::begin(&world, time).await;
    let (namespaces, kill_switch) = (&world.namespaces, world.kill_switch);
    judge.see(&Event::Configured { namespaces, kill_switch });
    let mut taken = upgrade::leave(seed, &world, &records).await?;
    let around = Surroundings { world, time, configured, network, records: records.clone(), seed };
    let host = Host::open(around.clone(), STORMY, variation)?;
    let workload = Workload::draw(&around, host, STORMY, variation);
    workload.begin();

    sleep(STORMY).await;
    trace.line("the calm begins");
    sleep(RECOVERY).await;
    if faults.have_failed_a_sync() {
        trace.line("the next day is awaited");
        sleep(NEXT_DAY.saturating_sub(time.since())).await;
    }
    taken.extend(workload.taken());
    let requests = requests(&taken, &records, &azure).await;
    judge.see(&Event::Recovered { truth: &azure.truth(), requests: &requests });
    judge.begin_round();
    trace.line("the last round begins");
    sleep(ROUND).await;
    let (writes, messages) = judge.round();
    judge.see(&Event::LastRound { writes: &writes, messages });
    let (violations, hits) = (judge.found(), faults.hits());
    let parts = [vec![Part::Deaths], faults.parts(), workload.parts()].concat();
    let parts = parts.into_iter().filter(|part| variation.has(*part)).collect();
    Ok(Played { seed: seed.0, violations, trace: trace.text(), hits, requests: requests.len(), parts })
}

/// How each request stands that was taken.
async fn requests(taken: &[String], records: &Records, azure: &InProcess) -> Vec<RequestState> {
    let store =
        Store::over(records.inside(), "the records of a play, as a judge sees them", Randomness::of_seed(0));
    let dead = dead_letters(&*azure.queues()).await;
    let mut states = Vec::new();
    for id in taken {
        let record = records::request(&store, id).await.ok().flatten();
        states.push(RequestState {
            id: id.clone(),
            outcome: record.as_ref().map(|record| record.outcome.to_string()),
            is_final: record.is_some_and(|record| record.outcome.is_final()),
            is_dead_letter: dead.contains(id),
        });
    }
    states
}

/// The ids of the dead letters. They are locked for a minute by it.
async fn dead_letters(queues: &dyn QueueSource) -> BTreeSet<String> {
    let letters = queues.receive(&format!("{QUEUE}/$deadletterqueue"), 1_000, Duration::ZERO).await;
    letters.into_iter().map(|letter| letter.message_id).collect()
}
