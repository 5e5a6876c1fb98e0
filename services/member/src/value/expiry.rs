//! Ends bonus whose time is over, and writes it down: breakage of the report. Nobody waits for it: such a bonus cannot be
//! spent any more, whether it has come round or not. Principal never expires.

use chrono::{DateTime, Utc};
use siyu_grpc::Ctx;
use siyu_kernel::{Fault, Id, kind};
use siyu_ledger::{Draw, DueLot, Movement, Outcome, Transfer};
use siyu_proto::member::v1 as proto;
use siyu_runtime::Progress;

use super::{
    BONUS, BONUS_EXPIRED, Buckets, CardId, card,
    entry::{self, Entry},
    policy,
};
use crate::{App, limits, publish_all};

/// Ends some.
pub(crate) async fn once(app: &App) -> Result<Progress, Fault> {
    let now = app.clock.now();
    let mut jobs = app.db.system("member.value_bonus").await?;
    let due = siyu_ledger::due_lots(&mut jobs, BONUS, now, limits::BONUS_BATCH).await?;
    drop(jobs);
    let mut ended = 0;
    for (merchant, lots) in due {
        ended += end(app, merchant, &lots, now).await?;
    }
    Ok(if ended == 0 { Progress::Idle } else { Progress::Worked })
}

/// Ends lots of one merchant; gives how many. One that somebody drew on meanwhile is refused, and taken the next time.
async fn end(
    app: &App,
    merchant: Id<kind::Merchant>,
    lots: &[DueLot],
    now: DateTime<Utc>,
) -> Result<usize, Fault> {
    let mut tx = app.db.tenant(merchant).await?;
    let accounts: Vec<_> = lots.iter().map(|lot| lot.account_id).collect();
    let accounts = siyu_ledger::balances(&mut tx, &accounts).await?;
    let ids: Vec<CardId> =
        accounts.iter().map(|account| Id::from_uuid(account.key.owner)).collect();
    let cards = card::lock_all(&mut tx, &ids).await?;
    let lapse = |(lot, card): (&DueLot, &card::Card)| {
        let movement = Movement::new(lot.account_id, card.purse.outside_bonus, lot.free);
        let id = Id::from_uuid(app.ids.uuid());
        let transfer = Transfer::post(id, BONUS_EXPIRED, movement.draw(Draw::Lot(lot.id)));
        transfer.reference(card.id.uuid())
    };
    let transfers: Vec<Transfer> = lots.iter().zip(&cards).map(lapse).collect();
    let outcomes = siyu_ledger::post(&mut tx, &transfers, now).await?;
    let ended: Vec<(&DueLot, &card::Card)> = lots
        .iter()
        .zip(&cards)
        .zip(outcomes)
        .filter(|(_, outcome)| matches!(outcome, Outcome::Created(_)))
        .map(|(pair, _)| pair)
        .collect();
    let facts: Vec<(String, proto::ValueBonusExpired)> = ended
        .iter()
        .map(|(lot, card)| {
            let card_id = card.id.to_string();
            (card_id.clone(), proto::ValueBonusExpired { card_id, bonus_minor: lot.free })
        })
        .collect();
    let entries: Vec<Entry<'_>> = ended
        .iter()
        .map(|(lot, card)| Entry {
            card,
            kind: entry::Kind::BonusExpired,
            store_id: card.store_id,
            subject: lot.id.to_string(),
            change: Buckets::new(0, -lot.free),
            kept: 0,
        })
        .collect();
    let terms = policy::terms(&mut tx, now).await?;
    entry::write(app, &mut tx, &terms, now, &entries).await?;
    let ctx = Ctx::internal(crate::NAME, Some(merchant), now);
    publish_all(app, &mut tx, &ctx, &facts).await?;
    tx.commit().await?;
    Ok(ended.len())
}
