//! The member service over its methods and its events, with a real database and an order service that a test plays.
#![expect(clippy::unwrap_used, reason = "a test that fails may panic, in its helpers too")]

mod blacklist;
mod connections;
mod consents;
mod earnings;
mod earnings_random;
mod erasure;
mod handovers;
<<<<<<< HEAD
mod households;
=======
mod identity;
mod identity_undo;
>>>>>>> 9d48cf9 (Make one person out of keys that come together, and undo it)
mod merchants;
mod orders;
mod organisation;
mod owners;
mod owners_race;
mod persons;
mod persons_race;
mod points;
mod points_policy;
mod points_race;
mod privacy;
mod profiles;
mod purchases;
mod staff;
mod stages;
mod stores;
mod stores_race;
mod value;
mod value_cards;
mod value_holds;
mod value_model;
mod value_payments;
mod value_race;
mod value_random;
mod value_recharges;
mod vault;
mod world;
