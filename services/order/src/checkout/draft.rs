//! What a new order is made of. Pure.

use chrono::TimeDelta;
use prost::Message;
use siyu_grpc::{Ctx, parse};
use siyu_kernel::{Code, Currency, Fault, Id, Point, kind};
use siyu_proto::{
    member::v1::{HoldValueRequest, ValueCharge},
    order::v1::{self as proto, CheckoutPolicy, PlaceOrderRequest, PriceSnapshot, PriceStep},
};

use super::store::{Checkout, Delivery};
use crate::{
    condition::Sale,
    directory::Known,
    limits,
    order::domain::{CurrencyColumn, Domain, Line, OWN_PLATFORM, Order, OrderId, State},
    price::Quote,
    stock::{self, Demand},
    tender::domain::{Kind, State as TenderState, Tender},
};

/// Who buys, and what is known of the merchant.
#[derive(Clone, Copy)]
pub(super) struct Buyer<'a> {
    pub(super) person_id: Id<kind::Person>,
    pub(super) known: &'a Known,
    pub(super) sale: &'a Sale,
}

/// What an order is made of.
pub(super) struct Draft<'a> {
    pub(super) id: OrderId,
    pub(super) request: &'a PlaceOrderRequest,
    pub(super) buyer: Buyer<'a>,
    pub(super) policy: CheckoutPolicy,
    pub(super) quote: &'a Quote,
    pub(super) snapshot: &'a PriceSnapshot,
}

impl Draft<'_> {
    fn pay_window(&self) -> TimeDelta {
        TimeDelta::minutes(self.policy.pay_minutes.into())
    }

    pub(super) fn currency(&self) -> Currency {
        self.buyer.known.currency
    }

    /// What is to be held; refuses more than there is to pay.
    pub(super) fn tenders(&self, ctx: &Ctx) -> Result<Vec<Tender>, Fault> {
        let hold_until = ctx.now + self.pay_window() + limits::HOLD_GRACE;
        let tender = |kind, amount_minor, points, charges| Tender {
            order_id: self.id,
            kind,
            state: TenderState::Planned,
            amount_minor,
            points,
            charges,
            person_id: self.buyer.person_id,
            hold_id: None,
            capture_id: None,
            failure: String::new(),
            hold_until,
            attempts: 0,
        };
        let mut tenders = Vec::new();
        let charges = &self.request.value_tenders;
        let value = charges.iter().try_fold(0_i64, |sum, t| sum.checked_add(t.amount_minor));
        match value {
            Some(0) => {}
            Some(value) if value <= self.quote.payable => {
                let minutes = (self.pay_window() + limits::HOLD_GRACE).num_minutes();
                let hold = self.hold(minutes).encode_to_vec();
                tenders.push(tender(Kind::Value, value, 0, hold));
            }
            _ => {
                let message = format!("{} minor units are to be paid", self.quote.payable);
                let code = Code::FailedPrecondition;
                return Err(Fault::new(code, "TENDERS_EXCEED_PAYABLE", message)
                    .with("payable_minor", self.quote.payable));
            }
        }
        let step = i32::from(PriceStep::Points);
        let rows = self.snapshot.rows.iter().filter(|row| row.step == step);
        let off = rows.map(|row| row.amount_minor).sum();
        if self.quote.points > 0 {
            tenders.push(tender(Kind::Points, off, self.quote.points, Vec::new()));
        }
        Ok(tenders)
    }

    fn hold(&self, minutes: i64) -> HoldValueRequest {
        let charge = |tender: &proto::ValueTender| ValueCharge {
            card_id: tender.card_id.clone(),
            amount_minor: tender.amount_minor,
        };
        HoldValueRequest {
            charges: self.request.value_tenders.iter().map(charge).collect(),
            person_id: self.buyer.person_id.to_string(),
            order_reference: self.id.to_string(),
            store_id: self.store_id().map(|id| id.to_string()).unwrap_or_default(),
            hold_minutes: i32::try_from(minutes).expect("the policy is bounded"),
            ..Default::default()
        }
    }

    /// What it reserves of the stock: from the location that the request names, or else that of the
    /// merchant's rules; of the bucket of the channel.
    pub(super) fn demand(&self, ctx: &Ctx, channel: &str) -> Result<stock::Request, Fault> {
        let asked = &self.request.location_code;
        let location = if asked.is_empty() { &self.policy.location_code } else { asked };
        let lines = self.snapshot.lines.iter().filter(|line| line.stock_kept);
        if location.is_empty() && lines.clone().next().is_some() {
            let description =
                "is required: neither the order nor the checkout policy says where goods come from";
            return Err(Fault::field("location_code", description));
        }
        let demand = |line: &proto::SnapshotLine| Demand {
            line_no: line.line_no,
            key: stock::Key { sku: line.sku.clone(), location: location.clone() },
            channel: channel.to_owned(),
            quantity: line.quantity,
        };
        Ok(stock::Request {
            order_id: self.id,
            demands: lines.map(demand).collect(),
            expires_at: Some(ctx.now + self.pay_window()),
        })
    }

    fn store_id(&self) -> Option<Id<kind::Store>> {
        self.buyer.known.stores.get(&self.request.store_code).copied()
    }

    pub(super) fn checkout(
        &self,
        ctx: &Ctx,
        fingerprint: Vec<u8>,
        tenders: &[Tender],
    ) -> Result<Checkout, Fault> {
        let value = tenders.iter().filter(|tender| tender.kind == Kind::Value);
        let cash_minor = self.quote.payable - value.map(|tender| tender.amount_minor).sum::<i64>();
        let method = proto::DeliveryMethod::try_from(self.request.delivery_method)
            .map_err(|_| Fault::field("delivery_method", "is not a known value"))?;
        let destination = self.request.destination.as_ref();
        let destination = destination.map(|point| parse::point("destination", point));
        let destination = destination.transpose()?.flatten();
        Ok(Checkout {
            order_id: self.id,
            request_id: self.request.request_id.clone(),
            fingerprint,
            snapshot: self.snapshot.encode_to_vec(),
            list_minor: self.quote.list,
            payable_minor: self.quote.payable,
            shipping_minor: self.quote.shipping,
            cash_minor,
            delivery_method: Delivery::of_proto(method),
            latitude_e6: destination.map(Point::latitude_e6),
            longitude_e6: destination.map(Point::longitude_e6),
            open: true,
            pay_deadline: ctx.now + self.pay_window(),
            confirm_days: self.policy.confirm_days,
            after_sale_days: self.policy.after_sale_days,
        })
    }

    pub(super) fn order(&self, ctx: &Ctx) -> (Order, Vec<Line>) {
        let line = |(line, priced): (&proto::SnapshotLine, &proto::PricedLine)| Line {
            line_no: line.line_no,
            sku: line.sku.clone(),
            category: line.categories.first().cloned().unwrap_or_default(),
            quantity: line.quantity,
            paid_minor: priced.payable_minor,
            version: ctx.now,
        };
        let lines: Vec<Line> =
            self.snapshot.lines.iter().zip(&self.snapshot.priced).map(line).collect();
        let order = Order {
            id: self.id,
            platform: OWN_PLATFORM.to_owned(),
            shop_id: self.request.store_code.clone(),
            platform_order_no: self.id.to_string(),
            person_id: self.buyer.person_id,
            state: State::Created,
            domain: Domain::Private,
            channel: self.request.channel.clone(),
            store_id: self.store_id(),
            paid_at: None,
            paid_version: None,
            currency: CurrencyColumn(self.currency()),
            paid_minor: lines.iter().map(|line| line.paid_minor).sum(),
            subsidy_minor: 0,
            quantity: lines.iter().map(|line| line.quantity).sum(),
            revision: 1,
            version: ctx.now,
            told: false,
            created_at: ctx.now,
        };
        (order, lines)
    }
}

impl Delivery {
    const fn of_proto(method: proto::DeliveryMethod) -> Self {
        match method {
            proto::DeliveryMethod::Unspecified | proto::DeliveryMethod::Parcel => Self::Parcel,
            proto::DeliveryMethod::PickUp => Self::PickUp,
            proto::DeliveryMethod::Local => Self::Local,
        }
    }
}
