//! WeChat Pay as a test plays it: a server on the loopback that is as strict as the real one, and tells as unreliably.

pub(crate) mod accounts;
mod answers;
mod bills;
pub(crate) mod books;
pub(crate) mod company;
mod notices;
mod paying;
mod refunds;
pub(crate) mod seal;
