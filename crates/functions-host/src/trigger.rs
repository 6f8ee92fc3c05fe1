//! One module per trigger, and one for batches.

pub(crate) mod batch;
pub(crate) mod event_grid;
pub(crate) mod event_hub;
pub(crate) mod http;
pub(crate) mod metadata;
pub(crate) mod service_bus;
pub(crate) mod timer;
