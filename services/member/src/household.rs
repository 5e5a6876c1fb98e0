//! Who belongs together (家庭, 同伴, 邀请): relations between persons, each standing twice, seen from either side. Only one step is
//! ever shown, and of the other person only the id.

pub mod domain;
pub mod merge;
pub mod rpc;
pub mod store;

pub use domain::{Kind, Relation};
