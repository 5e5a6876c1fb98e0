//! `siyu demo`: everything at once, for a first look.

use crate::{
    cli::DemoArgs,
    exit::{Exit, Failure},
};

/// `siyu demo`
///
/// # Errors
/// [`Failure`]
pub async fn run(args: DemoArgs) -> Result<Exit, Failure> {
    Err(Failure::failed(format!("not wired: {args:?}")))
}
