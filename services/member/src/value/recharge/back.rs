//! Gives recharges back: bonus first (rule 57).

use chrono::{DateTime, Utc};
use siyu_grpc::Ctx;
use siyu_kernel::Fault;
use siyu_ledger::{Lot, LotId};
use siyu_pg::Tx;
use siyu_proto::member::v1 as proto;

use super::{Recharge, RechargeId, store};
use crate::{
    App, publish,
    value::{
        Buckets, KEPT, RECHARGE_REFUNDED, StoreId,
        books::{self, Chain},
        card,
        entry::{self, Entry},
        error::Error,
        policy,
    },
};

/// For whose reason money is given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Blame {
    /// The merchant's: the ratio of what was paid and given.
    Merchant,
    /// The consumer's: what was used counts at its full price.
    Consumer,
}

/// What comes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settled {
    /// What is paid back.
    pub paid_out: i64,
    /// What the merchant keeps of the principal for bonus that was spent.
    pub kept: i64,
    /// What is taken of the bonus.
    pub bonus_taken: i64,
}

/// What is left of a recharge, and what was spent of its bonus.
#[derive(Debug, Clone, Copy)]
pub struct Left {
    /// Of the principal: the newest recharges are spent last.
    pub principal: i64,
    /// Of the bonus.
    pub bonus: i64,
    /// Of the bonus that was spent.
    pub bonus_spent: i64,
}

/// What is paid back of what is left. The bonus goes first; bonus that was spent is kept from the principal unless the
/// merchant is at fault.
pub fn settle(left: Left, blame: Blame) -> Settled {
    let kept = match blame {
        Blame::Merchant => 0,
        Blame::Consumer => left.bonus_spent.min(left.principal),
    };
    Settled { paid_out: left.principal - kept, kept, bonus_taken: left.bonus }
}

impl Blame {
    /// The word in columns.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Merchant => "merchant",
            Self::Consumer => "consumer",
        }
    }

    /// Reads a value of the contract.
    pub fn read(value: i32) -> Result<Self, Fault> {
        match proto::ValueFault::try_from(value) {
            Ok(proto::ValueFault::Merchant) => Ok(Self::Merchant),
            Ok(proto::ValueFault::Consumer) => Ok(Self::Consumer),
            Ok(proto::ValueFault::Unspecified) | Err(_) => {
                Err(Fault::field("fault", "is not a known value"))
            }
        }
    }
}

impl From<Blame> for proto::ValueFault {
    fn from(blame: Blame) -> Self {
        match blame {
            Blame::Merchant => Self::Merchant,
            Blame::Consumer => Self::Consumer,
        }
    }
}

/// Gives a recharge back.
pub(super) async fn back(
    app: &App,
    tx: &mut Tx,
    ctx: &Ctx,
    id: RechargeId,
    blame: Blame,
    store_id: Option<StoreId>,
) -> Result<(proto::RechargeRecord, proto::ValueCard), Fault> {
    let recharge = store::lock(tx, id).await?.ok_or_else(|| Fault::not_found("recharge"))?;
    if recharge.refunded_at.is_some() {
        return Err(Error::RechargeRefunded.into());
    }
    let terms = policy::terms(tx, ctx.now).await?;
    let card = card::lock(tx, recharge.card_id).await?;
    let left = left(tx, &recharge, &card, ctx.now).await?;
    let settled = settle(left, blame);
    if left.principal == 0 && left.bonus == 0 {
        return Err(Error::NothingToRefund.into());
    }
    let mut chain = Chain::about(app, id.uuid());
    let forfeit = siyu_ledger::Expired::Forfeit;
    chain.reverse(RECHARGE_REFUNDED, recharge.bonus_transfer_id, settled.bonus_taken, forfeit);
    let principal = Some(recharge.principal_transfer_id);
    chain.reverse(RECHARGE_REFUNDED, principal, settled.paid_out, forfeit);
    chain.post(KEPT, card.purse.principal, card.purse.outside_principal, settled.kept);
    chain.run(tx, ctx.now).await?;
    let recharge = Recharge {
        refunded_at: Some(ctx.now),
        refunded_minor: settled.paid_out,
        bonus_taken_minor: settled.bonus_taken,
        kept_minor: settled.kept,
        ..recharge
    };
    store::save(tx, &recharge).await?;
    let entry = Entry {
        card: &card,
        kind: entry::Kind::RechargeRefund,
        store_id: store_id.or(recharge.store_id),
        subject: id.to_string(),
        change: Buckets::new(settled.paid_out + settled.kept, settled.bonus_taken).negative(),
        kept: settled.kept,
    };
    entry::write(app, tx, &terms, ctx.now, &[entry]).await?;
    let shown = recharge.show(terms.currency);
    let fact = proto::RechargeRefunded {
        recharge: Some(shown.clone()),
        issuer_id: card.issuer_id.to_string(),
    };
    publish(app, tx, ctx, card.id.to_string(), &fact).await?;
    let card = card::shown(tx, &card, terms.currency, ctx.now).await?;
    Ok((shown, card))
}

/// What is left of a recharge on its card, holds aside.
async fn left(
    tx: &mut Tx,
    recharge: &Recharge,
    card: &card::Card,
    now: DateTime<Utc>,
) -> Result<Left, Fault> {
    let available = books::available(tx, &[card.purse], now).await?.remove(0);
    let newer = store::newer_principal(tx, card.id, recharge.id).await?;
    let principal = (available.principal - newer).clamp(0, recharge.principal_minor);
    let lots = siyu_ledger::lots(tx, &[card.purse.bonus]).await?;
    let own: Option<LotId> =
        recharge.bonus_transfer_id.map(|transfer| LotId::from_uuid(transfer.uuid()));
    let lot: Option<&Lot> = lots.iter().find(|lot| Some(lot.id) == own);
    let has_expired = recharge.bonus_expires_at.is_some_and(|end| end <= now);
    let bonus = lot.filter(|_| !has_expired).map_or(0, Lot::free);
    let gone = recharge.bonus_minor - lot.map_or(0, |lot| lot.remaining);
    // Of a bonus that has expired, what was not spent is gone too.
    let bonus_spent = if has_expired {
        let spent = entry::store::bonus_spent(tx, card.id, recharge.created_at).await?;
        spent.clamp(0, gone)
    } else {
        gone
    };
    Ok(Left { principal, bonus, bonus_spent })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_card_is_paid_back_by_ratio_or_at_the_list_price() {
        // 3,000 paid and 1,000 given, 3,594.00 used in the ratio of both: 304.50 and 101.50 are left.
        let left = Left { principal: 30_450, bonus: 10_150, bonus_spent: 89_850 };
        let ratio = Settled { paid_out: 30_450, kept: 0, bonus_taken: 10_150 };
        assert_eq!(settle(left, Blame::Merchant), ratio);
        let list_price = Settled { paid_out: 0, kept: 30_450, bonus_taken: 10_150 };
        assert_eq!(settle(left, Blame::Consumer), list_price);
    }

    #[test]
    fn bonus_that_was_spent_is_kept_from_the_principal() {
        let left = Left { principal: 10_000, bonus: 500, bonus_spent: 1_500 };
        let settled = settle(left, Blame::Consumer);
        assert_eq!(settled, Settled { paid_out: 8_500, kept: 1_500, bonus_taken: 500 });
    }
}
