//! Who comes back (reference §1.18, §1.26).

pub mod rpc;
