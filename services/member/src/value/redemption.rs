//! Redemption (退卡): a card is paid out, principal only, in two steps by two operators. What it pays is reserved and fixed
//! when somebody asks, so that nothing changes between the two.

pub mod act;
pub mod domain;
pub mod rpc;
pub mod store;
