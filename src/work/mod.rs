//! What runs beside the requests, in the background.

pub mod events;
pub mod housekeeping;
pub mod jobs;
pub mod mail;
pub mod redeliver;
