//! The handler's process: how it is found, started, watched, killed and started again
//! (`functions-host-protocol.md` §3.3 to §3.5).

mod command;
mod output;
mod process;
mod ready;
mod restarts;
mod supervisor;

pub use command::HandlerCommand;
pub use supervisor::{Handler, Status};
