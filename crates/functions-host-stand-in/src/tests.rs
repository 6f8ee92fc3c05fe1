//! The stand-in as a whole: recorded answers over real connections, and whole hosts over a handler in Python.

mod app;
mod batches;
mod captured;
mod faults;
mod fires;
mod http;
mod pushed_clock;
mod recorded;
mod scripted;
mod sources;
mod timeouts;
