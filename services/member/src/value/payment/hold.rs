//! Ends a hold: takes it or frees it, once.

use siyu_grpc::Ctx;
use siyu_kernel::Fault;
use siyu_pg::Tx;
use siyu_proto::member::v1 as proto;

use super::{
    domain::{PaymentId, State, show},
    pay, store,
};
use crate::{
    App, publish,
    value::{CAPTURED, CardId, books::Chain, card, entry, policy},
};

/// Takes a hold or a part of it; what each bucket of each card gives is cut by largest remainder.
pub(super) async fn capture(
    app: &App,
    tx: &mut Tx,
    ctx: &Ctx,
    id: PaymentId,
    amount: i64,
) -> Result<proto::ValuePayment, Fault> {
    let (mut payment, mut parts) = super::lock(tx, id).await?;
    let taken = payment.capture(&parts, amount, ctx.now)?;
    let terms = policy::terms(tx, ctx.now).await?;
    let ids: Vec<CardId> = parts.iter().map(|part| part.card_id).collect();
    let cards = card::lock_all(tx, &ids).await?;
    let mut chain = Chain::about(app, id.uuid());
    for (part, taken) in parts.iter_mut().zip(taken) {
        let capture = |chain: &mut Chain<'_>, hold, amount| chain.capture(CAPTURED, hold, amount);
        part.principal_transfer_id =
            capture(&mut chain, part.principal_transfer_id, taken.principal);
        part.bonus_transfer_id = capture(&mut chain, part.bonus_transfer_id, taken.bonus);
        (part.principal_minor, part.bonus_minor) = (taken.principal, taken.bonus);
    }
    chain.run(tx, ctx.now).await?;
    payment.state = State::Paid;
    payment.captured_minor = parts.iter().map(|part| part.given().total()).sum();
    payment.paid_at = Some(ctx.now);
    store::save(tx, &payment, &parts).await?;
    let given = pay::entries(&payment, &cards, &parts);
    entry::write(app, tx, &terms, ctx.now, &given).await?;
    let shown = show(&payment, &parts, terms.currency);
    let fact = proto::ValuePaid { payment: Some(shown.clone()) };
    publish(app, tx, ctx, id.to_string(), &fact).await?;
    Ok(shown)
}

/// Frees a hold.
pub(super) async fn void(
    app: &App,
    tx: &mut Tx,
    ctx: &Ctx,
    id: PaymentId,
) -> Result<proto::ValuePayment, Fault> {
    let (mut payment, parts) = super::lock(tx, id).await?;
    payment.is_open(ctx.now)?;
    let terms = policy::terms(tx, ctx.now).await?;
    let mut chain = Chain::about(app, id.uuid());
    let holds = parts.iter().flat_map(|part| [part.principal_transfer_id, part.bonus_transfer_id]);
    holds.flatten().for_each(|hold| chain.release(hold));
    chain.run(tx, ctx.now).await?;
    payment.state = State::Voided;
    store::save(tx, &payment, &parts).await?;
    let shown = show(&payment, &parts, terms.currency);
    let fact = proto::ValueHoldReleased { payment: Some(shown.clone()) };
    publish(app, tx, ctx, id.to_string(), &fact).await?;
    Ok(shown)
}
