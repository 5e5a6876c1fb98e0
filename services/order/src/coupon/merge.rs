//! Coupons of persons who turn out to be one, or not after all. What was claimed under each id is kept apart, so that a merge
//! adds the counts up and its undoing takes them apart again, however often either is told.

pub mod store;
