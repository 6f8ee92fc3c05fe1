//! The whole app under chance: instances of it, the simulated Azure and the rules of the Functions host in one thread, by a clock
//! that jumps to the next thing that happens, with every choice drawn from one seed. What fails once can be played again.
//!
//! - [`seed`] makes independent streams of chance from one number, [`engine`] runs a play of simulated hours in the time that it takes to
//!   compute, [`trace`] writes down what happened.
//! - [`world`] draws what exists, [`stated`] how the app is configured and [`configured`] which version of that is in force where;
//!   [`workload`] what people and pipelines do, [`faults`] what goes wrong and when, of the kinds of [`fault`]; [`moment`] says what
//!   the syncs were doing then. [`upgrade`] leaves the records of the last release.
//! - [`wire`] is the way of an instance to Azure over the one [`network`], [`records`] the storage of the records: both put the faults in.
//!   [`answers`] and [`message`] change what is under way.
//! - [`instance`] is one process of the app, which can die at any await; [`slot`] is a place for one, and [`host`] wakes it by
//!   queue, event hub, Event Grid, timer and HTTP.
//! - [`judge`] watches everything for the [`oracles`], and [`play()`] puts one seed together. [`several`] plays many of them, and
//!   [`report`] adds them up.
//! - [`minimize`] finds which parts of a play a failure needs, as a [`variation`] of it without the others.
//! - [`sabotage`] breaks the app on purpose, to show that each oracle can fail.
//!
//! Not from the seed: keys, thumbprints and lock tokens, which no line of a trace shows. That two plays of one seed give the same trace,
//! byte for byte, shows as well that nothing hangs on them. The library that signs messages for the queue stamps its signature with the
//! time of the machine; nothing but the end of that signature comes of it, and the plays lie before it.
#![warn(missing_docs)]

pub mod answers;
pub mod configured;
pub mod engine;
pub mod envelope;
pub mod fault;
pub mod faults;
mod grid;
pub mod host;
pub mod instance;
pub mod judge;
pub mod message;
pub mod minimize;
pub mod moment;
pub mod network;
pub mod oracles;
mod play;
mod process;
pub mod records;
pub mod report;
pub mod sabotage;
pub mod seed;
pub mod several;
pub mod site;
pub mod slot;
pub mod stated;
pub mod surroundings;
pub mod trace;
pub mod upgrade;
pub mod variation;
pub mod wire;
pub mod workload;
pub mod world;

pub use play::{Played, play};
