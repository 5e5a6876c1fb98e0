//! Red packets: limits that are reserved first, fates that are asked for, a ledger that the export agrees with.

use chrono::TimeDelta;
use futures::future::join_all;
use siyu_grpc::fault;
use siyu_kernel::{Code, Fault};
use siyu_proto::order::v1::*;

use crate::{
    market::{Market, reason},
    world::at,
};

pub(crate) async fn set_up(market: &Market, total_minor: i64, policy: RedPacketPolicy) {
    let budget = RedPacketBudget { code: "spring".into(), total_minor, spent_minor: 0 };
    let request = UpsertRedPacketBudgetsRequest { budgets: vec![budget] };
    market.world.red_packets(1).upsert_red_packet_budgets(request).await.unwrap();
    let request = SetRedPacketPolicyRequest { policy: Some(policy) };
    market.world.red_packets(1).set_red_packet_policy(request).await.unwrap();
}

impl Market {
    pub(crate) fn packet(&self, key: &str, n: usize, amount_minor: i64) -> SendRedPacketRequest {
        SendRedPacketRequest {
            request_id: key.into(),
            person_id: self.person(n).into(),
            amount_minor,
            budget_code: "spring".into(),
            ..SendRedPacketRequest::default()
        }
    }

    pub(crate) async fn send(&self, request: SendRedPacketRequest) -> Result<RedPacket, Fault> {
        let reply = self.world.red_packets(1).send_red_packet(request).await.map_err(fault)?;
        Ok(reply.into_inner().red_packet.unwrap())
    }

    pub(crate) async fn read(&self, id: &str) -> RedPacket {
        let request = GetRedPacketRequest { red_packet_id: id.into() };
        let reply = self.world.red_packets(1).get_red_packet(request).await.unwrap();
        reply.into_inner().red_packet.unwrap()
    }

    pub(crate) async fn spent(&self) -> i64 {
        let request = ListRedPacketBudgetsRequest::default();
        let reply = self.world.red_packets(1).list_red_packet_budgets(request).await.unwrap();
        reply.into_inner().budgets[0].spent_minor
    }

    /// The rows of the export without their head, each as cells.
    async fn export(&self) -> Vec<Vec<String>> {
        let mut request = ExportRedPacketsRequest {
            create_time_from: Some(at(-10)),
            create_time_to: Some(at(864_000)),
            page_size: 2,
            ..ExportRedPacketsRequest::default()
        };
        let mut rows = Vec::new();
        loop {
            let reply = self.world.red_packets(1).export_red_packets(request.clone()).await;
            let page = reply.unwrap().into_inner();
            let mut lines = page.csv.lines();
            assert!(lines.next().unwrap().starts_with("bill_no,order_no,person,employee,amount"));
            rows.extend(lines.map(|line| line.split(',').map(str::to_owned).collect()));
            if page.next_page_token.is_empty() {
                return rows;
            }
            request.page_token = page.next_page_token;
        }
    }

    pub(crate) async fn totals(&self) -> (i64, i64, i64) {
        let request = GetRedPacketTotalsRequest {
            create_time_from: Some(at(-10)),
            create_time_to: Some(at(864_000)),
        };
        let reply = self.world.red_packets(1).get_red_packet_totals(request).await.unwrap();
        let totals = reply.into_inner();
        (totals.sent_minor, totals.returned_minor, totals.packets)
    }

    /// Lets the jobs work for some days, an hour at a time.
    async fn days(&self, days: i64) {
        for _ in 0..days * 24 {
            self.world.clock.advance(TimeDelta::hours(1));
            self.work().await;
        }
    }
}

#[tokio::test]
async fn every_packet_comes_to_an_end_and_the_export_agrees_with_the_ledger() {
    use RedPacketState::{Failed, Received, Refunded, Sent, Unknown};
    let market = Market::new(1).await;
    set_up(&market, 100_000, RedPacketPolicy::default()).await;
    // What the sandbox does with each follows from the last digits.
    let mut packets = Vec::new();
    for amount in [1_000, 1_001, 1_002, 1_003, 1_004, 1_005] {
        packets.push(market.send(market.packet(&format!("{amount}"), 1, amount)).await.unwrap());
    }
    let states: Vec<_> = packets.iter().map(RedPacket::state).collect();
    assert_eq!(states, [Sent, Failed, Unknown, Unknown, Sent, Unknown]);
    assert_eq!(market.spent().await, 6_015 - 1_001, "what is not known is reserved");
    market.days(4).await;
    let mut ends = Vec::new();
    for packet in &packets {
        ends.push(market.read(&packet.id).await);
    }
    let states: Vec<_> = ends.iter().map(RedPacket::state).collect();
    assert_eq!(states, [Received, Failed, Received, Failed, Refunded, Unknown]);
    let waited = ends[4].refund_time.unwrap().seconds - ends[4].send_time.unwrap().seconds;
    assert_eq!(waited, 72 * 3_600);
    assert_eq!(market.spent().await, 1_000 + 1_002 + 1_005);

    let rows = market.export().await;
    assert_eq!(rows.len(), 6);
    let of = |states: &[&str]| -> i64 {
        let counted = rows.iter().filter(|row| states.contains(&row[5].as_str()));
        counted.map(|row| row[4].parse::<i64>().unwrap()).sum()
    };
    let (sent, returned) = (of(&["sent", "received", "refunded"]), of(&["refunded"]));
    assert_eq!(market.totals().await, (sent, returned, 3));
    assert_eq!((sent, returned), (3_006, 1_004));
    let numbers: std::collections::BTreeSet<&String> = rows.iter().map(|row| &row[0]).collect();
    assert_eq!(numbers.len(), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_packets_that_are_sent_at_once_no_more_leave_than_budget_and_limits_allow() {
    let market = Market::new(40).await;
    set_up(&market, 10_000, RedPacketPolicy::default()).await;
    let sends = (1..=40).map(|n| market.send(market.packet(&format!("{n}"), n, 1_000)));
    let (won, lost): (Vec<_>, Vec<_>) = join_all(sends).await.into_iter().partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (10, 30));
    for refused in lost {
        assert_eq!(reason(refused), "RED_PACKET_BUDGET_SPENT");
    }
    assert_eq!((market.spent().await, market.totals().await), (10_000, (10_000, 0, 10)));

    set_up(&market, 1_000_000, RedPacketPolicy { per_person_day_count: 3, ..Default::default() })
        .await;
    let sends = (0..20).map(|n| market.send(market.packet(&format!("p{n}"), 40, 500)));
    let (won, lost): (Vec<_>, Vec<_>) = join_all(sends).await.into_iter().partition(Result::is_ok);
    // The fortieth may have had one of the first ten.
    assert!(won.len() == 3 || won.len() == 2, "{}", won.len());
    for refused in lost.into_iter().map(Result::unwrap_err) {
        assert_eq!(
            (refused.reason(), &*refused.metadata()["limit"]),
            ("RED_PACKET_LIMIT_REACHED", "person")
        );
    }
    let most = "select max(packets)::bigint from red_packet_counts where kind = 'person'";
    assert_eq!(market.world.count(most).await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_request_at_once_is_one_packet() {
    let market = Market::new(1).await;
    set_up(&market, 100_000, RedPacketPolicy::default()).await;
    let request = market.packet("once", 1, 1_000);
    let replies = join_all((0..24).map(|_| market.send(request.clone()))).await;
    let ids: std::collections::BTreeSet<String> =
        replies.into_iter().map(|reply| reply.unwrap().id).collect();
    assert_eq!((ids.len(), market.spent().await), (1, 1_000));
    let other = market.packet("once", 1, 2_000);
    assert_eq!(reason(market.send(other).await), "REQUEST_ID_REUSED");
}

#[tokio::test]
async fn limits_are_those_of_an_order_a_day_and_an_employee_and_what_failed_is_given_back() {
    let market = Market::new(2).await;
    let policy = RedPacketPolicy {
        per_order_minor: 1_500,
        per_person_day_minor: 3_000,
        per_employee_day_minor: 4_000,
        approval_above_minor: 1_000,
        ..RedPacketPolicy::default()
    };
    set_up(&market, 100_000, policy).await;
    let send = |request: SendRedPacketRequest| market.send(request);
    let limit = |refused: Result<RedPacket, Fault>| {
        let fault = refused.unwrap_err();
        assert_eq!(fault.reason(), "RED_PACKET_LIMIT_REACHED");
        fault.metadata()["limit"].clone()
    };
    for amount in [99, 20_001] {
        let refused = send(market.packet("bounds", 1, amount)).await.unwrap_err();
        assert_eq!(refused.violations()[0].field, "amount_minor");
    }
    assert_eq!(reason(send(market.packet("a", 1, 1_100)).await), "RED_PACKET_NEEDS_APPROVAL");
    let mut own = market.packet("own", 1, 1_100);
    (own.employee, own.approved_by) = ("ning".into(), "ning".into());
    assert_eq!(send(own).await.unwrap_err().violations()[0].field, "approved_by");

    let order = market.order(market.cart("order")).await.unwrap();
    let for_order = |key: &str, amount| SendRedPacketRequest {
        order_id: order.id.clone(),
        ..market.packet(key, 1, amount)
    };
    send(for_order("o1", 1_100)).await.unwrap();
    assert_eq!(limit(send(for_order("o2", 500)).await), "order");
    let of_another =
        SendRedPacketRequest { order_id: order.id.clone(), ..market.packet("o3", 2, 200) };
    assert_eq!(reason(send(of_another).await), "NOT_FOUND");
    // The provider refuses 901: neither budget nor limits keep it.
    let failed = send(market.packet("f", 1, 901)).await.unwrap();
    assert_eq!((failed.state(), failed.failure.as_str()), (RedPacketState::Failed, "NOT_ENOUGH"));
    send(market.packet("p1", 1, 1_000)).await.unwrap();
    assert_eq!(limit(send(market.packet("p2", 1, 1_000)).await), "person");
    send(market.packet("p3", 1, 900)).await.unwrap();
    assert_eq!(market.spent().await, 3_000);
    // 08:00 in Shanghai: the next day of the merchant's begins in 16 hours.
    market.world.clock.advance(TimeDelta::hours(16));
    let by_ning = |key: &str, n, amount| SendRedPacketRequest {
        employee: "ning".into(),
        approved_by: "li".into(),
        ..market.packet(key, n, amount)
    };
    send(by_ning("e1", 1, 2_500)).await.unwrap();
    assert_eq!(limit(send(by_ning("e2", 2, 1_600)).await), "employee");
    send(by_ning("e3", 2, 1_500)).await.unwrap();

    let budget = RedPacketBudget { code: "spring".into(), total_minor: 1, spent_minor: 0 };
    let request = UpsertRedPacketBudgetsRequest { budgets: vec![budget] };
    let refused = market.world.red_packets(1).upsert_red_packet_budgets(request).await;
    assert_eq!(reason(refused.map_err(fault)), "INVALID_FIELD");
    let none = SendRedPacketRequest { budget_code: "none".into(), ..market.packet("n", 2, 500) };
    assert_eq!(reason(send(none).await), "NOT_FOUND");
    let request = GetRedPacketRequest { red_packet_id: failed.id };
    let refused = market.world.red_packets(2).get_red_packet(request).await.map_err(fault);
    assert_eq!(refused.unwrap_err().code(), Code::NotFound);
}
