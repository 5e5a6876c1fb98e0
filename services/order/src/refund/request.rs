//! Asks for a refund: under the lock of the order, so that two that together are more than is left are not both granted.

use chrono::{DateTime, Utc};
use prost::Message;
use sha2::{Digest, Sha256};
use siyu_grpc::{Ctx, parse};
use siyu_kernel::{Code, Fault, Id};
use siyu_pg::{Tx, idempotency};
use siyu_proto::order::v1::{self as proto, RefundAsk, RequestRefundRequest};

use super::{
    domain::{Event, Part, Refund, State},
    plan::{Ask, AskLine, RefundPlan, Share, Shipping, TenderKind, plan},
    rewards, sold, store,
};
use crate::{
    App,
    order::{
        advance,
        domain::{Order, OrderId},
        lifecycle,
    },
};

/// Plans what is asked for, from an order as it is now.
pub(crate) async fn planned(
    tx: &mut Tx,
    order: &Order,
    ask: &RefundAsk,
    now: DateTime<Utc>,
) -> Result<(proto::RefundPlan, Vec<Refund>), Fault> {
    if lifecycle::Event::Refunded.next(order.state).is_none() {
        return Err(advance::wrong_state(order, lifecycle::Event::Refunded));
    }
    let ask = read(ask)?;
    let (mut sold, before, refunds) = sold::read(tx, order.id).await?;
    sold.given = rewards::given(tx, order.id, now).await?;
    let plan = plan(&sold, &before, &ask)?;
    Ok((show(&plan, order), refunds))
}

/// Asks for a refund, or finds the one that the request id has asked for.
pub(super) async fn request(
    app: &App,
    ctx: &Ctx,
    request: &RequestRefundRequest,
) -> Result<Refund, Fault> {
    let order_id: OrderId = parse::id("order_id", &request.order_id)?;
    let fingerprint = Sha256::digest(request.encode_to_vec()).to_vec();
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    let (order, _) = advance::lock(&mut tx, order_id, "").await?;
    // Under the lock of the order: a repeat at the same moment waits for the first and finds it.
    if let Some(known) = store::find_by_request(&mut tx, &request.request_id).await? {
        return same(request, known, &fingerprint);
    }
    let ask = request.ask.clone().unwrap_or_default();
    let (plan, refunds) = planned(&mut tx, &order, &ask, ctx.now).await?;
    if request.expected_total_minor.is_some_and(|expected| expected != plan.total_minor) {
        let message = format!("the refund comes to {} minor units now", plan.total_minor);
        let fault = Fault::new(Code::FailedPrecondition, "PLAN_CHANGED", message);
        return Err(fault.with("total_minor", plan.total_minor));
    }
    let key = (request.request_id.as_str(), fingerprint);
    let by = (&*ctx.subject, request.reason.as_str());
    let mut refund = fresh(app, order_id, key, (&plan, &refunds), by, ctx.now);
    refund.needs_return = request.needs_return;
    if request.agreed {
        refund.take(Event::Agree, ctx.now)?;
    }
    if !store::insert(&mut tx, &refund).await? {
        // Another order has the request id.
        return Err(idempotency::reused(&request.request_id));
    }
    tx.commit().await?;
    Ok(refund)
}

/// Gives an order back as a whole, without anybody asking: once, for `key` is the request id; says whether this was the time.
/// The transaction holds the lock of the order; the job gives everything back.
pub(crate) async fn whole(
    app: &App,
    tx: &mut Tx,
    order: &Order,
    key: &str,
    by: (&str, &str),
    now: DateTime<Utc>,
) -> Result<bool, Fault> {
    let ask = RefundAsk { whole: true, ..RefundAsk::default() };
    let (plan, refunds) = planned(tx, order, &ask, now).await?;
    let mut refund = fresh(app, order.id, (key, Vec::new()), (&plan, &refunds), by, now);
    refund.take(Event::Agree, now)?;
    Ok(store::insert(tx, &refund).await?)
}

/// A refund that was asked for just now, by whom and why.
fn fresh(
    app: &App,
    order_id: OrderId,
    (request_id, fingerprint): (&str, Vec<u8>),
    (plan, before): (&proto::RefundPlan, &[Refund]),
    (actor, reason): (&str, &str),
    now: DateTime<Utc>,
) -> Refund {
    let given = |key: &str| plan.tenders.iter().find(|to| to.tender == key);
    let to = |key: &str| given(key).map_or(0, |to| to.amount_minor);
    Refund {
        id: Id::from_uuid(app.ids.uuid()),
        order_id,
        number: before.iter().map(|refund| refund.number).max().unwrap_or(0) + 1,
        request_id: request_id.to_owned(),
        fingerprint,
        state: State::Requested,
        plan: plan.encode_to_vec(),
        reason: reason.to_owned(),
        needs_return: false,
        cash_minor: to(sold::CASH),
        cash: Part::of(to(sold::CASH)),
        value_minor: to(sold::VALUE),
        value: Part::of(to(sold::VALUE)),
        points: plan.points,
        points_part: Part::of(plan.points),
        failure: String::new(),
        actor: actor.to_owned(),
        rewards: None,
        due_at: None,
        attempts: 0,
        created_at: now,
        ended_at: None,
    }
}

fn same(
    request: &RequestRefundRequest,
    known: Refund,
    fingerprint: &[u8],
) -> Result<Refund, Fault> {
    if known.fingerprint == fingerprint {
        return Ok(known);
    }
    Err(idempotency::reused(&request.request_id))
}

fn read(ask: &RefundAsk) -> Result<Ask, Fault> {
    if ask.whole {
        if ask.lines.is_empty() && !ask.shipping {
            return Ok(Ask::Whole);
        }
        return Err(Fault::field("ask.whole", "stands alone"));
    }
    let line = |(i, line): (usize, &proto::RefundLine)| {
        let share = match (line.quantity, line.amount_minor) {
            (pieces, 0) if pieces > 0 => Share::Pieces(pieces),
            (0, minor) if minor > 0 => Share::Minor(minor),
            _ => {
                let field = format!("ask.lines[{i}].quantity");
                return Err(Fault::field(field, "or amount_minor is required, and not both"));
            }
        };
        Ok(AskLine { line_no: line.line_no, share })
    };
    Ok(Ask::Parts {
        lines: ask.lines.iter().enumerate().map(line).collect::<Result<_, _>>()?,
        shipping: if ask.shipping { Shipping::Back } else { Shipping::Stays },
    })
}

fn show(plan: &RefundPlan, order: &Order) -> proto::RefundPlan {
    proto::RefundPlan {
        lines: plan
            .lines
            .iter()
            .map(|line| proto::PlannedLine {
                line_no: line.line_no,
                quantity: line.quantity,
                goods_minor: line.goods_minor,
                withheld_minor: line.withheld_minor,
                points: line.points,
            })
            .collect(),
        shipping_minor: plan.shipping_minor,
        total_minor: plan.total_minor,
        currency_code: order.currency.0.code().to_owned(),
        points: plan.points,
        earned_on_minor: plan.earned_on_minor,
        tenders: plan
            .tenders
            .iter()
            .map(|tender| proto::PlannedTender {
                tender: match tender.kind {
                    TenderKind::Cash => sold::CASH.to_owned(),
                    TenderKind::StoredValue => sold::VALUE.to_owned(),
                    TenderKind::Points => tender.key.clone(),
                },
                amount_minor: tender.amount_minor,
            })
            .collect(),
        coupon_ids: plan.coupons.clone(),
        fully: plan.fully,
        rewards: rewards::show(&plan.rewards),
        rows: plan
            .rows
            .iter()
            .map(|row| proto::PlannedRow {
                line_no: row.line_no,
                why: row.to_string(),
                amount_minor: row.amount_minor,
            })
            .collect(),
    }
}
