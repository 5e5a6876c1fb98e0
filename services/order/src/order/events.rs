//! What orders publish: always the whole order as of a revision.

use chrono::{DateTime, Utc};
use siyu_events::NewEvent;
use siyu_grpc::parse;
use siyu_proto::order::v1::{
    self as proto, LineFacts, OrderFacts, OrderPaid, OrderRevised, OrderVoided,
};
use uuid::Uuid;

use super::domain::{Fact, Line, Order};
use crate::attribution::{self, store::Click};

/// The event that tells a fact of an order, and of the click that it came from.
pub fn of(
    fact: Fact,
    (order, live): (&Order, Option<&Click>),
    lines: &[Line],
    id: Uuid,
    at: DateTime<Utc>,
) -> NewEvent {
    let facts = Some(OrderFacts { live: live.map(attribution::rpc::live), ..facts(order, lines) });
    let subject = &order.id;
    match fact {
        Fact::Paid => NewEvent::of(id, subject, at, &OrderPaid { facts }),
        Fact::Revised => NewEvent::of(id, subject, at, &OrderRevised { facts }),
        Fact::Voided => NewEvent::of(id, subject, at, &OrderVoided { facts }),
    }
}

fn facts(order: &Order, lines: &[Line]) -> OrderFacts {
    OrderFacts {
        order_id: order.id.to_string(),
        revision: order.revision,
        person_id: order.person_id.to_string(),
        platform: order.platform.clone(),
        shop_id: order.shop_id.clone(),
        state: proto::OrderState::from(order.state).into(),
        domain: proto::Domain::from(order.domain).into(),
        channel: order.channel.clone(),
        store_id: order.store_id.map(|id| id.to_string()).unwrap_or_default(),
        pay_time: order.paid_at.map(parse::timestamp),
        currency_code: order.currency.0.code().to_owned(),
        paid_minor: order.paid_minor,
        quantity: order.quantity,
        lines: lines.iter().map(line).collect(),
        imported: !order.is_own(),
        place_time: order.is_own().then(|| parse::timestamp(order.created_at)),
        live: None,
    }
}

fn line(line: &Line) -> LineFacts {
    LineFacts {
        line_no: line.line_no,
        sku: line.sku.clone(),
        category: line.category.clone(),
        quantity: line.quantity,
        paid_minor: line.paid_minor,
    }
}
