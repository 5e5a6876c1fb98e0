//! Points (积分): granted, spent, frozen, given back, adjusted, and the rules by which a merchant gives them. What a person
//! has is the balance of an account of the ledger; nothing here edits it.
//!
//! Changes that come at the same moment share a transaction ([`desk`]): all of a merchant touch the account of what it has
//! given out, and would wait for each other's commits.

pub(crate) mod command;
pub(crate) mod desk;
pub mod domain;
pub(crate) mod merge;
pub(crate) mod policy;
mod post;
pub(crate) mod read;
pub mod rpc;
pub mod store;

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use siyu_kernel::{Code, Fault, Id, kind};
use siyu_ledger::{Account, Draw, DueLot, Movement, NewAccount, Outcome, Transfer};
use siyu_runtime::Progress;
use uuid::Uuid;

use crate::{
    App,
    account::{FREEZE_EXPIRED, GROWTH, HELD, LAPSED, POINTS_LAPSED},
    limits,
    person::{self, PersonId},
    tier,
};

/// Why points cannot be given.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The action has given the person all that it may on this day.
    #[error("the action \"{action}\" gives a person at most {most} points on one day")]
    DailyLimit {
        /// The action.
        action: String,
        /// The most on one day.
        most: i64,
    },
    /// The request id was used for another content.
    #[error("the request_id was used before with another content")]
    RequestIdReused,
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        match error {
            Error::DailyLimit { most, .. } => {
                Self::new(Code::ResourceExhausted, "DAILY_LIMIT_REACHED", error.to_string())
                    .with("points_per_day", most)
            }
            Error::RequestIdReused => {
                Self::new(Code::AlreadyExists, "REQUEST_ID_REUSED", error.to_string())
            }
        }
    }
}

/// A step of the job that frees what nobody consumed in time.
pub(crate) async fn expire_freezes(app: &App) -> Result<Progress, Fault> {
    let now = app.clock.now();
    let mut tx = app.db.system("member.expire_holds").await?;
    let limit = limits::EXPIRED_AT_ONCE;
    let freed = siyu_ledger::expire_holds(&mut tx, &*app.ids, FREEZE_EXPIRED, now, limit).await?;
    tx.commit().await?;
    Ok(progress(freed))
}

/// A step of the job that takes lapsed points and growth out of their lots, and looks anew at whose growth lapsed.
pub(crate) async fn expire_lots(app: &App) -> Result<Progress, Fault> {
    let now = app.clock.now();
    let mut jobs = app.db.system("member.expire_lots").await?;
    let due = siyu_ledger::due_lots(&mut jobs, HELD, now, limits::EXPIRED_AT_ONCE).await?;
    drop(jobs);
    let mut ended = 0;
    for (merchant, lots) in due {
        ended += end_lots(app, merchant, &lots, now).await?;
    }
    Ok(progress(ended))
}

/// Ends lots of one merchant; gives how many. One that somebody drew on meanwhile is refused, and taken the next time. Their
/// owners are locked first, as a merge does, so that whoever takes back what an order gave sees what has lapsed of it.
async fn end_lots(
    app: &App,
    merchant: Id<kind::Merchant>,
    lots: &[DueLot],
    now: DateTime<Utc>,
) -> Result<usize, Fault> {
    let mut tx = app.db.tenant(merchant).await?;
    let owners: Vec<PersonId> = lots.iter().map(|lot| PersonId::from_uuid(lot.owner_id)).collect();
    person::lock_all(&mut tx, &owners).await?;
    let into = |lot: &DueLot| {
        NewAccount::new(Id::from_uuid(app.ids.uuid()), Uuid::nil(), LAPSED, lot.asset)
    };
    let into = siyu_ledger::open(&mut tx, &lots.iter().map(into).collect::<Vec<_>>(), now).await?;
    let lapse = |(lot, into): (&DueLot, &Account)| {
        let movement = Movement::new(lot.account_id, into.id, lot.free).draw(Draw::Lot(lot.id));
        Transfer::post(Id::from_uuid(app.ids.uuid()), POINTS_LAPSED, movement)
    };
    let transfers: Vec<Transfer> = lots.iter().zip(&into).map(lapse).collect();
    let outcomes = siyu_ledger::post(&mut tx, &transfers, now).await?;
    let ended: Vec<&DueLot> = lots
        .iter()
        .zip(outcomes)
        .filter(|(_, outcome)| matches!(outcome, Outcome::Created(_)))
        .map(|(lot, _)| lot)
        .collect();
    let grown = ended.iter().filter(|lot| lot.asset == GROWTH);
    let grown: BTreeSet<PersonId> = grown.map(|lot| PersonId::from_uuid(lot.owner_id)).collect();
    let grown: Vec<PersonId> = grown.into_iter().collect();
    tier::evaluate::evaluate(app, &mut tx, &grown, now).await?;
    tx.commit().await?;
    Ok(ended.len())
}

const fn progress(done: usize) -> Progress {
    if done > 0 { Progress::Worked } else { Progress::Idle }
}
