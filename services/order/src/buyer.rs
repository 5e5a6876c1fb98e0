//! Buyers who turn out to be one person, or not after all: their orders follow. Every order that goes over is a new revision and
//! is told as such, so whoever follows orders needs to know nothing of it.

pub mod events;
pub mod store;

pub use events::subscription;
