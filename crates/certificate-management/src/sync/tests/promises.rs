//! Promises of the machine, each in a test whose name says it, by subject. What is promised for every order of events is in
//! [`super::search`]; here is what a reader wants to see happen, and what the search's small world does not vary: texts,
//! sizes, pauses, names.

mod audit;
mod automatic;
mod bounds;
mod deadline;
mod follow_ups;
mod identity;
mod missing;
mod pauses;
mod posts;
mod telling;
mod unreadable;
mod waiting;
