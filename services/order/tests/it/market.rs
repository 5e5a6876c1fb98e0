//! A shop with several buyers, each with a card that pays: for orders of activities.

use std::{
    ops::Deref,
    sync::atomic::{AtomicUsize, Ordering},
};

use prost_types::Timestamp;
use siyu_kernel::{Fault, kind};
use siyu_proto::order::v1::{place_order_request::Activity, *};
use siyu_testkit::{id, merchant};

use crate::{checkouts::Buyer, world::NOW};

/// The first buyer of the shop, with others.
pub(crate) struct Market {
    buyer: Buyer,
    persons: Vec<String>,
    carts: AtomicUsize,
}

impl Deref for Market {
    type Target = Buyer;
    fn deref(&self) -> &Buyer {
        &self.buyer
    }
}

/// The day of the clock, and the next.
pub(crate) fn days() -> (Option<Timestamp>, Option<Timestamp>) {
    let stamp = |seconds| Some(Timestamp { seconds, nanos: 0 });
    (stamp(NOW), stamp(NOW + 2 * 86_400))
}

impl Market {
    pub(crate) async fn new(persons: u32) -> Self {
        let buyer = Buyer::new().await;
        let persons = (1..=persons).map(|n| buyer.world.member.meet(merchant(1), n)).collect();
        Self { buyer, persons, carts: AtomicUsize::new(0) }
    }

    /// The `n`-th person, from 1.
    pub(crate) fn person(&self, n: usize) -> &str {
        &self.persons[n - 1]
    }

    /// Another cart of the `n`-th person, who pays nothing yet.
    pub(crate) fn cart_of(&self, n: usize, sku: &str, activity: Activity) -> PlaceOrderRequest {
        PlaceOrderRequest {
            request_id: format!("cart {}", self.carts.fetch_add(1, Ordering::Relaxed)),
            person_id: self.person(n).into(),
            lines: vec![CartLine { sku: sku.into(), quantity: 1 }],
            activity: Some(activity),
            ..PlaceOrderRequest::default()
        }
    }

    /// The same cart, paid by a card of the person's: so many minor units, which the card has.
    pub(crate) fn paying(
        &self,
        n: usize,
        cart: PlaceOrderRequest,
        minor: i64,
    ) -> PlaceOrderRequest {
        let card = id::<kind::ValueCard>(u32::try_from(n).unwrap()).to_string();
        self.world.member.give(&card, minor);
        let tender = ValueTender { card_id: card, amount_minor: minor };
        PlaceOrderRequest { value_tenders: vec![tender], ..cart }
    }

    pub(crate) async fn order(&self, cart: PlaceOrderRequest) -> Result<Order, Fault> {
        Ok(self.place(cart).await?.order.unwrap())
    }

    pub(crate) async fn state(&self, order_id: &str) -> OrderState {
        self.world.get(1, order_id).await.unwrap().state()
    }
}

pub(crate) fn reason<T: std::fmt::Debug>(refused: Result<T, Fault>) -> &'static str {
    refused.unwrap_err().reason()
}
