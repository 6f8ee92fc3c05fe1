//! How large the terminal is.

use std::io;

use ::terminal_size::{Height, Width, terminal_size_of};

/// The width of a line where there is no terminal, in columns.
const WITHOUT_TERMINAL: usize = 120;
/// The narrowest that texts are wrapped to, in columns.
const NARROWEST: usize = 40;

/// How many columns a line of stdout has: what `COLUMNS` says, else what the terminal has; without a terminal, as in the log of a
/// pipeline, [`WITHOUT_TERMINAL`].
pub fn screen_width() -> usize {
    terminal_width().unwrap_or(WITHOUT_TERMINAL)
}

/// The same; `None` without a terminal.
pub fn terminal_width() -> Option<usize> {
    width_of(terminal_size_of(io::stdout()))
}

/// How many lines the terminal has; `None` without one.
pub fn terminal_height() -> Option<usize> {
    terminal_size_of(io::stdout()).map(|(_, height)| usize::from(height.0))
}

/// How many columns a line of stderr has; `None` where it is no terminal, so that a line stays one.
pub fn complaint_width() -> Option<usize> {
    terminal_size_of(io::stderr()).and_then(|size| width_of(Some(size)))
}

fn width_of(size: Option<(Width, Height)>) -> Option<usize> {
    let said = std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok()).filter(|width| *width > 0);
    // A terminal that was not told its size says 0.
    let has = size.map(|(width, _)| usize::from(width.0)).filter(|width| *width > 0);
    said.or(has).map(|width| width.max(NARROWEST))
}
