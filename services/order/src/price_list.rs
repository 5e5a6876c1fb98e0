//! Prices for some buyers, in some places or by some channels (价目表): lists with conditions, and the prices on them. In a
//! quote they are offers for a line, of which the lowest wins.

pub mod domain;
pub mod rpc;
pub mod store;
