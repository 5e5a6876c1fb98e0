//! Benefits (权益): what tiers and paid cards (权益卡) entitle to, and what persons use of it. Of each kind a person has the best
//! that its tier or one of its cards gives; a card counts from its start to the exact instant of its end.

pub mod card;
pub mod card_rpc;
pub mod domain;
pub(crate) mod merge;
pub mod multiplier;
pub mod rpc;
pub mod store;

use siyu_kernel::{Code, Fault};
use siyu_runtime::Progress;

use crate::{App, limits};

/// Why a benefit or a card is refused.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The person is not entitled to it.
    #[error("the person is not entitled to this benefit")]
    NotHeld,
    /// Its uses in this period are over.
    #[error("the benefit is used up until the next period")]
    UsedUp,
    /// The birthday is too far away.
    #[error("the birthday is not within these days")]
    NotBirthday,
    /// The state of the card does not allow the step.
    #[error("a card that is {0} does not allow this")]
    CardMoveRefused(&'static str),
    /// There is no consent to automatic renewal.
    #[error("the person has not agreed to automatic renewal")]
    NotAgreed,
    /// The charge comes too soon after the notice.
    #[error("a charge must be announced 5 days before")]
    NoticeTooShort,
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        let reason = match error {
            Error::NotHeld => "BENEFIT_NOT_HELD",
            Error::UsedUp => "BENEFIT_USED_UP",
            Error::NotBirthday => "BIRTHDAY_NOT_NOW",
            Error::CardMoveRefused(_) => "CARD_MOVE_REFUSED",
            Error::NotAgreed => "RENEWAL_NOT_AGREED",
            Error::NoticeTooShort => "NOTICE_TOO_SHORT",
        };
        Self::new(Code::FailedPrecondition, reason, error.to_string())
    }
}

/// A step of the job that ends cards whose time is over.
pub(crate) async fn expire_cards(app: &App) -> Result<Progress, Fault> {
    let now = app.clock.now();
    let mut tx = app.db.system("member.expire_cards").await?;
    let ended = store::expire(&mut tx, now, i64::from(limits::EXPIRED_AT_ONCE)).await?;
    tx.commit().await?;
    Ok(if ended > 0 { Progress::Worked } else { Progress::Idle })
}
