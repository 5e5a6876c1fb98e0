//! The RPCs of checkouts.

use prost::Message;
use siyu_grpc::{Ctx, parse, serve};
use siyu_kernel::Fault;
use siyu_pg::{Tx, page};
use siyu_proto::{
    order::v1::{
        self as proto, CancelOrderRequest, CancelOrderResponse, GetCheckoutPolicyRequest,
        GetCheckoutPolicyResponse, GetCheckoutRequest, GetCheckoutResponse, ListOrderEventsRequest,
        ListOrderEventsResponse, OrderEvent, PlaceOrderRequest, PlaceOrderResponse, PriceSnapshot,
        SetCheckoutPolicyRequest, SetCheckoutPolicyResponse,
        checkout_service_server::CheckoutService,
    },
    r#type::v1::Money,
};
use tonic::{Request, Response, Status, async_trait};

use super::{
    cancel::{cancel, cancel_unclaimed},
    finish::finish,
    place::{Fresh, Placed, place},
    policy,
    store::{self, Checkout, Delivery},
};
use crate::{
    App,
    claim::{self, domain::State as ClaimState},
    fx, limits,
    order::{
        advance::{self, Cause},
        domain::{Order, OrderId},
        history::store::{self as history, Entry},
        lifecycle::Event,
        rpc::{show as show_order, show_line},
        store as orders,
    },
    payment::{self, domain::all_ended},
    quote::snapshot,
    tender::{
        self,
        domain::{Kind, Tender},
    },
};

#[async_trait]
impl CheckoutService for App {
    async fn place_order(
        &self,
        request: Request<PlaceOrderRequest>,
    ) -> Result<Response<PlaceOrderResponse>, Status> {
        serve(request, async |ctx, message| {
            let (order, checkout) = match place(self, &ctx, &message).await? {
                Placed::Now(fresh) => show_fresh(*fresh),
                Placed::Known(id) => {
                    let mut tx = self.db.tenant_lookup(ctx.merchant()?).await?;
                    read(&mut tx, id, false).await?
                }
            };
            Ok::<_, Fault>(PlaceOrderResponse { order: Some(order), checkout: Some(checkout) })
        })
        .await
    }

    async fn cancel_order(
        &self,
        request: Request<CancelOrderRequest>,
    ) -> Result<Response<CancelOrderResponse>, Status> {
        serve(request, |ctx, message| cancel_order(self, ctx, message)).await
    }

    async fn get_checkout(
        &self,
        request: Request<GetCheckoutRequest>,
    ) -> Result<Response<GetCheckoutResponse>, Status> {
        serve(request, async |ctx, message: GetCheckoutRequest| {
            let id = parse::id("order_id", &message.order_id)?;
            let mut tx = self.db.tenant_lookup(ctx.merchant()?).await?;
            let (_, checkout) = read(&mut tx, id, true).await?;
            Ok::<_, Fault>(GetCheckoutResponse { checkout: Some(checkout) })
        })
        .await
    }

    async fn list_order_events(
        &self,
        request: Request<ListOrderEventsRequest>,
    ) -> Result<Response<ListOrderEventsResponse>, Status> {
        serve(request, |ctx, message| list_events(self, ctx, message)).await
    }

    async fn set_checkout_policy(
        &self,
        request: Request<SetCheckoutPolicyRequest>,
    ) -> Result<Response<SetCheckoutPolicyResponse>, Status> {
        serve(request, |ctx, message| set_policy(self, ctx, message)).await
    }

    async fn get_checkout_policy(
        &self,
        request: Request<GetCheckoutPolicyRequest>,
    ) -> Result<Response<GetCheckoutPolicyResponse>, Status> {
        serve(request, async |ctx: Ctx, _: GetCheckoutPolicyRequest| {
            let mut tx = self.db.tenant_read(ctx.merchant()?).await?;
            let policy = policy::read(&mut tx).await?;
            Ok::<_, Fault>(GetCheckoutPolicyResponse { policy: Some(policy) })
        })
        .await
    }
}

async fn cancel_order(
    app: &App,
    ctx: Ctx,
    request: CancelOrderRequest,
) -> Result<CancelOrderResponse, Fault> {
    let id = parse::id("order_id", &request.order_id)?;
    let merchant = ctx.merchant()?;
    let mut tx = app.db.tenant(merchant).await?;
    let cause = Cause { key: "cancel", actor: &ctx.subject, reason: &request.reason, now: ctx.now };
    let order = end(app, &mut tx, id, cause).await?;
    tx.commit().await?;
    // What is held is freed now, if the member service is there; the job frees it otherwise.
    if let Err(fault) = finish(app, merchant, id, app.member.as_service_within(&ctx)).await {
        tracing::warn!(order_id = %id, reason = fault.reason(), "a tender has to wait");
    }
    Ok(CancelOrderResponse { order: Some(show_order(&order)) })
}

/// Ends an order, or has its claim closed first where a payment company may still take money for it: then it ends when the
/// company has answered.
async fn end(app: &App, tx: &mut Tx, id: OrderId, cause: Cause<'_>) -> Result<Order, Fault> {
    let Some(claim) = claim::store::lock(tx, id).await? else {
        return cancel_unclaimed(app, tx, id, cause).await;
    };
    let attempts = payment::store::lock_of(tx, id).await?;
    if claim.state == ClaimState::Closed || all_ended(attempts.iter().map(|one| one.state)) {
        let order = cancel(app, tx, id, cause).await?;
        if claim.state != ClaimState::Closed {
            claim::close(app, tx, id, cause.now).await?;
        }
        return Ok(order);
    }
    let (order, _) = advance::lock(tx, id, "").await?;
    if Event::Cancelled.next(order.state).is_none() {
        return Err(advance::wrong_state(&order, Event::Cancelled));
    }
    claim::close(app, tx, id, cause.now).await?;
    Ok(order)
}

async fn list_events(
    app: &App,
    ctx: Ctx,
    request: ListOrderEventsRequest,
) -> Result<ListOrderEventsResponse, Fault> {
    let id: OrderId = parse::id("order_id", &request.order_id)?;
    let page = page::Request::<i64>::parse(
        request.page_size,
        &request.page_token,
        limits::PAGE,
        id.to_string().as_bytes(),
    )?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    orders::find(&mut tx, id).await?.ok_or_else(|| Fault::not_found("order"))?;
    let entries = history::list(&mut tx, id, page.after, page.fetch()).await?;
    let page = page.page(entries, |entry| entry.seq);
    Ok(ListOrderEventsResponse {
        events: page.items.into_iter().map(show_entry).collect(),
        next_page_token: page.next_token,
    })
}

async fn set_policy(
    app: &App,
    ctx: Ctx,
    request: SetCheckoutPolicyRequest,
) -> Result<SetCheckoutPolicyResponse, Fault> {
    let given = request.policy.unwrap_or_default();
    if (given.points_per > 0) != (given.points_minor > 0) {
        return Err(Fault::field(
            "policy.points_minor",
            "stands together with points_per or not at all",
        ));
    }
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    store::save_policy(&mut tx, &given.encode_to_vec(), ctx.now).await?;
    let policy = policy::read(&mut tx).await?;
    tx.commit().await?;
    Ok(SetCheckoutPolicyResponse { policy: Some(policy) })
}

/// An order that was placed here and how it came about; on wish its price is computed anew.
async fn read(
    tx: &mut Tx,
    id: OrderId,
    confirm: bool,
) -> Result<(proto::Order, proto::Checkout), Fault> {
    let order = orders::find(tx, id).await?.ok_or_else(|| Fault::not_found("order"))?;
    let checkout = store::find(tx, id).await?.ok_or_else(|| Fault::not_found("order"))?;
    let lines = orders::lines(tx, id).await?;
    let tenders = tender::store::of_order(tx, id).await?;
    let kept = PriceSnapshot::decode(checkout.snapshot.as_slice()).map_err(Fault::internal)?;
    let price_confirmed = confirm && snapshot::is_confirmed(&kept)?;
    let presentment = fx::store::presentment(tx, id).await?;
    let mut shown = show_order(&order);
    shown.lines = lines.into_iter().map(|line| show_line(line, &order)).collect();
    let presentment = presentment.as_ref().map(fx::rpc::show);
    let checkout = show(&order, &checkout, kept, &tenders, price_confirmed);
    Ok((shown, proto::Checkout { presentment, ..checkout }))
}

/// An order that was placed just now, as [`read`] would find it.
fn show_fresh(fresh: Fresh) -> (proto::Order, proto::Checkout) {
    let Fresh { order, lines, checkout, snapshot } = fresh;
    let mut shown = show_order(&order);
    shown.lines = lines.into_iter().map(|line| show_line(line, &order)).collect();
    (shown, show(&order, &checkout, snapshot, &[], false))
}

fn show(
    order: &Order,
    checkout: &Checkout,
    kept: PriceSnapshot,
    tenders: &[Tender],
    price_confirmed: bool,
) -> proto::Checkout {
    let currency = order.currency.0.code();
    let money = |minor_units| Some(Money { currency_code: currency.to_owned(), minor_units });
    let method = match checkout.delivery_method {
        Delivery::Parcel => proto::DeliveryMethod::Parcel,
        Delivery::PickUp => proto::DeliveryMethod::PickUp,
        Delivery::Local => proto::DeliveryMethod::Local,
    };
    proto::Checkout {
        order_id: checkout.order_id.to_string(),
        list: money(checkout.list_minor),
        payable: money(checkout.payable_minor),
        shipping: money(checkout.shipping_minor),
        cash: money(checkout.cash_minor),
        lines: kept.priced,
        rows: kept.rows,
        coupon_ids: kept.used_coupon_ids,
        tenders: tenders.iter().map(show_tender).collect(),
        pay_deadline_time: Some(parse::timestamp(checkout.pay_deadline)),
        delivery_method: method.into(),
        price_confirmed,
        presentment: None,
    }
}

fn show_tender(tender: &Tender) -> proto::Tender {
    let (kind, hold) = match tender.kind {
        Kind::Value => {
            let id = |hold| siyu_kernel::Id::<siyu_kernel::kind::ValuePayment>::from_uuid(hold);
            (proto::TenderKind::Value, tender.hold_id.map(|hold| id(hold).to_string()))
        }
        Kind::Points => {
            let id = |hold| siyu_kernel::Id::<siyu_kernel::kind::Transfer>::from_uuid(hold);
            (proto::TenderKind::Points, tender.hold_id.map(|hold| id(hold).to_string()))
        }
    };
    proto::Tender {
        kind: kind.into(),
        state: tender.state.show().into(),
        amount_minor: tender.amount_minor,
        points: tender.points,
        hold_id: hold.unwrap_or_default(),
        failure: tender.failure.clone(),
    }
}

fn show_entry(entry: Entry) -> OrderEvent {
    OrderEvent {
        sequence: entry.seq,
        event: entry.event,
        from_state: entry.from_state.map_or(proto::OrderState::Unspecified, Into::into).into(),
        to_state: proto::OrderState::from(entry.to_state).into(),
        actor: entry.actor,
        reason: entry.reason,
        occur_time: Some(parse::timestamp(entry.occurred_at)),
    }
}
