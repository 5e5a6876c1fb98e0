//! How current the figures are, and how they are built anew.

pub mod jobs;
pub mod rpc;
