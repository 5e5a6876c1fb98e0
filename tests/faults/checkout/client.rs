//! What a client does with one checkout. Everything follows from the seed and the number, but for what the kills do.

use std::time::{Duration, Instant};

use futures::future::join;
use siyu_kernel::Fault;
use siyu_proto::order::v1::{
    CancelOrderRequest, CartLine, GetOrderRequest, OrderState, Payment, PaymentMethod,
    PlaceOrderRequest, PlaceOrderResponse, Refund, RefundAsk, RefundLine, RequestRefundRequest,
    SandboxAct, SimulatePaymentRequest, StartPaymentRequest, ValueTender,
};
use siyu_runtime::{jitter, pause};
use siyu_tests::support::{ACCOUNT, Buyer, Dice, GOODS, LIMIT, shuffle};

use super::call::Line;

/// How often a client looks whether its payment has arrived.
const LOOK: Duration = Duration::from_secs(1);

/// All clients.
pub(crate) struct Clients<'a> {
    pub(crate) line: &'a Line,
    pub(crate) buyers: &'a [Buyer],
    pub(crate) seed: u64,
    pub(crate) checkouts: u64,
}

/// What a client was told in the end.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// The order; empty when it was refused.
    pub(crate) order_id: String,
    /// Why it was refused.
    pub(crate) refused: String,
    /// The buyer paid all that was asked for, and that was acknowledged.
    pub(crate) paid: bool,
    /// The order was cancelled, and that was acknowledged.
    pub(crate) cancelled: bool,
    /// The refunds that were acknowledged.
    pub(crate) refunds: Vec<String>,
    /// One of them was the whole rest.
    pub(crate) whole: bool,
}

/// What is done with an order that was placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Plan {
    Leave,
    Cancel,
    PayOrCancel,
    PaySilently,
    Pay,
    GiveBack,
    GiveBackInParts,
}

impl Clients<'_> {
    /// One checkout from its cart to its end.
    pub(crate) async fn checkout(&self, n: u64) -> Told {
        let mut dice = Dice::new(self.seed.wrapping_add(n.wrapping_mul(0x9e37_79b9)));
        let request = self.cart(n, &mut dice);
        let placed = match self.place(&request, &mut dice).await {
            Ok(placed) => placed,
            Err(refused) => {
                return Told { refused: refused.reason().to_owned(), ..Told::default() };
            }
        };
        let order_id = placed.order.as_ref().unwrap().id.clone();
        let cash = placed.checkout.unwrap().cash.unwrap().minor_units;
        let mut told = Told { order_id: order_id.clone(), ..Told::default() };
        let plan = self.plan(n, &mut dice);
        match plan {
            Plan::Leave => return told,
            Plan::Cancel => {
                told.cancelled = self.cancel(&order_id).await;
                return told;
            }
            Plan::PayOrCancel => {
                let pay = self.pay(n, &order_id, cash, SandboxAct::Pay, &mut dice);
                (told.paid, told.cancelled) = join(pay, self.cancel(&order_id)).await;
                return told;
            }
            Plan::PaySilently => {
                let act = SandboxAct::PaySilently;
                told.paid = self.pay(n, &order_id, cash, act, &mut dice).await;
                return told;
            }
            Plan::Pay | Plan::GiveBack | Plan::GiveBackInParts => {
                told.paid = self.pay(n, &order_id, cash, SandboxAct::Pay, &mut dice).await;
            }
        }
        if plan != Plan::Pay && told.paid && self.is_paid(&order_id).await {
            if plan == Plan::GiveBackInParts {
                self.give_back_parts(n, &request, &mut told, &mut dice).await;
            }
            if plan == Plan::GiveBack || dice.percent(60) {
                let ask = RefundAsk { whole: true, ..RefundAsk::default() };
                let whole = self.give_back(&format!("{n} whole"), &order_id, ask, &mut dice).await;
                told.whole = whole.is_some();
                told.refunds.extend(whole);
            }
        }
        told
    }

    /// What waits for a time, in the first part of the run alone, so that it is over soon after it.
    fn plan(&self, n: u64, dice: &mut Dice) -> Plan {
        let drawn = dice.below(100);
        match drawn {
            0..8 if n < self.checkouts / 3 => Plan::Leave,
            8..14 if n < self.checkouts / 3 => Plan::PaySilently,
            0..20 => Plan::Cancel,
            20..32 => Plan::PayOrCancel,
            32..55 => Plan::Pay,
            55..75 => Plan::GiveBack,
            _ => Plan::GiveBackInParts,
        }
    }

    fn cart(&self, n: u64, dice: &mut Dice) -> PlaceOrderRequest {
        let buyer = dice.pick(self.buyers);
        let mut goods = GOODS.to_vec();
        shuffle(&mut goods, dice.below(u64::MAX));
        goods.truncate(usize::try_from(dice.between(1, 3)).unwrap());
        let mut line =
            |(sku, _): (&str, i64)| CartLine { sku: sku.to_owned(), quantity: dice.between(1, 3) };
        let lines = goods.into_iter().map(&mut line).collect();
        let amount_minor = dice.between(1, 2_000);
        let tender = ValueTender { card_id: buyer.card_id.clone(), amount_minor };
        PlaceOrderRequest {
            request_id: format!("order {n}"),
            person_id: buyer.person_id.clone(),
            lines,
            shipping_minor: if dice.percent(50) { 800 } else { 0 },
            points_max: if dice.percent(60) { dice.between(1, 3_000) } else { 0 },
            value_tenders: if dice.percent(60) { vec![tender] } else { Vec::new() },
            ..PlaceOrderRequest::default()
        }
    }

    /// Places an order; now and then twice at the same moment, as an impatient client does.
    async fn place(
        &self,
        request: &PlaceOrderRequest,
        dice: &mut Dice,
    ) -> Result<PlaceOrderResponse, Fault> {
        let client = self.line.checkouts();
        let one = || self.line.ask(request, async |q| client.clone().place_order(q).await);
        if !dice.percent(10) {
            return one().await;
        }
        match join(one(), one()).await {
            (Ok(first), Ok(second)) => {
                let id = |placed: &PlaceOrderResponse| placed.order.as_ref().unwrap().id.clone();
                assert_eq!(id(&first), id(&second), "the same order twice is one");
                Ok(first)
            }
            // What was refused to the one call may be there for the other a moment later.
            (first, second) => first.or(second),
        }
    }

    async fn cancel(&self, order_id: &str) -> bool {
        let request =
            CancelOrderRequest { order_id: order_id.to_owned(), reason: "changed mind".to_owned() };
        let client = self.line.checkouts();
        self.line.ask(&request, async |q| client.clone().cancel_order(q).await).await.is_ok()
    }

    /// Pays the cash of an order; says whether that was acknowledged.
    async fn pay(
        &self,
        n: u64,
        order_id: &str,
        cash: i64,
        act: SandboxAct,
        dice: &mut Dice,
    ) -> bool {
        if cash == 0 {
            return true;
        }
        let request = StartPaymentRequest {
            request_id: format!("payment {n}"),
            order_id: order_id.to_owned(),
            account_code: ACCOUNT.to_owned(),
            method: PaymentMethod::Native.into(),
            description: "goods".to_owned(),
            payer_id: String::new(),
        };
        let client = self.line.payments();
        let start = || self.line.ask(&request, async |q| client.clone().start_payment(q).await);
        let Ok(started) = start().await else { return false };
        let payment = started.payment.unwrap();
        if dice.percent(10) {
            let again = start().await.ok().and_then(|again| again.payment);
            assert!(again.is_none_or(|again: Payment| again.id == payment.id));
        }
        if dice.percent(10) {
            let swallow = SimulatePaymentRequest {
                payment_id: payment.id.clone(),
                act: SandboxAct::SwallowAnswers.into(),
                answers: 2,
                ..Default::default()
            };
            let _ =
                self.line.ask(&swallow, async |q| client.clone().simulate_payment(q).await).await;
        }
        let request = SimulatePaymentRequest {
            payment_id: payment.id,
            act: act.into(),
            ..Default::default()
        };
        self.line.ask(&request, async |q| client.clone().simulate_payment(q).await).await.is_ok()
    }

    /// Waits until an order is no longer created; says whether it is paid.
    async fn is_paid(&self, order_id: &str) -> bool {
        let request = GetOrderRequest { order_id: order_id.to_owned() };
        let client = self.line.orders();
        let start = Instant::now();
        loop {
            let reply = self.line.ask(&request, async |q| client.clone().get_order(q).await).await;
            let state = reply.unwrap().order.unwrap().state();
            if state != OrderState::Created {
                return state == OrderState::Paid;
            }
            assert!(start.elapsed() < LIMIT, "{order_id} was paid and does not say so");
            pause(jitter(LOOK)).await;
        }
    }

    /// Gives pieces of some lines back, one refund after the other and without waiting for any.
    async fn give_back_parts(
        &self,
        n: u64,
        bought: &PlaceOrderRequest,
        told: &mut Told,
        dice: &mut Dice,
    ) {
        for (line_no, line) in (1..).zip(&bought.lines) {
            if dice.percent(70) {
                let quantity = dice.between(1, line.quantity);
                let line = RefundLine { line_no, quantity, amount_minor: 0 };
                let ask = RefundAsk { lines: vec![line], ..RefundAsk::default() };
                let key = format!("{n} line {line_no}");
                told.refunds.extend(self.give_back(&key, &told.order_id, ask, dice).await);
            }
        }
    }

    async fn give_back(
        &self,
        key: &str,
        order_id: &str,
        ask: RefundAsk,
        dice: &mut Dice,
    ) -> Option<String> {
        let request = RequestRefundRequest {
            request_id: format!("refund {key}"),
            order_id: order_id.to_owned(),
            ask: Some(ask),
            agreed: true,
            ..Default::default()
        };
        let client = self.line.refunds();
        let one = || self.line.ask(&request, async |q| client.clone().request_refund(q).await);
        let id = |refund: Option<Refund>| refund.map(|refund| refund.id);
        if !dice.percent(10) {
            return one().await.ok().and_then(|reply| id(reply.refund));
        }
        let (first, second) = join(one(), one()).await;
        let (first, second) = (first.ok(), second.ok());
        let (first, second) = (first.and_then(|r| id(r.refund)), second.and_then(|r| id(r.refund)));
        assert_eq!(first, second, "the same refund twice is one");
        first
    }
}
