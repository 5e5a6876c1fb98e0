//! How many pieces there are and who waits for them (库存, reference §3.6): stock is counted per SKU and location. What can be
//! sold is what is on hand, less what is reserved, less the safety stock.
//!
//! An order reserves when it is placed, in the transaction that creates it: everything or nothing, with what its lines share
//! added up (rule 19). It commits when pieces are handed over, or releases them, once, however many try (rule 20). Every
//! change is a movement with a cause and the balances after it, and no movement is ever changed; so what is on hand is the
//! sum of the movements, and what is reserved is the sum of what the reservations hold.
//!
//! Where everybody wants the same stock at once, pieces are reserved ahead of the order, many orders' in one transaction, for a
//! minute: the order claims them when it is stored.
//!
//! Locks are taken in one order: the row of the order (by the caller), its reservations, then stocks by SKU and location.

pub mod ahead;
pub mod book;
pub mod demand;
pub mod desk;
pub mod domain;
pub mod edit;
pub mod hold;
pub mod plan;
pub mod rpc;
pub mod store;

mod change;
mod fit;
mod import;
mod read;

pub use ahead::{claim, give_back_ahead, shortage};
pub use demand::{
    Demand, Part, ReleaseCause, Request, Reservation, ReservationKey, Restock, Shortage, refusal,
};
pub use domain::{Key, Place, Stock};
pub use hold::{commit, give_back, held, look, release, release_parts, reserve, reserve_many};
