//! `siyu report`: asks metrics for every figure of a window, and shows them as one object or as a page for a person.

mod build;
mod decimal;
mod fetch;
mod object;
mod render;

use chrono::NaiveDate;

use crate::{
    cli::ReportArgs,
    client::Client,
    exit::{Exit, Failure},
    output::Output,
};
pub use decimal::Decimal;
pub use fetch::fetch;
pub use object::{
    Cohort, Dormant, EffectiveCustomers, Figures, LifetimeValue, Month, OffHours, Pillars, Ratio,
    Reactivated, Report, RfmSegments, Triangle, UserArpu, Week,
};
pub use render::render;

/// What is looked at. What is not given follows from the orders that there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Window {
    /// The first day, inclusive.
    pub from: Option<NaiveDate>,
    /// The end: the first day that does not count.
    pub to: Option<NaiveDate>,
    /// The last day that is looked at, inclusive.
    pub as_of: Option<NaiveDate>,
}

/// Runs the command.
///
/// # Errors
/// [`Failure`]
pub async fn run(args: &ReportArgs) -> Result<Exit, Failure> {
    let output = Output::new(&args.output);
    // Without an end, the window ends with the day of the look.
    let to = args.to.or_else(|| args.as_of?.succ_opt());
    let window = Window { from: args.from, to, as_of: args.as_of };
    if let (Some(from), Some(to)) = (window.from, window.to)
        && from >= to
    {
        let failure = Failure::usage(format!("--from {from} must be before --to {to}"));
        return Err(failure.hint("--to is the first day that does not count"));
    }
    if let (Some(to), Some(as_of)) = (window.to, window.as_of)
        && as_of.succ_opt().is_some_and(|after| after < to)
    {
        let failure = Failure::usage(format!(
            "--as-of {as_of} must not be before the last day of the window"
        ));
        return Err(failure.hint(format!("--to {to} is the first day that does not count")));
    }
    let client = Client::connect(&args.connection).await?;
    let merchant = client.merchant().await?;
    let report = fetch(&client, &merchant, window).await?;
    output.result(&report, |look| render(&report, look))?;
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests;
