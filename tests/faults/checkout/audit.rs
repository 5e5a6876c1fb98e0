//! What there is in the end, and that it is what clients were told: every acknowledged call is there, none twice, and nothing
//! is left half done.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};

use futures::{StreamExt, stream};
use siyu_proto::order::v1::{
    Checkout, GetCheckoutRequest, GetOrderRequest, GetPaymentRequest, ListOrdersRequest,
    ListPaymentsRequest, ListRefundsRequest, Order, OrderState, Payment, PaymentRefundState,
    PaymentState, Refund, RefundState, TenderState,
};
use siyu_tests::support::{Shop, run_until_idle, until};

use super::{call::Line, client::Told, say};

/// How long what a kill left is waited for: longer than what is leased stays leased, and two of the longest pauses, ten minutes
/// each, that something takes which kills have kept from coming off again and again.
const SETTLES: Duration = Duration::from_mins(25);
const READERS: usize = 16;

/// Everything that there is.
pub(crate) struct Found {
    pub(crate) orders: Vec<(Order, Checkout)>,
    pub(crate) refunds: Vec<Refund>,
    pub(crate) payments: Vec<Payment>,
    pub(crate) refused: usize,
}

/// Waits until nothing is under way any more, and holds what there is against what clients were told.
pub(crate) async fn settled(shop: &Shop, line: &Line, told: &[Told]) -> Found {
    let mut last = String::new();
    until(
        "every payment and refund has ended, and every order was paid or not",
        SETTLES,
        async || {
            let Some(open) = unsettled(line).await else { return Some(()) };
            if open != last {
                say(&format!("not settled: {open}"));
                last = open;
            }
            None
        },
    )
    .await;
    let ids: Vec<String> = orders(line, OrderState::Unspecified).await;
    let found = until("everything that was held is taken or free", SETTLES, async || {
        let orders = read_all(line, &ids).await;
        let ended = |checkout: &Checkout| checkout.tenders.iter().all(|t| is_end(t.state()));
        orders.iter().all(|(_, checkout)| ended(checkout)).then_some(orders)
    })
    .await;
    run_until_idle(&shop.merchant.place).await;
    let refunds = refunds(line, RefundState::Unspecified).await;
    let payments = read_payments(line).await;
    let refused = told.iter().filter(|told| told.refused == "TENDER_REFUSED").count();
    let found = Found { orders: found, refunds, payments, refused };
    found.has_what_was_told(told);
    found.has_no_half();
    found
}

/// What is under way, the first of it; none: nothing.
async fn unsettled(line: &Line) -> Option<String> {
    let some = |what: &str, ids: Vec<String>| {
        let first = ids.first()?;
        Some(format!("{} {what}, {first} among them", ids.len()))
    };
    let ids = |refunds: Vec<Refund>| refunds.into_iter().map(|refund| refund.id).collect();
    let found = some("orders are created", orders(line, OrderState::Created).await)
        .or(some("refunds are under way", ids(refunds(line, RefundState::Processing).await)));
    if found.is_some() {
        return found;
    }
    let ids = |payments: Vec<Payment>| payments.into_iter().map(|payment| payment.id).collect();
    for state in [PaymentState::Created, PaymentState::Pending, PaymentState::Closing] {
        let found = some(&format!("payments are {state:?}"), ids(payments(line, state).await));
        if found.is_some() {
            return found;
        }
    }
    // What goes back by itself.
    let mut going = Vec::new();
    for payment in payments(line, PaymentState::Surplus).await {
        if read_payment(line, &payment.id).await.refunds.iter().any(|back| !is_back(back.state())) {
            going.push(payment.id);
        }
    }
    some("payments are going back", going)
}

fn is_back(state: PaymentRefundState) -> bool {
    state == PaymentRefundState::Succeeded
}

/// A tender that nothing more happens to. One that could not be taken or freed is a fault.
fn is_end(state: TenderState) -> bool {
    assert_ne!(state, TenderState::Stuck, "a tender is stuck");
    matches!(state, TenderState::Captured | TenderState::Voided)
}

impl Found {
    /// Each acknowledged call has had its effect, once.
    fn has_what_was_told(&self, told: &[Told]) {
        let states: HashMap<&str, OrderState> =
            self.orders.iter().map(|(order, _)| (order.id.as_str(), order.state())).collect();
        let known: BTreeSet<&str> =
            told.iter().map(|told| told.order_id.as_str()).filter(|id| !id.is_empty()).collect();
        let placed = told.iter().filter(|told| !told.order_id.is_empty()).count();
        assert_eq!(known.len(), placed, "no two checkouts have one order");
        for one in told.iter().filter(|told| !told.order_id.is_empty()) {
            let state = states.get(one.order_id.as_str());
            let state = state.unwrap_or_else(|| panic!("an acknowledged order is gone: {one:?}"));
            self.is_due(one, *state);
        }
        // What nobody was told of are orders whose tenders were refused: each one time, and ended.
        let others: Vec<_> = states.iter().filter(|(id, _)| !known.contains(*id)).collect();
        assert_eq!(others.len(), self.refused, "{others:?}");
        assert!(others.iter().all(|(_, state)| **state == OrderState::Cancelled), "{others:?}");
        let refunds: BTreeMap<&str, RefundState> =
            self.refunds.iter().map(|refund| (refund.id.as_str(), refund.state())).collect();
        let asked: BTreeSet<&str> =
            told.iter().flat_map(|told| &told.refunds).map(String::as_str).collect();
        let had: BTreeSet<&str> = refunds.keys().copied().collect();
        assert_eq!(asked, had, "the refunds are those that were acknowledged");
        let failed: Vec<_> =
            refunds.iter().filter(|(_, state)| **state != RefundState::Succeeded).collect();
        assert!(failed.is_empty(), "{failed:?}");
    }

    /// An order is where its client left it.
    fn is_due(&self, told: &Told, state: OrderState) {
        let gave_back = self.of_order(&told.order_id, PaymentState::Surplus).count();
        let legal = match state {
            OrderState::Refunded => told.whole || !told.refunds.is_empty(),
            OrderState::Paid => !told.whole,
            // Too late, or cancelled: whatever was paid went back.
            OrderState::Cancelled => {
                told.refunds.is_empty() && (!told.paid || told.cancelled || gave_back > 0)
            }
            OrderState::Unspecified
            | OrderState::Created
            | OrderState::GroupPending
            | OrderState::Accepted
            | OrderState::ReadyForPickup
            | OrderState::Delivering
            | OrderState::Shipped
            | OrderState::PickedUp
            | OrderState::Delivered
            | OrderState::Signed
            | OrderState::Completed
            | OrderState::Closed => false,
        };
        assert!(legal, "{told:?} is {state:?}");
        if told.cancelled && !told.paid {
            assert_eq!(state, OrderState::Cancelled, "{told:?}");
        }
    }

    /// Payments and orders agree: what is paid was paid once, what ended unpaid has no money.
    fn has_no_half(&self) {
        for (order, checkout) in &self.orders {
            let cash = checkout.cash.as_ref().unwrap().minor_units;
            let kept: Vec<&Payment> = self.of_order(&order.id, PaymentState::Succeeded).collect();
            let taken = checkout.tenders.iter().all(|t| t.state() == TenderState::Captured);
            let freed = checkout.tenders.iter().all(|t| t.state() == TenderState::Voided);
            if order.state() == OrderState::Cancelled {
                assert!(kept.is_empty() && freed, "{order:?} {checkout:?} {kept:?}");
                continue;
            }
            assert!(taken, "{order:?} {checkout:?}");
            assert_eq!(kept.len(), usize::from(cash > 0), "{order:?} {kept:?}");
            assert!(checkout.price_confirmed, "{checkout:?}");
        }
        for payment in &self.payments {
            let ended = !matches!(payment.state(), PaymentState::HeldForReview);
            let back = payment.refunds.iter().all(|refund| is_back(refund.state()));
            assert!(ended && back, "{payment:?}");
        }
    }

    fn of_order(&self, id: &str, state: PaymentState) -> impl Iterator<Item = &Payment> {
        self.payments.iter().filter(move |one| one.order_id == id && one.state() == state)
    }

    pub(crate) fn figures(&self) -> String {
        let mut states: BTreeMap<&str, usize> = BTreeMap::new();
        for (order, _) in &self.orders {
            *states.entry(order.state().as_str_name()).or_default() += 1;
        }
        let (payments, refunds) = (self.payments.len(), self.refunds.len());
        format!(
            "{states:?}, {payments} payments, {refunds} refunds, {} refused tenders",
            self.refused
        )
    }
}

async fn orders(line: &Line, state: OrderState) -> Vec<String> {
    let client = line.orders();
    let mut request =
        ListOrdersRequest { page_size: 1_000, state: state.into(), ..Default::default() };
    let mut ids = Vec::new();
    loop {
        let page = line.ask(&request, async |q| client.clone().list_orders(q).await).await.unwrap();
        ids.extend(page.orders.into_iter().map(|order| order.id));
        if page.next_page_token.is_empty() {
            return ids;
        }
        request.page_token = page.next_page_token;
    }
}

async fn refunds(line: &Line, state: RefundState) -> Vec<Refund> {
    let client = line.refunds();
    let mut request =
        ListRefundsRequest { page_size: 1_000, state: state.into(), ..Default::default() };
    let mut refunds = Vec::new();
    loop {
        let page =
            line.ask(&request, async |q| client.clone().list_refunds(q).await).await.unwrap();
        refunds.extend(page.refunds);
        if page.next_page_token.is_empty() {
            return refunds;
        }
        request.page_token = page.next_page_token;
    }
}

async fn payments(line: &Line, state: PaymentState) -> Vec<Payment> {
    let client = line.payments();
    let mut request =
        ListPaymentsRequest { page_size: 1_000, state: state.into(), ..Default::default() };
    let mut payments = Vec::new();
    loop {
        let page =
            line.ask(&request, async |q| client.clone().list_payments(q).await).await.unwrap();
        payments.extend(page.payments);
        if page.next_page_token.is_empty() {
            return payments;
        }
        request.page_token = page.next_page_token;
    }
}

async fn read_payment(line: &Line, id: &str) -> Payment {
    let client = line.payments();
    let request = GetPaymentRequest { payment_id: id.to_owned() };
    let reply = line.ask(&request, async |q| client.clone().get_payment(q).await).await;
    reply.unwrap().payment.unwrap()
}

async fn read_payments(line: &Line) -> Vec<Payment> {
    let all = payments(line, PaymentState::Unspecified).await;
    let read = stream::iter(all).map(async |payment| read_payment(line, &payment.id).await);
    read.buffer_unordered(READERS).collect().await
}

async fn read_all(line: &Line, ids: &[String]) -> Vec<(Order, Checkout)> {
    let read = stream::iter(ids).map(async |id| {
        let request = GetOrderRequest { order_id: id.clone() };
        let client = line.orders();
        let order = line.ask(&request, async |q| client.clone().get_order(q).await).await;
        let request = GetCheckoutRequest { order_id: id.clone() };
        let client = line.checkouts();
        let checkout = line.ask(&request, async |q| client.clone().get_checkout(q).await).await;
        (order.unwrap().order.unwrap(), checkout.unwrap().checkout.unwrap())
    });
    read.buffer_unordered(READERS).collect().await
}
