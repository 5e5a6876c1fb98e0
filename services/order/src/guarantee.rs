//! Guarantee (担保交易, reference §3.8, rules 2, 6, 11, 30): what a buyer paid is held until the goods are received and nobody
//! objects, then it is the merchant's. Everything is a transfer between accounts, so that nothing is lost on the way:
//!
//! | when | from | to |
//! | --- | --- | --- |
//! | paid | buyer clearing | held |
//! | released | held | commission payable, platform fee, what is owed, available |
//! | a refund is decided | held; after the release available; if short in advance (先行赔付) | refund clearing |
//! | a refund reaches the buyer | refund clearing | buyer clearing |
//! | a refund fails | refund clearing | where it came from |
//! | a dispute is open | held, then available | (reserved for refund clearing) |
//! | money belongs to no order | buyer clearing | suspense, and back |
//!
//! **Which accounts there are.** A transfer locks both of its accounts until the commit. So buyer clearing, held, refund
//! clearing and suspense are accounts of one order: two checkouts share no row and never wait for each other, and a merchant
//! may sell as fast as orders can be written. What is available, payable and taken as a fee is the merchant's, and every
//! release touches it: each of the three is kept in [`limits::SHARDS`](crate::limits::SHARDS) counter accounts, of which an
//! order uses one, so that releases wait for one in sixteen others at most. What a merchant has is their sum. What was
//! advanced is one account: it is touched only while something is owed.
//!
//! Ids of accounts and transfers follow from what they are for. A repeat asks for the same transfers and changes nothing.
//!
//! Locks are taken in one order: the guarantee of the order, then the accounts of the ledger.

pub mod act;
pub mod books;
pub mod dispute;
pub mod domain;
pub mod entry;
pub mod error;
pub(crate) mod job;
pub mod rpc;
pub mod store;
pub mod taking;

pub use error::Error;
