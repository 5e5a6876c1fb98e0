//! Campaigns (群发): one message to an audience over a channel.
//!
//! | | start | frozen | settled | cancel |
//! | --- | --- | --- | --- | --- |
//! | draft | preparing | not started | not started | cancelled |
//! | preparing | – | running | preparing | cancelled |
//! | running | – | – | done | cancelled |
//! | done | – | – | – | done |
//! | cancelled | cancelled | cancelled | – | – |
//!
//! A bare word under an event that does not lead there is the error that refuses it; – changes nothing. "Frozen" comes when
//! the whole audience stands in messages, "settled" when none of them waits any more.

pub mod audience;
pub mod domain;
pub mod finish;
pub mod prepare;
pub mod purpose;
pub mod rpc;
pub mod store;
