//! Paying against closing on a real database: whatever comes first, every claim ends in one of three ways.

use futures::future::join_all;
use siyu_proto::order::v1::*;
use siyu_runtime::Steps;

use crate::till::{OrderId, Till};

const ORDERS: u32 = 24;

/// Jobs that several processes run at once, as they would.
async fn jobs(till: &Till) {
    let run = || async {
        for job in till.world.app.jobs() {
            let stepped = job.step().await;
            assert!(stepped.is_ok(), "{}: {stepped:?}", job.name());
        }
    };
    tokio::join!(run(), run(), run());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn payments_closes_and_notifications_at_once_end_in_one_of_three_ways() {
    let till = Till::open().await;
    let mut orders: Vec<(OrderId, Vec<Payment>)> = Vec::new();
    for n in 1..=ORDERS {
        let order = till.claim(n, 100).await;
        let mut payments = vec![till.start(&format!("{n}a"), order).await.unwrap()];
        if n % 2 == 0 {
            payments.push(till.start(&format!("{n}b"), order).await.unwrap());
        }
        orders.push((order, payments));
    }
    // Each buyer pays everything that can be paid, told or not, while somebody cancels and several processes work.
    let buyers =
        orders.iter().flat_map(|(_, payments)| payments).enumerate().map(|(i, payment)| {
            let act = if i % 3 == 0 { SandboxAct::PaySilently } else { SandboxAct::Pay };
            let till = &till;
            async move {
                // Refused where the close was faster.
                drop(till.simulate(payment, act, 0).await);
                drop(till.simulate(payment, act, 0).await);
            }
        });
    let closers = orders.iter().map(|(order, _)| async { drop(till.close(*order).await) });
    let workers = (0..6).map(|_| jobs(&till));
    tokio::join!(join_all(buyers), join_all(closers), join_all(workers));
    till.pass(chrono::TimeDelta::minutes(12)).await;
    let (mut paid, mut closed, mut refunded) = (0, 0, 0);
    for (order, payments) in &orders {
        let claim = till.claim_of(*order).await;
        let mut kept = 0;
        let mut back = 0;
        for payment in payments {
            let payment = till.get(payment).await;
            if payment.state() == PaymentState::Succeeded {
                assert_eq!(claim.payment_id, payment.id);
                assert!(payment.refunds.is_empty());
                kept += 1;
            } else if payment.state() == PaymentState::Surplus {
                assert_eq!(payment.refunds.len(), 1);
                assert_eq!(payment.refunds[0].state(), PaymentRefundState::Succeeded);
                back += 1;
            } else {
                assert_eq!(payment.state(), PaymentState::Closed, "{order}");
            }
        }
        match (claim.state(), kept, back) {
            (ClaimState::Paid, 1, _) => paid += 1,
            (ClaimState::Closed, 0, 0) => closed += 1,
            (ClaimState::Closed, 0, _) => refunded += 1,
            other => panic!("{order} ends as {other:?}"),
        }
    }
    assert_eq!(paid + closed + refunded, ORDERS);
    // The company's books agree: what it has and did not give back is what was kept.
    let theirs = "select coalesce(sum(paid_minor), 0)::bigint - (select coalesce(sum(amount_minor), 0)::bigint from \
        sandbox_refunds) from sandbox_trades";
    assert_eq!(till.world.count(theirs).await, i64::from(paid) * 100);
}
