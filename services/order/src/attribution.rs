//! Where orders came from (归因): of the clicks of a buyer on its products in live rooms, the last one within a time before the
//! order wins and is copied to it (reference §3.11). What is clicked later changes nothing.

pub mod rpc;
pub mod store;
