//! What the suite survives.
