//! What events say, which is only where to look.

pub mod diagnostics;
pub mod resources;
