//! Filters over persons: boolean trees of conditions as audiences save them and as tags have them for a rule. A filter is
//! read into a tree of simple tests over tables, and that into one statement whose values are all parameters.
//!
//! Every condition is a set of persons, never "unknown": what is not known of a person satisfies no comparison, and the
//! opposite of a condition is its complement.

pub mod catalogue;
mod expand;
mod layers;
pub mod node;
mod read;
pub mod spans;
pub mod store;
mod values;

pub use node::{Node, Test};
pub use read::{Terms, read};
pub use spans::Spans;
pub use values::{Numbers, number};
