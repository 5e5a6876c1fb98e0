//! The commands that run the suite: `up`, `serve`, `migrate`, `config`.

use crate::{
    cli::{ConfigArgs, MigrateArgs, ServeArgs, UpArgs},
    exit::{Exit, Failure},
};

/// `siyu up`
///
/// # Errors
/// [`Failure`]
pub async fn up(args: UpArgs) -> Result<Exit, Failure> {
    not_wired(&args)
}

/// `siyu serve`
///
/// # Errors
/// [`Failure`]
pub async fn serve(args: ServeArgs) -> Result<Exit, Failure> {
    not_wired(&args)
}

/// `siyu migrate`
///
/// # Errors
/// [`Failure`]
pub async fn migrate(args: MigrateArgs) -> Result<Exit, Failure> {
    not_wired(&args)
}

/// `siyu config`
///
/// # Errors
/// [`Failure`]
pub async fn config(args: ConfigArgs) -> Result<Exit, Failure> {
    not_wired(&args)
}

fn not_wired(args: &impl std::fmt::Debug) -> Result<Exit, Failure> {
    Err(Failure::failed(format!("not wired: {args:?}")))
}
