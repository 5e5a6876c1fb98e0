//! A refund that takes red packets back at the moment at which they are sent: step by step, and all at once.

use chrono::TimeDelta;
use futures::future::join_all;
use siyu_order::{
    order::domain::OrderId,
    red_packet::{domain::State, store as packets, store::limit},
};
use siyu_proto::order::v1::*;
use siyu_runtime::Steps;

use crate::{
    market::Market,
    red_packets::set_up,
    refund_rewards::{kept, rewards, stopped},
    refunds::whole,
};

impl Market {
    pub(crate) fn packet_for(
        &self,
        key: &str,
        n: usize,
        order: &str,
        minor: i64,
    ) -> SendRedPacketRequest {
        SendRedPacketRequest { order_id: order.into(), ..self.packet(key, n, minor) }
    }

    /// A packet of an order as it is when its process died after reserving and before sending. Its amount is one for which the
    /// sandbox gives no answer, but has sent it when it is asked later.
    pub(crate) async fn unsent(&self, key: &str, n: usize, order: &str) -> String {
        let sent = self.send(self.packet_for(key, n, order, 1_002)).await.unwrap();
        assert_eq!(sent.state(), RedPacketState::Unknown);
        let mut owner = self.world.database.owner().await;
        let back = "update red_packets set state = 'created', attempts = 0, due_at = created_at \
            where state = 'unknown' and attempts = 1";
        sqlx::query(back).execute(&mut owner).await.unwrap();
        sent.id
    }

    /// Lets the jobs work for some hours.
    pub(crate) async fn hours(&self, hours: i64) {
        for _ in 0..hours {
            self.world.clock.advance(TimeDelta::hours(1));
            self.work().await;
        }
    }

    /// One step of the job that sends packets.
    async fn step(&self) {
        let name = "order.red_packets";
        let job = self.world.app.jobs().into_iter().find(|job| job.name() == name).unwrap();
        job.step().await.unwrap();
    }
}

#[tokio::test]
async fn a_packet_that_the_job_has_begun_to_send_is_kept_by_the_refund_that_waited_for_it() {
    let market = Market::generous(1).await;
    let order = market.paid("a", 1).await;
    let id = market.unsent("p", 1, &order).await;
    // What the job does before it asks the provider.
    let mut sends = market.begin().await;
    let mut packet = packets::lock(&mut sends, id.parse().unwrap()).await.unwrap().unwrap();
    (packet.state, packet.attempts) = (State::Sending, 1);
    packets::save(&mut sends, &packet, packet.created_at).await.unwrap();
    let commits = async {
        market.until_somebody_waits().await;
        sends.commit().await.unwrap();
    };
    let (refund, ()) = tokio::join!(market.refund("r", &order, whole()), commits);
    let refund = refund.unwrap();
    assert_eq!(refund.state(), RefundState::Succeeded);
    assert_eq!(rewards(&refund), [(id.clone(), kept("sending"))].into());
    market.hours(3).await;
    assert_eq!(market.read(&id).await.state(), RedPacketState::Received);
    assert_eq!((market.spent().await, market.totals().await), (1_002, (1_002, 0, 1)));
}

#[tokio::test]
async fn a_packet_that_a_refund_has_begun_to_stop_is_not_sent_by_the_job_that_waited_for_it() {
    let market = Market::generous(1).await;
    let order = market.paid("a", 1).await;
    let id = market.unsent("p", 1, &order).await;
    // Whoever has the budget holds the refund up, which has the packet by then.
    let mut holds = market.begin().await;
    limit::reserve(&mut holds, "spring", 0).await.unwrap();
    let commits = async {
        let waiting = "select count(distinct a.pid) from pg_locks l join pg_stat_activity a on a.pid = l.pid \
            where not l.granted and a.datname = current_database()";
        while market.world.count(waiting).await < 2 {
            tokio::task::yield_now().await;
        }
        holds.commit().await.unwrap();
    };
    let steps = async {
        market.until_somebody_waits().await;
        market.step().await;
    };
    let (refund, (), ()) = tokio::join!(market.refund("r", &order, whole()), steps, commits);
    assert_eq!(rewards(&refund.unwrap()), [(id.clone(), stopped())].into());
    market.hours(3).await;
    assert_eq!(market.read(&id).await.state(), RedPacketState::Stopped);
    assert_eq!((market.spent().await, market.totals().await), (0, (0, 0, 0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_packets_that_are_sent_while_their_order_is_refunded_each_is_stopped_or_sent() {
    let market = Market::generous(4).await;
    let (mut sent, mut all) = (0, 0);
    for round in 0..10 {
        let n = 1 + round % 4;
        let order = market.paid(&format!("o{round}"), n).await;
        let mut ids = Vec::new();
        for i in 0..4 {
            ids.push(market.unsent(&format!("{round} {i}"), n, &order).await);
        }
        let key = format!("r{round}");
        // The job begins ever later.
        let steps = async {
            for _ in 0..round {
                market.world.count("select 1::bigint").await;
            }
            join_all((0..3).map(|_| market.step())).await;
        };
        let (refund, ()) = tokio::join!(market.refund(&key, &order, whole()), steps);
        let refund = refund.unwrap();
        assert_eq!(refund.state(), RefundState::Succeeded, "{refund:?}");
        let done = rewards(&refund);
        assert_eq!(done.len(), ids.len());
        market.hours(3).await;
        for id in &ids {
            let state = market.read(id).await.state();
            if done[id] == stopped() {
                assert_eq!(state, RedPacketState::Stopped);
            } else {
                let ways = ["sending", "unknown", "sent", "received"].map(kept);
                assert!(ways.contains(&done[id]), "{done:?}");
                assert_eq!(state, RedPacketState::Received);
                sent += 1;
            }
        }
        all += ids.len();
        let minor = 1_002 * sent;
        assert_eq!((market.spent().await, market.totals().await), (minor, (minor, 0, sent)));
        let counted =
            "select coalesce(sum(packets), 0)::bigint from red_packet_counts where kind = 'order'";
        assert_eq!(market.world.count(counted).await, sent);
    }
    assert_eq!(all, 40);
    market.books().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refunds_of_orders_that_share_budgets_and_persons_do_not_hold_each_other_up() {
    let market = Market::generous(1).await;
    let policy = RedPacketPolicy { per_person_day_count: 1_000, ..RedPacketPolicy::default() };
    set_up(&market, 1_000_000, policy).await;
    let autumn = RedPacketBudget { code: "autumn".into(), total_minor: 1_000_000, spent_minor: 0 };
    let request = UpsertRedPacketBudgetsRequest { budgets: vec![autumn] };
    market.world.red_packets(1).upsert_red_packet_budgets(request).await.unwrap();
    let mut orders = Vec::new();
    for n in 0..6 {
        let order = market.paid(&format!("o{n}"), 1).await;
        for i in 0..4 {
            market.unsent(&format!("{n} {i}"), 1, &order).await;
        }
        orders.push(order);
    }
    // In every order the two budgets come in another order of the packets.
    let mut owner = market.world.database.owner().await;
    let halve = "with moved as (
            update red_packets set budget_code = 'autumn'
            where ('x' || right(id::text, 1))::bit(4)::integer % 2 = 0
            returning amount_minor
        )
        update red_packet_budgets
        set spent_minor = spent_minor + case code when 'autumn' then 1 else -1 end * (select sum(amount_minor) from moved)";
    sqlx::query(halve).execute(&mut owner).await.unwrap();
    let keys: Vec<String> = (0..6).map(|n| format!("r{n}")).collect();
    let refunds = keys.iter().zip(&orders).map(|(key, order)| market.refund(key, order, whole()));
    let sends = keys.iter().zip(&orders).map(|(key, order)| {
        let budget_code = if key.ends_with(['1', '3', '5']) { "autumn" } else { "spring" };
        let request = market.packet_for(key, 1, order, 1_000);
        market.send(SendRedPacketRequest { budget_code: budget_code.into(), ..request })
    });
    let steps = join_all((0..3).map(|_| market.step()));
    let (refunds, sends, _) = tokio::join!(join_all(refunds), join_all(sends), steps);
    for refund in refunds {
        assert_eq!(refund.unwrap().state(), RefundState::Succeeded);
    }
    for sent in sends {
        sent.unwrap();
    }
    market.hours(3).await;
    let open = "select count(*) from red_packets where state not in ('stopped', 'received')";
    assert_eq!(market.world.count(open).await, 0);
    let spent = "select sum(spent_minor)::bigint from red_packet_budgets";
    let sent =
        "select coalesce(sum(amount_minor), 0)::bigint from red_packets where state = 'received'";
    assert_eq!(market.world.count(spent).await, market.world.count(sent).await);
    market.books().await;
}

#[tokio::test]
async fn a_packet_for_an_order_waits_for_its_refund_before_it_takes_of_the_budget() {
    let market = Market::generous(1).await;
    let order = market.paid("a", 1).await;
    let id: OrderId = order.parse().unwrap();
    let mut refunds = market.begin().await;
    siyu_order::order::store::lock(&mut refunds, id).await.unwrap();
    let commits = async {
        market.until_somebody_waits().await;
        // The budget is free for the refund.
        assert!(limit::reserve(&mut refunds, "spring", 0).await.unwrap());
        refunds.commit().await.unwrap();
    };
    let (sent, ()) = tokio::join!(market.send(market.packet_for("p", 1, &order, 1_000)), commits);
    assert_eq!(sent.unwrap().state(), RedPacketState::Sent);
}
