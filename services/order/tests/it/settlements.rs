//! What orders of franchised stores bring to whom.

use siyu_grpc::fault;
use siyu_kernel::{Clock as _, Code, Fault};
use siyu_order::order::{
    advance::{self, Cause},
    domain::OrderId,
    lifecycle::Event,
    store,
};
use siyu_proto::order::v1::*;
use siyu_testkit::merchant;

use crate::market::Market;

fn terms(code: &str, run: StoreRun, platform_fee_bp: i32) -> SettlementTerms {
    SettlementTerms {
        store_code: code.into(),
        run: run.into(),
        platform_fee_bp,
        hq_bp: 500,
        marketing_bp: 200,
    }
}

impl Market {
    async fn terms(&self, terms: &[SettlementTerms]) -> Result<(), Fault> {
        let request = UpsertSettlementTermsRequest { terms: terms.to_vec() };
        let reply = self.world.settlements(1).upsert_settlement_terms(request).await;
        reply.map(|_| ()).map_err(fault)
    }

    async fn settlements(&self, who: u32, code: &str) -> Result<Vec<Settlement>, Fault> {
        let mut request =
            ListSettlementsRequest { store_code: code.into(), page_size: 1, ..Default::default() };
        let mut found = Vec::new();
        loop {
            let reply = self.world.settlements(who).list_settlements(request.clone()).await;
            let page = reply.map_err(fault)?.into_inner();
            found.extend(page.settlements);
            if page.next_page_token.is_empty() {
                return Ok(found);
            }
            request.page_token = page.next_page_token;
        }
    }

    async fn sum(&self, code: &str) -> Vec<SettlementSum> {
        let request = GetSettlementSummaryRequest { store_code: code.into(), ..Default::default() };
        let reply = self.world.settlements(1).get_settlement_summary(request).await.unwrap();
        reply.into_inner().sums
    }

    async fn sell(&self, key: &str, store: &str) -> OrderId {
        let cart = PlaceOrderRequest { store_code: store.into(), ..self.cart(key) };
        let order = self.order(self.paying(1, cart, 30_000)).await.unwrap();
        order.id.parse().unwrap()
    }

    /// Gives a part of an order back, as a refund does, or all of it.
    async fn give_back(&self, id: OrderId, minor: Option<i64>) {
        let now = self.world.clock.now();
        let mut tx = self.world.database.db().tenant(merchant(1)).await.unwrap();
        let app = &self.world.app;
        if let Some(minor) = minor {
            let key = format!("refund {minor}");
            let cause = Cause { key: &key, actor: "test", reason: "", now };
            let (order, _) = advance::lock(&mut tx, id, &key).await.unwrap();
            let mut lines = store::lines(&mut tx, id).await.unwrap();
            lines[0].paid_minor -= minor;
            advance::revise(app, &mut tx, order, &lines, cause).await.unwrap();
        } else {
            let cause = Cause { key: "refunded", actor: "test", reason: "", now };
            advance::advance(app, &mut tx, id, Event::Refunded, cause).await.unwrap();
        }
        tx.commit().await.unwrap();
    }
}

fn parts(of: &Settlement) -> [i64; 5] {
    [of.net_minor, of.platform_fee_minor, of.hq_minor, of.marketing_minor, of.franchisee_minor]
}

#[tokio::test]
async fn an_order_of_a_franchisee_is_settled_and_refunds_are_entries_of_their_own() {
    let market = Market::new(1).await;
    market.world.member.open(merchant(1), "S1", 1);
    market.world.member.open(merchant(1), "S2", 2);
    let both = [terms("S1", StoreRun::Franchise, 60), terms("S2", StoreRun::Direct, 60)];
    market.terms(&both).await.unwrap();
    market.sell("direct", "S2").await;
    market.sell("headquarters", "").await;
    let id = market.sell("a", "S1").await;
    assert_eq!(
        parts(&market.settlements(1, "S1").await.unwrap()[0]),
        [30_000, 180, 1_500, 600, 27_720]
    );
    // Terms that change later are for later orders.
    market.terms(&[terms("S1", StoreRun::Franchise, 0)]).await.unwrap();
    market.give_back(id, Some(9_999)).await;
    market.give_back(id, None).await;
    let entries = market.settlements(1, "S1").await.unwrap();
    // 20001 is left: 120.006, 1000.05, 400.02 and 18480.924.
    assert_eq!(parts(&entries[1]), [-9_999, -60, -500, -200, -9_239]);
    assert_eq!(parts(&entries[2]), [-20_001, -120, -1_000, -400, -18_481]);
    assert!(entries.iter().all(|entry| entry.terms.as_ref().unwrap().platform_fee_bp == 60));
    let other = market.sell("b", "S1").await;
    let sums = market.sum("S1").await;
    let expected = SettlementSum {
        currency_code: "CNY".into(),
        orders: 2,
        net_minor: 30_000,
        platform_fee_minor: 0,
        hq_minor: 1_500,
        marketing_minor: 600,
        franchisee_minor: 27_900,
    };
    assert_eq!(sums, [expected]);
    let last = market.settlements(1, "S1").await.unwrap().pop().unwrap();
    assert_eq!(last.order_id, other.to_string());
    assert_eq!(market.settlements(1, "S2").await.unwrap(), []);
    assert_eq!(market.settlements(2, "S1").await.unwrap_err().code(), Code::NotFound);
}

#[tokio::test]
async fn terms_that_take_more_than_there_is_are_refused_by_field() {
    let market = Market::new(1).await;
    market.world.member.open(merchant(1), "S1", 1);
    let wrong = [
        terms("S1", StoreRun::Franchise, 9_301),
        terms("S1", StoreRun::Franchise, 0),
        terms("nowhere", StoreRun::Franchise, 0),
    ];
    let refused = market.terms(&wrong).await.unwrap_err();
    let fields: Vec<&str> = refused.violations().iter().map(|v| v.field.as_str()).collect();
    assert_eq!(fields, ["terms[0].marketing_bp", "terms[1].store_code", "terms[2].store_code"]);
}
