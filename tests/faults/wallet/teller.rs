//! One who does with cards and points what can be done, one thing after the other, each until it is answered; and keeps
//! account of the answers.

use std::{cell::Cell, fmt::Debug};

use futures::{FutureExt, future::LocalBoxFuture};
use siyu_grpc::Call;
use siyu_proto::member::v1::{
    points_service_client::PointsServiceClient, recharge_service_client::RechargeServiceClient,
    stored_value_service_client::StoredValueServiceClient, *,
};
use tonic::{Response, Status};

use crate::bank::{Bank, Holder, Line};

/// What answers said that changed.
#[derive(Debug, Clone)]
pub(crate) struct Tally {
    pub(crate) cards: Vec<CardTally>,
    pub(crate) points: Vec<PointTally>,
}

#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct CardTally {
    pub(crate) principal: i64,
    pub(crate) bonus: i64,
    pub(crate) entries: usize,
}

#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct PointTally {
    pub(crate) points: i64,
    pub(crate) entries: usize,
}

/// A call that was answered, to be made again.
type Again = Box<dyn FnOnce() -> LocalBoxFuture<'static, ()>>;

pub(crate) struct Teller {
    n: usize,
    line: Line,
    holders: Vec<Holder>,
    plan_id: String,
    turn: usize,
    requests: usize,
    again: Vec<Again>,
    pub(crate) tally: Tally,
}

impl Tally {
    pub(crate) fn new(holders: usize) -> Self {
        let cards = vec![CardTally::default(); holders];
        Self { cards, points: vec![PointTally::default(); holders] }
    }

    pub(crate) fn and(mut self, other: &Self) -> Self {
        for (own, other) in self.cards.iter_mut().zip(&other.cards) {
            own.principal += other.principal;
            own.bonus += other.bonus;
            own.entries += other.entries;
        }
        for (own, other) in self.points.iter_mut().zip(&other.points) {
            own.points += other.points;
            own.entries += other.entries;
        }
        self
    }
}

impl Teller {
    pub(crate) fn new(n: usize, bank: &Bank) -> Self {
        Self {
            n,
            line: bank.line(),
            holders: bank.holders.clone(),
            plan_id: bank.plan_id.clone(),
            turn: 0,
            requests: 0,
            again: Vec::new(),
            tally: Tally::new(bank.holders.len()),
        }
    }

    /// Works until it is told to end; it leaves nothing half done.
    pub(crate) async fn work(&mut self, is_over: &Cell<bool>) {
        while !is_over.get() {
            self.turn += 1;
            let at = (self.turn * 7 + self.n) % self.holders.len();
            match (self.turn + self.n) % 8 {
                0 => self.recharge(at).await,
                1 => self.pay_and_refund(at).await,
                2 => self.hold_and_capture(at).await,
                3 => self.hold_and_void(at).await,
                4 => self.grant(at).await,
                5 => self.spend_and_revert(at).await,
                6 => self.freeze_and_consume(at).await,
                _ => self.freeze_and_unfreeze(at).await,
            }
        }
    }

    /// Makes each call again.
    pub(crate) async fn ask_again(&mut self) {
        for again in std::mem::take(&mut self.again) {
            again().await;
        }
    }

    async fn ask<Q, R, C, F>(&mut self, request: Q, call: C) -> R
    where
        Q: Clone + Debug + 'static,
        R: Clone + Debug + PartialEq + 'static,
        C: Fn(Call, Q) -> F + Clone + 'static,
        F: Future<Output = Result<Response<R>, Status>> + 'static,
    {
        let first = self.line.insist(request.clone(), call.clone()).await;
        let (line, kept) = (self.line.clone(), first.clone());
        let again = async move {
            let second = line.insist(request.clone(), call).await;
            assert_eq!(second, kept, "{request:?}");
        };
        self.again.push(Box::new(move || again.boxed_local()));
        first
    }

    fn request_id(&mut self) -> String {
        self.requests += 1;
        format!("t{}-{}", self.n, self.requests)
    }

    fn moved(&mut self, card_id: &str, principal: i64, bonus: i64) {
        let at = self.holders.iter().position(|holder| holder.card_id == card_id);
        let tally = &mut self.tally.cards[at.expect("it is one of the cards of the bank")];
        tally.principal += principal;
        tally.bonus += bonus;
        tally.entries += 1;
    }

    fn posted(&mut self, at: usize, points: i64) {
        self.tally.points[at].points += points;
        self.tally.points[at].entries += 1;
    }

    /// A charge of one card, or of two, in any order.
    fn charges(&self, at: usize) -> Vec<ValueCharge> {
        let other = (at + 1 + self.n % 3) % self.holders.len();
        let cards = if self.turn.is_multiple_of(2) { vec![at, other] } else { vec![at] };
        let amount = i64::try_from(10 + self.turn % 90).expect("it is small");
        let charge = |at: usize| ValueCharge {
            card_id: self.holders[at].card_id.clone(),
            amount_minor: amount,
        };
        cards.into_iter().map(charge).collect()
    }

    fn paid(&mut self, payment: Option<ValuePayment>) -> String {
        let payment = payment.expect("an answer has it");
        assert_eq!(payment.state(), ValuePaymentState::Paid, "{payment:?}");
        for part in &payment.parts {
            self.moved(&part.card_id, -part.principal_minor, -part.bonus_minor);
        }
        payment.id
    }

    async fn recharge(&mut self, at: usize) {
        let card_id = self.holders[at].card_id.clone();
        let request = RechargeRequest {
            request_id: self.request_id(),
            card_id: card_id.clone(),
            plan_id: self.plan_id.clone(),
            ..Default::default()
        };
        let call = async |call, q| RechargeServiceClient::new(call).recharge(q).await;
        let recharge = self.ask(request, call).await.recharge.expect("an answer has it");
        self.moved(&card_id, recharge.principal_minor, recharge.bonus_minor);
    }

    async fn pay_and_refund(&mut self, at: usize) {
        let request = PayValueRequest {
            request_id: self.request_id(),
            charges: self.charges(at),
            ..Default::default()
        };
        let call = async |call, q| StoredValueServiceClient::new(call).pay_value(q).await;
        let reply = self.ask(request, call).await;
        let payment_id = self.paid(reply.payment);
        let amount_minor = i64::try_from(self.turn % 5).expect("it is small");
        let request = RefundValueRequest {
            request_id: self.request_id(),
            payment_id,
            amount_minor,
            ..Default::default()
        };
        let call = async |call, q| StoredValueServiceClient::new(call).refund_value(q).await;
        for back in self.ask(request, call).await.returns {
            let card_id =
                if back.into_card_id.is_empty() { back.card_id } else { back.into_card_id };
            self.moved(&card_id, back.principal_minor, back.bonus_minor);
        }
    }

    async fn hold(&mut self, at: usize) -> String {
        let request = HoldValueRequest {
            request_id: self.request_id(),
            charges: self.charges(at),
            ..Default::default()
        };
        let call = async |call, q| StoredValueServiceClient::new(call).hold_value(q).await;
        self.ask(request, call).await.payment.expect("an answer has it").id
    }

    async fn hold_and_capture(&mut self, at: usize) {
        let payment_id = self.hold(at).await;
        let request =
            CaptureHoldRequest { request_id: self.request_id(), payment_id, amount_minor: 0 };
        let call = async |call, q| StoredValueServiceClient::new(call).capture_hold(q).await;
        let reply = self.ask(request, call).await;
        self.paid(reply.payment);
    }

    async fn hold_and_void(&mut self, at: usize) {
        let payment_id = self.hold(at).await;
        let request = VoidHoldRequest { request_id: self.request_id(), payment_id };
        let call = async |call, q| StoredValueServiceClient::new(call).void_hold(q).await;
        let payment = self.ask(request, call).await.payment.expect("an answer has it");
        assert_eq!(payment.state(), ValuePaymentState::Voided, "{payment:?}");
    }

    async fn grant(&mut self, at: usize) {
        let request = GrantPointsRequest {
            request_id: self.request_id(),
            person_id: self.holders[at].person_id.clone(),
            points: 7,
            ..Default::default()
        };
        let call = async |call, q| PointsServiceClient::new(call).grant_points(q).await;
        self.ask(request, call).await;
        self.posted(at, 7);
    }

    async fn spend_and_revert(&mut self, at: usize) {
        let request = SpendPointsRequest {
            request_id: self.request_id(),
            person_id: self.holders[at].person_id.clone(),
            points: 9,
            ..Default::default()
        };
        let call = async |call, q| PointsServiceClient::new(call).spend_points(q).await;
        let transfer_id =
            self.ask(request, call).await.posting.expect("an answer has it").transfer_id;
        self.posted(at, -9);
        let request = RevertPointsRequest {
            request_id: self.request_id(),
            transfer_id,
            points: 4,
            ..Default::default()
        };
        let call = async |call, q| PointsServiceClient::new(call).revert_points(q).await;
        self.ask(request, call).await;
        self.posted(at, 4);
    }

    async fn freeze(&mut self, at: usize) -> String {
        let request = FreezePointsRequest {
            request_id: self.request_id(),
            person_id: self.holders[at].person_id.clone(),
            points: 11,
            ..Default::default()
        };
        let call = async |call, q| PointsServiceClient::new(call).freeze_points(q).await;
        self.ask(request, call).await.posting.expect("an answer has it").transfer_id
    }

    async fn freeze_and_consume(&mut self, at: usize) {
        let freeze_id = self.freeze(at).await;
        let request =
            ConsumeFrozenPointsRequest { request_id: self.request_id(), freeze_id, points: 5 };
        let call = async |call, q| PointsServiceClient::new(call).consume_frozen_points(q).await;
        self.ask(request, call).await;
        self.posted(at, -5);
    }

    async fn freeze_and_unfreeze(&mut self, at: usize) {
        let freeze_id = self.freeze(at).await;
        let request = UnfreezePointsRequest { request_id: self.request_id(), freeze_id };
        let call = async |call, q| PointsServiceClient::new(call).unfreeze_points(q).await;
        self.ask(request, call).await;
    }
}
