//! Whole-engine tests: a real data set against its published figures, and random histories against a recomputation that
//! keeps nothing.

mod cdnow;
mod data;
mod folds;
mod models;
mod naive;
mod oracle;
