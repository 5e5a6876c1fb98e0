//! What an import publishes.

use siyu_events::NewEvent;
use siyu_grpc::Ctx;
use siyu_proto::order::v1::{
    self as proto, LineFacts, OrderFacts, OrderPaid, OrderRevised, OrderVoided,
};
use uuid::Uuid;

use super::domain::{Change, Fact};
use crate::order::domain::Line;

/// The fact that a change makes true, if it makes one.
pub fn of(change: &Change, id: Uuid, ctx: &Ctx) -> Option<NewEvent> {
    let facts = Some(facts(change));
    let subject = &change.order.id;
    Some(match change.fact? {
        Fact::Paid => NewEvent::of(id, subject, ctx.now, &OrderPaid { facts }),
        Fact::Revised => NewEvent::of(id, subject, ctx.now, &OrderRevised { facts }),
        Fact::Voided => NewEvent::of(id, subject, ctx.now, &OrderVoided { facts }),
    })
}

fn facts(change: &Change) -> OrderFacts {
    let order = &change.order;
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
        pay_time: order.paid_at.map(siyu_grpc::parse::timestamp),
        currency_code: order.currency.0.code().to_owned(),
        paid_minor: order.paid_minor,
        quantity: order.quantity,
        lines: change.lines.iter().map(line).collect(),
        imported: true,
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
