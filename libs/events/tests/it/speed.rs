//! How fast it is. Run with `--ignored --nocapture`; the figures hold for the machine and the profile they were taken with.
