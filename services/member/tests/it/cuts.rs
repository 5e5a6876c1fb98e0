//! Calls that are cut at any point, as by a connection that breaks or a process that dies: the same call again gives the answer
//! that the first one would have given, and nothing is half done.

use siyu_grpc::fault;
use siyu_kernel::Fault;
use siyu_proto::member::v1::*;
use siyu_testkit::cut_after;

use crate::{
    points::{consume, freeze, grant, spend},
    value::{Till, charges},
    world::openid_of,
};

/// How often a call comes to its end before it has been cut everywhere.
const ENOUGH: usize = 5;

/// Makes a call again and again, cut one point later each time and then repeated, and looks at what it did. The call gets a
/// request id that lasts for the cut and the repeat.
async fn cut_everywhere<T>(
    name: &str,
    call: impl AsyncFn(String) -> Result<T, Fault>,
    look: impl AsyncFn(usize, T),
) {
    // An answer of the database may be there before it is waited for, so a call has more points at one time than at another.
    let (mut cut, mut whole) = (0, 0);
    for polls in 0.. {
        let request_id = format!("{name} {polls}");
        if cut_after(polls, call(request_id.clone())).await {
            whole += 1;
        } else {
            cut += 1;
        }
        let reply = call(request_id).await.unwrap_or_else(|f| panic!("{name} {polls}: {f:?}"));
        look(polls, reply).await;
        if whole == ENOUGH {
            break;
        }
    }
    assert!(cut > 1, "{name} was cut");
}

#[tokio::test]
async fn value_that_is_paid_is_paid_once_and_comes_back_once() {
    let till = Till::new().await;
    let card = till.filled(3_000, 1_000).await;
    let pay = async |request_id| {
        let charges = charges(&[(&card, 400)]);
        let request = PayValueRequest { request_id, charges, ..Default::default() };
        till.values().pay_value(request).await.map_err(fault)
    };
    let paid = async |polls, reply: tonic::Response<PayValueResponse>| {
        assert_eq!(till.has(&card).await, (2_700, 900), "after {polls}");
        let payment_id = reply.into_inner().payment.unwrap().id;
        let (request_id, amount_minor) = (till.fresh(), 0);
        let back =
            RefundValueRequest { request_id, payment_id, amount_minor, ..Default::default() };
        cut_after(polls, till.values().refund_value(back.clone())).await;
        till.values().refund_value(back).await.unwrap();
        assert_eq!(till.has(&card).await, (3_000, 1_000), "after {polls}");
    };
    cut_everywhere("pay", pay, paid).await;
    till.sound().await;
}

#[tokio::test]
async fn value_that_is_held_is_taken_once_or_free_again() {
    let till = Till::new().await;
    let card = till.filled(1_000, 0).await;
    let hold = async |request_id| {
        let charges = charges(&[(&card, 300)]);
        let request = HoldValueRequest { request_id, charges, ..Default::default() };
        till.values().hold_value(request).await.map_err(fault)
    };
    let held = async |polls, reply: tonic::Response<HoldValueResponse>| {
        assert_eq!(till.has(&card).await, (700, 0), "after {polls}");
        let payment_id = reply.into_inner().payment.unwrap().id;
        let request_id = till.fresh();
        if polls % 2 == 0 {
            let end = VoidHoldRequest { request_id, payment_id };
            cut_after(polls, till.values().void_hold(end.clone())).await;
            till.values().void_hold(end).await.unwrap();
        } else {
            let end = CaptureHoldRequest {
                request_id,
                payment_id: payment_id.clone(),
                amount_minor: 100,
            };
            cut_after(polls, till.values().capture_hold(end.clone())).await;
            till.values().capture_hold(end).await.unwrap();
            assert_eq!(till.has(&card).await, (900, 0), "after {polls}");
            till.refund(&payment_id, 0).await.unwrap();
        }
        assert_eq!(till.has(&card).await, (1_000, 0), "after {polls}");
    };
    cut_everywhere("hold", hold, held).await;
    till.sound().await;
}

#[tokio::test]
async fn a_recharge_counts_once() {
    let till = Till::new().await;
    let card = till.filled(1, 0).await;
    let recharge = async |request_id| {
        let card_id = card.clone();
        let request =
            RechargeRequest { request_id, card_id, amount_minor: 100, ..Default::default() };
        till.recharges().recharge(request).await.map_err(fault)
    };
    let counted = async |polls: usize, _| {
        let all = 1 + 100 * (i64::try_from(polls).unwrap() + 1);
        assert_eq!(till.has(&card).await, (all, 0), "after {polls}");
    };
    cut_everywhere("recharge", recharge, counted).await;
    till.sound().await;
}

#[tokio::test]
async fn points_move_once() {
    let till = Till::new().await;
    let (world, own) = (&till.world, till.world.own);
    let anna = till.person("anna").await;
    let give = async |id: String| {
        world.points(own).grant_points(grant(&id, &anna, 100)).await.map_err(fault)
    };
    let given = async |polls: usize, _| {
        let frozen = freeze(&till.fresh(), &anna, 60);
        cut_after(polls, world.points(own).freeze_points(frozen.clone())).await;
        let reply = world.points(own).freeze_points(frozen).await.unwrap().into_inner();
        let taken = consume(&till.fresh(), &reply.posting.unwrap().transfer_id, 60);
        cut_after(polls, world.points(own).consume_frozen_points(taken.clone())).await;
        world.points(own).consume_frozen_points(taken).await.unwrap();
        let spent = spend(&till.fresh(), &anna, 40);
        cut_after(polls, world.points(own).spend_points(spent.clone())).await;
        let reply = world.points(own).spend_points(spent).await.unwrap().into_inner();
        assert_eq!(reply.posting.unwrap().balance_after, 0, "after {polls}");
    };
    // What is cut goes on at the desk, which has it from the first poll on: a few points are all there are.
    for polls in 0..20 {
        let id = format!("give {polls}");
        cut_after(polls, give(id.clone())).await;
        let reply = give(id).await.unwrap();
        given(polls, reply).await;
    }
    till.sound().await;
}

#[tokio::test]
async fn persons_are_united_once_or_not_yet() {
    let till = Till::new().await;
    let (world, own) = (&till.world, till.world.own);
    let unite = async |name: String| {
        let identities =
            [format!("a {name}"), format!("b {name}")].map(|value| openid_of(&value)).into();
        let request = ResolvePersonsRequest { sets: vec![IdentitySet { identities }] };
        world.persons(own).resolve_persons(request).await.map_err(fault)
    };
    for polls in 0.. {
        let name = format!("{polls}");
        let both =
            [till.person(&format!("a {name}")).await, till.person(&format!("b {name}")).await];
        for person in &both {
            world.points(own).grant_points(grant(&till.fresh(), person, 10)).await.unwrap();
        }
        let ended = cut_after(polls, unite(name.clone())).await;
        let reply = unite(name).await.unwrap().into_inner();
        assert!(both.contains(&reply.persons[0].person_id), "after {polls}");
        for person_id in both {
            let request = GetPersonRequest { person_id, brief: false };
            let person = world.persons(own).get_person(request).await.unwrap().into_inner();
            assert_eq!(person.person.unwrap().points_total, 20, "after {polls}");
        }
        if ended {
            assert!(polls > 1, "it was cut");
            break;
        }
    }
    till.sound().await;
}
