//! Stories of users, told to a whole suite through its public face.
#![expect(clippy::unwrap_used, reason = "a failure in a helper is a failed test")]

mod again;
mod at_once;
mod campaign;
mod checkout;
mod demo;
mod erasure;
mod hooks;
mod hours;
mod parcel_cards;
mod progress;
mod promoter;
mod quarantine;
mod rebuild;
mod referral;
mod reflection;
mod refusals;
mod rejects;
mod six;
mod tenancy;
mod terminal;
mod tokens;
mod truth;
