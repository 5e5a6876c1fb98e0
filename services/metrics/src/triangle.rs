//! Whether the private domain grows (私域三角, reference §1.1): the three pillars from facts, against the year before.

pub mod inputs;
pub mod rpc;
