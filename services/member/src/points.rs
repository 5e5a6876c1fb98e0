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

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use siyu_kernel::{Code, Fault};
use siyu_ledger::LotExpiry;
use siyu_runtime::Progress;

use crate::{
    App,
    account::{FREEZE_EXPIRED, GROWTH, HELD, LAPSED, POINTS_LAPSED},
    limits,
    person::PersonId,
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
    let now: DateTime<Utc> = app.clock.now();
    let mut tx = app.db.system("member.expire_lots").await?;
    let expiry = LotExpiry { of: HELD, into: LAPSED, code: POINTS_LAPSED };
    let limit = limits::EXPIRED_AT_ONCE;
    let lapsed = siyu_ledger::lapse_lots(&mut tx, &*app.ids, expiry, now, limit).await?;
    let mut grown: BTreeMap<_, BTreeSet<PersonId>> = BTreeMap::new();
    for of in lapsed.iter().filter(|of| of.asset == GROWTH) {
        grown.entry(of.merchant).or_default().insert(PersonId::from_uuid(of.owner));
    }
    for (merchant, persons) in grown {
        let persons: Vec<PersonId> = persons.into_iter().collect();
        tier::evaluate::evaluate(app, tx.become_tenant(merchant).await?, &persons, now).await?;
    }
    tx.commit().await?;
    Ok(progress(lapsed.len()))
}

const fn progress(done: usize) -> Progress {
    if done > 0 { Progress::Worked } else { Progress::Idle }
}
