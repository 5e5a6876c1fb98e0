//! Refunds (退款): what goes back to whom. A plan is made before anything moves, is kept as it was made, and is what the
//! operator reads.

pub mod plan;
