//! A shop whose buyers are charged in another currency than the merchant's.

use std::ops::Deref;

use chrono::TimeDelta;
use siyu_proto::{
    order::v1::{provider_account::With, *},
    r#type::v1::Money,
};
use siyu_testkit::merchant;

use crate::{
    catalogue::{item, upsert},
    checkouts::Buyer,
    fx::rate,
    reconciliation::DAY,
    wechat::accounts,
    world::World,
};

/// A merchant whose currency is the dollar sells a scarf for 19.99, before the sandbox, `box`, and a till, `till`.
pub(crate) struct Abroad(Buyer);

impl Deref for Abroad {
    type Target = Buyer;
    fn deref(&self) -> &Buyer {
        &self.0
    }
}

#[expect(clippy::unnecessary_wraps, reason = "a message field is an Option")]
pub(crate) fn money(code: &str, minor_units: i64) -> Option<Money> {
    Some(Money { currency_code: code.into(), minor_units })
}

impl Abroad {
    pub(crate) async fn open() -> Self {
        Self::of(World::new().await).await
    }

    pub(crate) async fn of(world: World) -> Self {
        world.member.settle_in(merchant(1), "USD");
        let person = world.member.meet(merchant(1), 1);
        let mut scarf = item("scarf", &[("scarf", 1)]);
        scarf.skus[0].price = money("USD", 1_999);
        scarf.skus[0].stock_kept = Some(false);
        upsert(&world, 1, &[scarf]).await.unwrap();
        let account = |code: &str, with| ProviderAccount {
            code: code.into(),
            name: code.into(),
            paused: false,
            with: Some(with),
        };
        let till = account("till", With::Offline(OfflineAccount {}));
        let sandbox = account("box", With::Sandbox(SandboxAccount {}));
        accounts::save(&world, &[till, sandbox]).await.unwrap();
        let abroad = Self(Buyer { world, person });
        abroad.rate("JPY", "149.735").await;
        abroad
    }

    pub(crate) async fn rate(&self, code: &str, of: &str) {
        let request = UpsertFxRatesRequest { rates: vec![rate(code, of, 0)] };
        self.world.rates(1).upsert_fx_rates(request).await.unwrap();
    }

    /// A scarf for somebody who sees and pays another currency.
    pub(crate) fn scarf(&self, key: &str, code: &str) -> PlaceOrderRequest {
        PlaceOrderRequest {
            lines: vec![CartLine { sku: "scarf".into(), quantity: 1 }],
            presentment_currency_code: code.into(),
            ..self.cart(key)
        }
    }

    /// The id of an order that waits for its payment.
    pub(crate) async fn waits(&self, cart: PlaceOrderRequest) -> String {
        self.place(cart).await.unwrap().order.unwrap().id
    }

    pub(crate) async fn claim(&self, order_id: &str) -> PaymentClaim {
        let request = GetPaymentClaimRequest { order_id: order_id.into() };
        let reply = self.world.payments(1).get_payment_claim(request).await.unwrap();
        reply.into_inner().claim.unwrap()
    }

    pub(crate) async fn kept(&self, order_id: &str) -> Payment {
        self.payment_of(&self.claim(order_id).await.payment_id).await
    }

    pub(crate) async fn payment_of(&self, id: &str) -> Payment {
        let request = GetPaymentRequest { payment_id: id.into() };
        self.world.payments(1).get_payment(request).await.unwrap().into_inner().payment.unwrap()
    }

    pub(crate) async fn simulate(&self, payment: &Payment, act: SandboxAct) {
        let payment_id = payment.id.clone();
        let request = SimulatePaymentRequest { payment_id, act: act.into(), ..Default::default() };
        self.world.payments(1).simulate_payment(request).await.unwrap();
    }

    /// Refunds one after the other; gives how each ended.
    pub(crate) async fn back(&self, order_id: &str, asks: &[RefundAsk]) -> Vec<RefundState> {
        let mut states = Vec::new();
        for (n, ask) in (1..).zip(asks) {
            let refund = self.refund(&format!("r{n}"), order_id, ask.clone()).await.unwrap();
            self.work().await;
            states.push(self.look(&refund).await.state());
            self.books().await;
        }
        states
    }

    pub(crate) async fn reconcile(&self) -> StatementDay {
        self.world.clock.advance(TimeDelta::days(1));
        let request = ImportStatementRequest {
            account_code: "box".into(),
            day: DAY.into(),
            fetch: true,
            ..Default::default()
        };
        let reply = self.world.reconciliation(1).import_statement(request).await.unwrap();
        reply.into_inner().day.unwrap()
    }

    pub(crate) async fn owner(&self, sql: &'static str) {
        let mut owner = self.world.database.owner().await;
        sqlx::query(sql).execute(&mut owner).await.unwrap();
    }
}

/// What a payment gave back, or is to give.
pub(crate) fn given(payment: &Payment) -> Vec<Option<Money>> {
    payment.refunds.iter().map(|refund| refund.amount.clone()).collect()
}
