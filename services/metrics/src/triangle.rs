//! Whether the private domain grows (私域三角, reference §1.1): the three pillars from facts, against a frozen baseline.

pub mod baseline;
pub mod inputs;
pub mod rpc;
pub mod store;
