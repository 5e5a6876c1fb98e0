//! Orders that leave in parcels, over the methods.

use futures::future::join_all;
use siyu_grpc::fault;
use siyu_kernel::Code;
use siyu_proto::order::v1::{place_order_request::Activity, *};

use crate::{
    depot::{Depot, line},
    market::{days, reason},
    stock::figures,
    world::{NOW, at},
};

impl Depot {
    /// An order that headquarters have taken on.
    pub(crate) async fn taken(&self, key: &str) -> String {
        let id = self.buy(self.cart(key)).await;
        self.accept(&format!("take {key}"), &id, (1, ""), &[]).await.unwrap();
        id
    }
}

#[tokio::test]
async fn an_order_leaves_in_parts_that_sum_to_it_and_no_piece_leaves_twice() {
    let depot = Depot::new(&[]).await;
    let id = depot.buy(depot.cart("a")).await;
    assert_eq!(reason(depot.ship("0", &id, 1, &[]).await), "PART_NOT_TAKEN");
    depot.accept("a", &id, (1, ""), &[]).await.unwrap();
    let first = depot.ship("1", &id, 1, &[line(2, 1)]).await.unwrap();
    assert_eq!(first.order.as_ref().unwrap().state(), OrderState::Shipped);
    assert_eq!(depot.ship("1", &id, 1, &[line(2, 1)]).await.unwrap(), first, "a repeat");
    assert_eq!((depot.pieces("scarf").await, depot.pieces("dress-m").await), ((99, 1), (100, 1)));
    let much = depot.ship("2", &id, 1, &[line(2, 2)]).await.unwrap_err();
    assert_eq!(much.violations()[0].field, "lines[0].quantity");
    let known = ShipParcelRequest {
        request_id: "other".into(),
        order_id: id.clone(),
        part: 1,
        carrier: "sf".into(),
        tracking_no: "1".into(),
        ..Default::default()
    };
    assert_eq!(reason(depot.ship_as(known).await), "PARCEL_KNOWN");
    let second = depot.ship("2", &id, 1, &[]).await.unwrap().parcel.unwrap();
    assert_eq!(second.lines, [line(1, 1), line(2, 1)]);
    assert_eq!(reason(depot.ship("3", &id, 1, &[]).await), "NOTHING_TO_SEND");
    assert_eq!((depot.pieces("scarf").await, depot.pieces("dress-m").await), ((98, 0), (99, 0)));
    let committed =
        "select sum(-on_hand_delta)::bigint from stock_movements where cause = 'committed'";
    assert_eq!(depot.world.count(committed).await, 3, "each a movement");
    let sent = depot.parcels(&id).await;
    let pieces: i64 = sent.iter().flat_map(|parcel| &parcel.lines).map(|line| line.quantity).sum();
    assert_eq!((sent.len(), pieces), (2, 3));

    assert_eq!(depot.sign(&second).await.order.unwrap().state(), OrderState::Shipped);
    let first = depot.sign(first.parcel.as_ref().unwrap()).await;
    assert_eq!(first.order.unwrap().state(), OrderState::Signed);
    let events = ["placed", "paid", "accepted", "shipped", "signed"];
    assert_eq!(depot.events(&id).await, events);
    depot.books().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_parcels_with_all_that_is_left_one_leaves() {
    let depot = Depot::new(&[]).await;
    let id = depot.taken("a").await;
    let numbers: Vec<String> = (0..16).map(|n| n.to_string()).collect();
    let replies = join_all(numbers.iter().map(|no| depot.ship(no, &id, 1, &[]))).await;
    let (sent, refused): (Vec<_>, Vec<_>) = replies.into_iter().partition(Result::is_ok);
    assert_eq!((sent.len(), refused.len()), (1, 15));
    for refused in refused {
        assert_eq!(reason(refused), "NOTHING_TO_SEND");
    }
    assert_eq!(depot.pieces("scarf").await, (98, 0));
    depot.books().await;
}

#[tokio::test]
async fn a_parcel_arrives_once_and_not_before_it_was_sent() {
    let depot = Depot::new(&[]).await;
    let id = depot.taken("a").await;
    let parcel = depot.ship("1", &id, 1, &[]).await.unwrap().parcel.unwrap();
    for (sign_time, description) in
        [(at(-1), "is before the parcel was sent"), (at(1), "is in the future")]
    {
        let request =
            SignParcelRequest { parcel_id: parcel.id.clone(), sign_time: Some(sign_time) };
        let refused = fault(depot.world.fulfilment(1).sign_parcel(request).await.unwrap_err());
        assert_eq!(refused.violations()[0].description, description);
    }
    let signed = depot.sign(&parcel).await;
    depot.world.clock.advance(chrono::TimeDelta::hours(1));
    let again = depot.sign(&parcel).await;
    assert_eq!(again.parcel, signed.parcel, "the first instant stays");
    assert_eq!(again.parcel.unwrap().sign_time.unwrap().seconds, NOW);
    for who in [1, 2] {
        let parcel_id = parcel.id.replace("pcl_0", "pcl_1");
        let parcel_id = if who == 1 { parcel_id } else { parcel.id.clone() };
        let request = SignParcelRequest { parcel_id, sign_time: None };
        let refused = fault(depot.world.fulfilment(who).sign_parcel(request).await.unwrap_err());
        assert_eq!(refused.code(), Code::NotFound, "{who}");
    }
    let request = ListParcelsRequest { order_id: id, ..Default::default() };
    let theirs = depot.world.fulfilment(2).list_parcels(request).await.unwrap().into_inner();
    assert_eq!(theirs.parcels, []);
}

#[tokio::test]
async fn what_is_given_back_before_it_leaves_is_not_waited_for() {
    let depot = Depot::new(&[]).await;
    let id = depot.taken("a").await;
    let parcel = depot.ship("1", &id, 1, &[line(1, 1), line(2, 1)]).await.unwrap().parcel.unwrap();
    depot.sign(&parcel).await;
    assert_eq!(depot.state(&id).await, OrderState::Shipped, "a scarf is missing");
    depot.refund("r", &id, crate::refunds::pieces(2, 1)).await.unwrap();
    depot.work().await;
    assert_eq!(depot.state(&id).await, OrderState::Signed);
    assert_eq!(depot.parts(&id).await[0].state(), AssignmentState::Done);
    assert_eq!(depot.pieces("scarf").await, (99, 0));
    depot.books().await;
}

#[tokio::test]
async fn draws_of_blind_boxes_are_sent_like_pieces_each_in_one_parcel() {
    let depot = Depot::new(&[]).await;
    let (valid_time_from, valid_time_to) = days();
    let prize = |code: &str, odds_ppm| BlindBoxPrize {
        code: code.into(),
        name: code.into(),
        sku: format!("{code}-doll"),
        odds_ppm,
        ..Default::default()
    };
    let dolls = BlindBox {
        code: "dolls".into(),
        name: "dolls".into(),
        sku: "scarf".into(),
        prizes: vec![prize("gold", 500_000), prize("grey", 500_000)],
        rule: "one doll in each box".into(),
        no_excluded_goods: true,
        valid_time_from,
        valid_time_to,
        ..BlindBox::default()
    };
    let request = PublishBlindBoxRequest { request_id: "p".into(), blind_box: Some(dolls) };
    depot.world.boxes(1).publish_blind_box(request).await.unwrap();
    let entry = BlindBoxEntry {
        box_code: "dolls".into(),
        version: 1,
        age: AgeBand::Adult.into(),
        guardian_consent: false,
    };
    let cart = PlaceOrderRequest {
        lines: vec![CartLine { sku: "scarf".into(), quantity: 5 }],
        activity: Some(Activity::BlindBox(entry)),
        ..depot.cart("a")
    };
    let id = depot.buy(cart).await;
    depot.accept("a", &id, (1, ""), &[]).await.unwrap();
    let request = GetBlindBoxDrawRequest { order_id: id.clone() };
    let drawn = depot.world.boxes(1).get_blind_box_draw(request).await.unwrap().into_inner();
    let ship = |no: &str, lines: &[FulfilmentLine], draws: &[i32]| ShipParcelRequest {
        request_id: no.into(),
        order_id: id.clone(),
        part: 1,
        carrier: "sf".into(),
        tracking_no: no.into(),
        lines: lines.to_vec(),
        draw_sequences: draws.to_vec(),
    };
    let wrong = depot.ship_as(ship("x", &[line(1, 2)], &[2, 6, 2])).await.unwrap_err();
    let fields: Vec<&str> = wrong.violations().iter().map(|v| v.field.as_str()).collect();
    assert_eq!(fields, ["draw_sequences[1]", "draw_sequences[2]", "draw_sequences"]);
    let named = depot.ship_as(ship("1", &[line(1, 2)], &[2, 4])).await.unwrap().parcel.unwrap();
    let again = depot.ship_as(ship("y", &[line(1, 1)], &[4])).await.unwrap_err();
    assert_eq!(again.violations()[0].description, "is in a parcel");
    let rest = depot.ship_as(ship("2", &[], &[])).await.unwrap().parcel.unwrap();
    let sent = |parcel: &Parcel| -> Vec<i32> { parcel.draws.iter().map(|d| d.sequence).collect() };
    assert_eq!((sent(&named), sent(&rest)), (vec![2, 4], vec![1, 3, 5]));
    for draw in named.draws.iter().chain(&rest.draws) {
        let outcome = drawn.outcomes.iter().find(|o| o.sequence == draw.sequence).unwrap();
        assert_eq!((&draw.prize, &draw.sku), (&outcome.prize, &outcome.sku));
    }
    assert_eq!(figures(&depot.world, "scarf", "main").await, (95, 0, 95));
    let other = depot.taken("b").await;
    let none = ShipParcelRequest { order_id: other, ..ship("z", &[line(1, 1)], &[1]) };
    assert_eq!(depot.ship_as(none).await.unwrap_err().violations()[0].field, "draw_sequences");
}

#[tokio::test]
async fn a_piece_that_was_sent_and_comes_back_takes_nothing_off_what_is_still_to_be_sent() {
    let depot = Depot::new(&[]).await;
    let cart = PlaceOrderRequest {
        lines: vec![CartLine { sku: "scarf".into(), quantity: 3 }],
        ..depot.cart("a")
    };
    let id = depot.buy(cart).await;
    depot.accept("a", &id, (1, ""), &[]).await.unwrap();
    let broken = depot.ship("1", &id, 1, &[line(1, 1)]).await.unwrap().parcel.unwrap();
    depot.sign(&broken).await;
    assert_eq!(depot.pieces("scarf").await, (99, 2));
    let request = RequestRefundRequest {
        request_id: "r".into(),
        order_id: id.clone(),
        ask: Some(crate::refunds::pieces(1, 1)),
        reason: "broken".into(),
        needs_return: true,
        agreed: true,
        ..Default::default()
    };
    let reply = depot.world.refunds(1).request_refund(request).await.unwrap().into_inner();
    let refund = reply.refund.unwrap();
    depot.decide(&refund, RefundDecision::ReturnShipped).await.unwrap();
    depot.decide(&refund, RefundDecision::ReturnReceived).await.unwrap();
    depot.work().await;
    assert_eq!(depot.look(&refund).await.state(), RefundState::Succeeded);
    // It is back in stock, and the two others wait as before.
    assert_eq!(depot.pieces("scarf").await, (100, 2));
    assert_eq!(depot.parts(&id).await[0].lines, [line(1, 2)]);
    assert_eq!(depot.state(&id).await, OrderState::Shipped);
    assert_eq!(reason(depot.confirm(&id).await), "PIECES_MISSING");

    // Another one goes out first: the piece that came back does not stand for it.
    let second = depot.ship("2", &id, 1, &[line(1, 1)]).await.unwrap().parcel.unwrap();
    assert_eq!(depot.sign(&second).await.order.unwrap().state(), OrderState::Shipped);
    let last = depot.ship("3", &id, 1, &[]).await.unwrap().parcel.unwrap();
    assert_eq!(last.lines, [line(1, 1)]);
    assert_eq!(reason(depot.ship("4", &id, 1, &[]).await), "NOTHING_TO_SEND");
    assert_eq!(depot.sign(&last).await.order.unwrap().state(), OrderState::Signed);
    assert_eq!(depot.pieces("scarf").await, (98, 0));
    depot.books().await;
}
