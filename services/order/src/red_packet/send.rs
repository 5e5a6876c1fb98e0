//! Reserves and creates packets.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use prost::Message;
use siyu_grpc::{Ctx, parse};
use siyu_kernel::{Code, Fault, Id, LocalDay};
use siyu_pg::{Tx, replay};
use siyu_proto::order::v1::{
    GetRedPacketRequest, RedPacketPolicy, SendRedPacketRequest, SendRedPacketResponse,
};

use super::{
    domain::{Packet, PacketId, State, effective},
    job, rpc,
    store::{
        self,
        limit::{self, Limit},
    },
};
use crate::{App, buyer, limits, refund::rewards};

const SEND: &str = "siyu.order.v1.RedPacketService/SendRedPacket";

/// Reserves and creates a packet, then sends it; a repeat finds it.
pub(super) async fn send(
    app: &App,
    ctx: Ctx,
    request: SendRedPacketRequest,
) -> Result<SendRedPacketResponse, Fault> {
    let merchant = ctx.merchant()?;
    let id = create(app, &ctx, &request).await?;
    // It stands: whatever the provider says, or does not say, a repeat or the job goes on from here.
    if let Err(fault) = job::step(app, merchant, id).await {
        tracing::warn!(red_packet_id = %id, reason = fault.reason(), "a red packet has to wait");
    }
    let mut tx = app.db.tenant_lookup(merchant).await?;
    let packet = store::find(&mut tx, id).await?;
    let packet = packet.ok_or_else(|| Fault::internal("a red packet has gone"))?;
    Ok(SendRedPacketResponse { red_packet: Some(rpc::show(&packet)) })
}

async fn create(app: &App, ctx: &Ctx, request: &SendRedPacketRequest) -> Result<PacketId, Fault> {
    let asked = parse::id("person_id", &request.person_id)?;
    let order_id = parse::optional_id("order_id", &request.order_id)?;
    let zone = app.directory.known(ctx, &BTreeSet::new()).await?.zone;
    let person_id = app.directory.person(ctx, asked).await?;
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    // What is kept for repeats is which packet it was; what became of it is read anew.
    let known: Option<GetRedPacketRequest> =
        replay::find(&mut tx, SEND, &request.request_id, request).await?;
    if let Some(known) = known {
        return parse::id("red_packet_id", &known.red_packet_id).map_err(Fault::internal);
    }
    let person_id = buyer::leads(&mut tx, person_id).await?;
    if let Some(id) = order_id {
        // Before the budget: a refund of the order takes the budget when it has the order.
        if rewards::lock_giver(&mut tx, id).await?.person_id != person_id {
            return Err(Fault::not_found("order"));
        }
    }
    let policy = policy(&mut tx).await?;
    check(&policy, request)?;
    let packet = Packet {
        id: Id::from_uuid(app.ids.uuid()),
        person_id,
        order_id,
        employee: request.employee.clone(),
        approved_by: request.approved_by.clone(),
        wishing: request.wishing.clone(),
        budget_code: request.budget_code.clone(),
        amount_minor: request.amount_minor,
        day: zone.day(ctx.now).date(),
        state: State::Created,
        channel_no: String::new(),
        failure: String::new(),
        created_at: ctx.now,
        sent_at: None,
        received_at: None,
        refunded_at: None,
        attempts: 0,
    };
    reserve(&mut tx, &packet, &policy).await?;
    store::insert(&mut tx, &packet, ctx.now + limits::TENDER_HEAD_START).await?;
    let reply = GetRedPacketRequest { red_packet_id: packet.id.to_string() };
    replay::keep(&mut tx, SEND, &request.request_id, &reply).await?;
    tx.commit().await?;
    Ok(packet.id)
}

/// The limits in force.
pub(super) async fn policy(tx: &mut Tx) -> Result<RedPacketPolicy, Fault> {
    let stored = limit::policy(tx).await?;
    let stored = stored.map(|bytes| RedPacketPolicy::decode(bytes.as_slice())).transpose();
    Ok(effective(stored.map_err(Fault::internal)?.unwrap_or_default()))
}

fn check(policy: &RedPacketPolicy, request: &SendRedPacketRequest) -> Result<(), Fault> {
    let (min, max) = (policy.min_minor, policy.max_minor);
    if !(min..=max).contains(&request.amount_minor) {
        return Err(Fault::field("amount_minor", format!("may be {min} to {max}")));
    }
    if !request.approved_by.is_empty() && request.approved_by == request.employee {
        return Err(Fault::field("approved_by", "is the one who sends it"));
    }
    let is_bare = request.order_id.is_empty() && request.approved_by.is_empty();
    if policy.approval_above_minor > 0
        && request.amount_minor > policy.approval_above_minor
        && is_bare
    {
        let message = "so much needs an order or an approval";
        return Err(Fault::new(Code::FailedPrecondition, "RED_PACKET_NEEDS_APPROVAL", message));
    }
    Ok(())
}

/// What a packet counts for, always in the same order. Without a bound it is counted all the same, so that one that is set
/// later finds what was sent.
pub(super) fn limits_of(packet: &Packet, policy: &RedPacketPolicy) -> Vec<Limit> {
    let unbounded = |minor: i64| if minor == 0 { i64::MAX / 2 } else { minor };
    let bound = |kind, key: String, day: NaiveDate, packets_max, minor| Limit {
        kind,
        key,
        day,
        packets_max,
        minor_max: unbounded(minor),
    };
    let mut bounds = Vec::new();
    if !packet.employee.is_empty() {
        let minor = policy.per_employee_day_minor;
        bounds.push(bound("employee", packet.employee.clone(), packet.day, i32::MAX, minor));
    }
    if let Some(order) = packet.order_id {
        let always = LocalDay(0).date();
        let (count, minor) = (limits::ORDER_REWARDS_MAX, policy.per_order_minor);
        bounds.push(bound("order", order.to_string(), always, count, minor));
    }
    let (count, minor) = (policy.per_person_day_count, policy.per_person_day_minor);
    bounds.push(bound("person", packet.person_id.to_string(), packet.day, count, minor));
    bounds
}

/// Reserves the budget and counts for every limit, or refuses (rule 87).
async fn reserve(tx: &mut Tx, packet: &Packet, policy: &RedPacketPolicy) -> Result<(), Fault> {
    let refused = |reason, message: String| Fault::new(Code::FailedPrecondition, reason, message);
    if !limit::has_budget(tx, &packet.budget_code).await? {
        return Err(Fault::not_found("red packet budget"));
    }
    if !limit::reserve(tx, &packet.budget_code, packet.amount_minor).await? {
        let message = "there is not so much left in the budget".to_owned();
        return Err(refused("RED_PACKET_BUDGET_SPENT", message));
    }
    for limit in limits_of(packet, policy) {
        if !limit::count(tx, &limit, packet.amount_minor).await? {
            let message = format!("it is more than the limit of the {} allows", limit.kind);
            return Err(refused("RED_PACKET_LIMIT_REACHED", message).with("limit", limit.kind));
        }
    }
    Ok(())
}
