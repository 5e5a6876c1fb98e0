//! What is held of orders, as tests of it see it.

use chrono::{DateTime, Utc};
use siyu_kernel::{Clock, Currency, Fault};
use siyu_order::{
    guarantee::{
        act,
        domain::{Completion, Guarantee, Terms},
    },
    order::domain::OrderId,
};
use siyu_pg::Tx;
use siyu_proto::order::v1::{self as proto, GuaranteeEntryKind as Kind, *};
use siyu_testkit::merchant;
use uuid::Uuid;

use crate::world::{World, order};

/// Ten per cent for commission, one for the platform.
pub(crate) const TERMS: Terms = Terms { commission_bp: 1_000, fee_bp: 100 };

pub(crate) fn cny() -> Currency {
    Currency::parse("CNY").unwrap()
}

impl World {
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// An order of merchant 1 that somebody paid, without its money.
    pub(crate) async fn sold(&self, no: &str) -> OrderId {
        let results = self.import(&[order(no, &[1_000])]).await;
        results[0].order_id.parse().unwrap()
    }

    pub(crate) async fn tx(&self) -> Tx {
        self.database.db().tenant(merchant(1)).await.unwrap()
    }

    /// Holds what was paid for an order.
    pub(crate) async fn hold(&self, id: OrderId, tenders: &[(&str, i64)], terms: Terms) {
        let tenders: Vec<(String, i64)> =
            tenders.iter().map(|(key, amount)| ((*key).to_owned(), *amount)).collect();
        let paid = act::Paid { order: id, currency: cny(), tenders: &tenders, terms };
        let mut tx = self.tx().await;
        act::paid(&self.app, &mut tx, &paid, self.now()).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// An order that paid so much, is received and released.
    pub(crate) async fn released(&self, no: &str, amount: i64) -> OrderId {
        let id = self.sold(no).await;
        self.hold(id, &[("1", amount)], Terms::default()).await;
        self.complete(id, Completion::Confirmed).await;
        assert!(act::release_due(&self.app, self.now()).await.unwrap() > 0);
        id
    }

    pub(crate) async fn complete(&self, id: OrderId, completion: Completion) {
        let mut tx = self.tx().await;
        act::completed(&mut tx, id, completion, self.now()).await.unwrap();
        tx.commit().await.unwrap();
    }

    pub(crate) async fn refund(
        &self,
        id: OrderId,
        refund: Uuid,
        amount: i64,
    ) -> Result<Guarantee, Fault> {
        let mut tx = self.tx().await;
        let guarantee = act::refund(&self.app, &mut tx, id, (refund, amount), self.now()).await?;
        tx.commit().await?;
        Ok(guarantee)
    }

    pub(crate) async fn refund_paid(
        &self,
        id: OrderId,
        refund: Uuid,
        amount: i64,
    ) -> Result<(), Fault> {
        let mut tx = self.tx().await;
        let part = (refund, "1", amount);
        act::refund_paid(&self.app, &mut tx, id, part, self.now()).await?;
        Ok(tx.commit().await?)
    }

    pub(crate) async fn refund_failed(
        &self,
        id: OrderId,
        refund: Uuid,
        amount: i64,
    ) -> Result<Guarantee, Fault> {
        let mut tx = self.tx().await;
        let part = (refund, "2", amount);
        let guarantee = act::refund_failed(&self.app, &mut tx, id, part, self.now()).await?;
        tx.commit().await?;
        Ok(guarantee)
    }

    pub(crate) async fn guarantee(&self, id: OrderId) -> proto::Guarantee {
        let request = GetGuaranteeRequest { order_id: id.to_string() };
        let reply = self.guarantees(1).get_guarantee(request).await.unwrap();
        reply.into_inner().guarantee.unwrap()
    }

    /// Held, available, frozen, commission payable, fee, owed.
    pub(crate) async fn balance(&self) -> [i64; 6] {
        let request = GetMerchantBalanceRequest::default();
        let reply = self.guarantees(1).get_merchant_balance(request).await.unwrap().into_inner();
        let balance = reply.balance.unwrap();
        assert_eq!(balance.currency_code, "CNY");
        [
            balance.held_minor,
            balance.available_minor,
            balance.frozen_minor,
            balance.commission_payable_minor,
            balance.platform_fee_minor,
            balance.owed_minor,
        ]
    }

    /// The ledger holds what it must; gives how many transfers it has.
    pub(crate) async fn sound_ledger(&self) -> i64 {
        let reply = self.guarantees(1).check_order_ledger(CheckOrderLedgerRequest {}).await;
        let reply = reply.unwrap().into_inner();
        assert_eq!(reply.findings, Vec::<String>::new());
        reply.transfers
    }

    pub(crate) async fn open(
        &self,
        key: &str,
        id: OrderId,
        amount_minor: i64,
    ) -> Result<Dispute, Fault> {
        let request = OpenDisputeRequest {
            request_id: key.into(),
            order_id: id.to_string(),
            amount_minor,
            reason: "it is broken".into(),
        };
        let reply = self.guarantees(1).open_dispute(request).await.map_err(siyu_grpc::fault)?;
        Ok(reply.into_inner().dispute.unwrap())
    }

    pub(crate) async fn close(&self, key: &str, dispute: &str) -> Result<Dispute, Fault> {
        let request = CloseDisputeRequest {
            request_id: key.into(),
            dispute_id: dispute.into(),
            outcome: DisputeOutcome::Buyer.into(),
            note: "it is".into(),
        };
        let reply = self.guarantees(1).close_dispute(request).await.map_err(siyu_grpc::fault)?;
        Ok(reply.into_inner().dispute.unwrap())
    }

    /// What moved, oldest first.
    pub(crate) async fn moved(&self, order: &str) -> Vec<(Kind, i64)> {
        let mut request = ListGuaranteeEntriesRequest {
            page_size: 2,
            order_id: order.into(),
            ..ListGuaranteeEntriesRequest::default()
        };
        let mut moved = Vec::new();
        loop {
            let page = self.guarantees(1).list_guarantee_entries(request.clone()).await.unwrap();
            let page = page.into_inner();
            moved.extend(page.entries.iter().map(|entry| (entry.kind(), entry.amount_minor)));
            if page.next_page_token.is_empty() {
                moved.reverse();
                return moved;
            }
            request.page_token = page.next_page_token;
        }
    }
}
