//! All that is known of a person at once (会员 360): one read transaction, a few statements, each section as far as the
//! credential goes. It keeps nothing of its own.

pub mod rpc;
mod section;
