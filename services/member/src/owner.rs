//! Owners (导购归属): which employee a person belongs to, exactly one at a time, and whom before. Whoever changes it locks the
//! person's row of `owners` first, in the order of the persons; spans are only ever added and ended.

pub mod assign;
pub mod domain;
pub mod interaction;
pub mod merge;
pub mod rpc;
pub mod rule;
pub mod store;

pub use domain::{Source, Span};
