//! Pick-up codes (自提码, rule 24): eight digits that nobody can guess, good once, at one store, until the pick-up deadline. A
//! store that tries wrong ones is stopped for a while. Who issued, verified, took back or ended one is written down.
//!
//! | a code is | issued again | verified | taken back | ended |
//! | --- | --- | --- | --- | --- |
//! | issued, in its time | no change | → used | refused: not used | → void |
//! | issued, its time over | → issued, another code | refused: expired | refused: not used | → void |
//! | used | no change | refused: used | → issued, another code | refused: used |
//! | void | → issued, another code | refused: wrong | refused: not used | no change |

pub mod code;
pub(crate) mod rpc;
pub mod store;
mod verdict;

use chrono::{DateTime, Utc};
use siyu_kernel::{Code, Fault};
use siyu_pg::Tx;

use super::StoreId;
use crate::{App, limits, order::domain::OrderId};
use code::PickupCode;
pub use verdict::Verdict;

/// Bytes that nobody can guess: `siyu_runtime::random_bytes`.
pub type Random = fn() -> [u8; 8];

/// A code: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Pickup {
    /// The order.
    pub order_id: OrderId,
    /// The store.
    pub store_id: StoreId,
    /// The code.
    #[sqlx(try_from = "String")]
    pub code: PickupCode,
    /// Whether it can be used.
    pub state: State,
    /// Counts the codes of the order and store.
    pub issue: i32,
    /// Until when, exclusive.
    pub expires_at: DateTime<Utc>,
    /// When it was issued.
    pub issued_at: DateTime<Utc>,
    /// When it was used.
    pub used_at: Option<DateTime<Utc>>,
}

/// Whether a code can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum State {
    /// It can, until it expires.
    Issued,
    /// It was.
    Used,
    /// It cannot any more.
    Void,
}

/// What was done with a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Issued.
    Issued,
    /// Verified.
    Verified,
    /// Taken back.
    Reversed,
    /// Ended.
    Voided,
}

/// Who does something, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct By<'a> {
    /// The credential.
    pub actor: &'a str,
    /// Why; may be empty.
    pub reason: &'a str,
    /// When.
    pub now: DateTime<Utc>,
}

/// Issues the code of an order at a store, or gives the one that is there. In the place of one that was ended, or whose time is
/// over, comes another.
pub async fn issue(
    app: &App,
    tx: &mut Tx,
    random: Random,
    (order, store): (OrderId, StoreId),
    expires_at: DateTime<Utc>,
    by: By<'_>,
) -> Result<Pickup, Fault> {
    if let Some(pickup) = store::lock(tx, order, store).await? {
        return match pickup.state {
            State::Used => Ok(pickup),
            State::Issued if by.now < pickup.expires_at => Ok(pickup),
            State::Issued | State::Void => renew(app, tx, random, pickup, expires_at, by).await,
        };
    }
    for _ in 0..limits::CODE_DRAWS_MAX {
        let pickup = Pickup {
            order_id: order,
            store_id: store,
            code: PickupCode::draw(random),
            state: State::Issued,
            issue: 1,
            expires_at,
            issued_at: by.now,
            used_at: None,
        };
        if store::insert(tx, &pickup).await? {
            note(app, tx, &pickup, Step::Issued, by).await?;
            return Ok(pickup);
        }
        // Another call issued it meanwhile, or the store has that very code for another order.
        if let Some(pickup) = store::lock(tx, order, store).await? {
            return Ok(pickup);
        }
    }
    Err(Fault::internal("every code that was drawn is taken"))
}

/// Verifies a code that somebody shows at a store, and uses it up: of several at once one is told that it is good.
pub async fn verify(
    app: &App,
    tx: &mut Tx,
    store: StoreId,
    shown: &str,
    by: By<'_>,
) -> Result<Verdict, Fault> {
    if is_stopped(tx, store, by.now).await? {
        return Ok(Verdict::Stopped);
    }
    judge(app, tx, store, shown, by).await
}

/// Whether too many wrong codes were tried at a store. Until the transaction ends nobody else tries one there (rule 24): the
/// wrong one that is tried now is counted before the next one is looked at.
pub(crate) async fn is_stopped(
    tx: &mut Tx,
    store: StoreId,
    now: DateTime<Utc>,
) -> Result<bool, Fault> {
    let since = now - limits::PICKUP_FAILURES_WINDOW;
    let failures = store::lock_failures(tx, store, since, now).await?;
    Ok(failures >= limits::PICKUP_FAILURES_MAX)
}

/// Verifies a code at a store that is not stopped.
pub(crate) async fn judge(
    app: &App,
    tx: &mut Tx,
    store: StoreId,
    shown: &str,
    by: By<'_>,
) -> Result<Verdict, Fault> {
    let code = PickupCode::parse(shown);
    if let Some(code) = &code {
        if let Some(pickup) = store::use_up(tx, store, code, by.now).await? {
            note(app, tx, &pickup, Step::Verified, by).await?;
            return Ok(Verdict::Good(pickup));
        }
        // Whoever shows a code that was good knows it, and is not guessing.
        match store::find_code(tx, store, code).await?.map(|pickup| pickup.state) {
            Some(State::Used) => return Ok(Verdict::Used),
            Some(State::Issued) => return Ok(Verdict::Expired),
            Some(State::Void) | None => {}
        }
    }
    Ok(Verdict::Wrong)
}

/// Counts a wrong code that was shown at a store.
pub async fn count_wrong(tx: &mut Tx, store: StoreId, now: DateTime<Utc>) -> Result<(), Fault> {
    Ok(store::count_failure(tx, store, now - limits::PICKUP_FAILURES_WINDOW, now).await?)
}

/// Takes a verification back: the goods are still at the store. The buyer gets another code, for the used one is known.
///
/// # Errors
/// `NOT_FOUND`; `PICKUP_NOT_USED`.
pub async fn reverse(
    app: &App,
    tx: &mut Tx,
    random: Random,
    (order, store): (OrderId, StoreId),
    expires_at: DateTime<Utc>,
    by: By<'_>,
) -> Result<Pickup, Fault> {
    let pickup = lock(tx, order, store).await?;
    if pickup.state != State::Used {
        return Err(refused("PICKUP_NOT_USED", "the code was not used"));
    }
    note(app, tx, &pickup, Step::Reversed, by).await?;
    renew(app, tx, random, pickup, expires_at, by).await
}

/// Puts another code in the place of a locked one.
async fn renew(
    app: &App,
    tx: &mut Tx,
    random: Random,
    mut pickup: Pickup,
    expires_at: DateTime<Utc>,
    by: By<'_>,
) -> Result<Pickup, Fault> {
    pickup.state = State::Issued;
    pickup.issue += 1;
    (pickup.expires_at, pickup.issued_at, pickup.used_at) = (expires_at, by.now, None);
    for _ in 0..limits::CODE_DRAWS_MAX {
        pickup.code = PickupCode::draw(random);
        if store::reissue(tx, &pickup).await? {
            note(app, tx, &pickup, Step::Issued, by).await?;
            return Ok(pickup);
        }
    }
    Err(Fault::internal("every code that was drawn is taken"))
}

/// Ends a code that was not used: the order is cancelled, refunded, or goes another way. A repeat changes nothing.
///
/// # Errors
/// `NOT_FOUND`; `PICKUP_USED`.
pub async fn void(
    app: &App,
    tx: &mut Tx,
    (order, store): (OrderId, StoreId),
    by: By<'_>,
) -> Result<(), Fault> {
    let pickup = lock(tx, order, store).await?;
    match pickup.state {
        State::Void => Ok(()),
        State::Used => Err(refused("PICKUP_USED", "the code was used before")),
        State::Issued => {
            store::void(tx, order, store).await?;
            note(app, tx, &pickup, Step::Voided, by).await
        }
    }
}

async fn lock(tx: &mut Tx, order: OrderId, store: StoreId) -> Result<Pickup, Fault> {
    store::lock(tx, order, store).await?.ok_or_else(|| Fault::not_found("pick-up code"))
}

async fn note(
    app: &App,
    tx: &mut Tx,
    pickup: &Pickup,
    step: Step,
    by: By<'_>,
) -> Result<(), Fault> {
    Ok(store::insert_event(tx, app.ids.uuid(), pickup, step, by).await?)
}

fn refused(reason: &'static str, message: &'static str) -> Fault {
    Fault::new(Code::FailedPrecondition, reason, message)
}

impl Step {
    /// The word in columns.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Issued => "issued",
            Self::Verified => "verified",
            Self::Reversed => "reversed",
            Self::Voided => "voided",
        }
    }
}
