//! The ledger on a real database.

fn main() {}
