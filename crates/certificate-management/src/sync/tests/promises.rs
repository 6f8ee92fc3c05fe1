//! Promises of the machine by subject, each in a test whose name says it. [`super::search`] holds the promises for
//! every order of events; these tests show what a reader wants to see happen, and vary what the search's small world
//! does not: texts, sizes, pauses, names.

mod audit;
mod automatic;
mod bounds;
mod clocks;
mod deadline;
mod follow_ups;
mod freeze;
mod identity;
mod judged;
mod missing;
mod pauses;
mod posts;
mod telling;
mod unreadable;
mod waiting;
