//! What a question looks at: a window of days, and the day at whose end it is asked. What is not given follows from the
//! facts.

use siyu_grpc::parse;
use siyu_kernel::{Fault, LocalDay};
use siyu_proto::{metrics::v1::Basis, r#type::v1::Ratio as WireRatio};

use crate::{
    cube::cache::Current,
    engine::{Cube, Ratio, Window, WindowError},
    limits,
};

/// The version of the definitions: a change of a formula changes it.
pub const DEFINITION_VERSION: &str = "1";

/// A window and the day of the look.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    /// The window.
    pub window: Window,
    /// The last day that is looked at.
    pub as_of: LocalDay,
}

/// Reads `from_day` and `to_day`; what is empty is the first day with a fact, and the day after the last.
pub fn window(cube: &Cube, from_day: &str, to_day: &str, today: LocalDay) -> Result<Window, Fault> {
    let span = cube.span();
    let from = parse::optional_day("from_day", from_day)?;
    let to = parse::optional_day("to_day", to_day)?;
    let start =
        from.or_else(|| Some(span?.start())).or_else(|| Some(to?.plus(-1))).unwrap_or(today);
    let end = to.or_else(|| Some(span?.end().max(start.plus(1)))).unwrap_or(start.plus(1));
    if end.0.saturating_sub(start.0) > limits::WINDOW_DAYS_MAX {
        return Err(Fault::field(
            "to_day",
            format!("must be at most {} days after from_day", limits::WINDOW_DAYS_MAX),
        ));
    }
    Window::new(start, end).map_err(|error| match error {
        WindowError::Empty => Fault::field("to_day", "must be after from_day"),
        WindowError::OutOfCalendar => Fault::field("to_day", error),
    })
}

/// Reads a window and `as_of_day`, which is the last day of the window where it is empty.
pub fn look(
    cube: &Cube,
    from_day: &str,
    to_day: &str,
    as_of_day: &str,
    today: LocalDay,
) -> Result<Look, Fault> {
    let window = window(cube, from_day, to_day, today)?;
    let as_of = parse::optional_day("as_of_day", as_of_day)?.unwrap_or(window.end().plus(-1));
    if as_of < window.start() {
        return Err(Fault::field("as_of_day", "must not be before from_day"));
    }
    if as_of.0.saturating_sub(window.start().0) > limits::WINDOW_DAYS_MAX {
        let text = format!("must be at most {} days after from_day", limits::WINDOW_DAYS_MAX);
        return Err(Fault::field("as_of_day", text));
    }
    Ok(Look { window, as_of })
}

/// Reads a day; the last day with a fact where it is empty.
pub fn day(cube: &Cube, field: &str, text: &str, today: LocalDay) -> Result<LocalDay, Fault> {
    let last = || cube.span().map_or(today, |span| span.end().plus(-1));
    Ok(parse::optional_day(field, text)?.unwrap_or_else(last))
}

/// What an answer rests on.
pub fn basis(current: &Current, look: Look) -> Basis {
    Basis {
        from_day: look.window.start().to_string(),
        to_day: look.window.end().to_string(),
        as_of_day: look.as_of.to_string(),
        zone: current.zone.name().to_owned(),
        currency_code: current.merchant.currency.clone().unwrap_or_default(),
        definition_version: DEFINITION_VERSION.to_owned(),
        facts_version: current.merchant.facts_version,
        facts_time: current.merchant.facts_at.map(parse::timestamp),
    }
}

/// The basis of an answer about one day.
pub fn basis_of_day(current: &Current, as_of: LocalDay) -> Result<Basis, Fault> {
    let window = Window::ending(as_of, 1).map_err(|error| Fault::field("as_of_day", error))?;
    Ok(basis(current, Look { window, as_of }))
}

/// A ratio on the wire.
pub const fn ratio(ratio: Ratio) -> WireRatio {
    WireRatio { numerator: ratio.num, denominator: ratio.den }
}

/// A count on the wire.
pub fn count(count: u64) -> i64 {
    i64::try_from(count).expect("persons and orders have at most 63 bits")
}
