//! The line of a payment breaks after each of its bytes, on the way there and on the way back.

use futures::future::join_all;
use siyu_grpc::Caller;
use siyu_proto::member::v1::{
    PayValueRequest, PayValueResponse, ValueCharge,
    stored_value_service_client::StoredValueServiceClient,
};
use siyu_tests::support::{Cut, HEAVY, Proxy, Way, story};
use tonic::Response;
use tonic_types::StatusExt;

use crate::{bank::Bank, chaos_time};

/// So many calls in a row were not reached by the cut: everything that a call says is shorter than that.
const WHOLE: u64 = 3;
/// Which bytes a short run tries; a long one tries each.
const SHORT_STEP: u64 = 3;

#[test]
fn a_payment_whose_line_breaks_at_any_byte_is_made_once_and_a_repeat_has_the_first_answer() {
    story(async {
        let _alone = HEAVY.lock().await;
        let bank = Bank::open(2, &[]).await;
        // Both ways at a time, each on a card of its own.
        let ways = [(Way::Out, 0), (Way::Back, 1)];
        let cut = join_all(ways.map(|(way, holder)| cut_everywhere(&bank, way, holder))).await;
        let least = 200 / step();
        assert!(cut.iter().all(|cut| *cut > least), "{cut:?}");
        bank.assert_sound().await;
        bank.alone.stop().await;
    });
}

fn step() -> u64 {
    chaos_time().map_or(SHORT_STEP, |_| 1)
}

/// Pays over lines that break later each time, until they do not; gives how many broke.
async fn cut_everywhere(bank: &Bank, way: Way, holder: usize) -> u64 {
    let line = Proxy::start(bank.alone.addr());
    let card_id = &bank.holders[holder].card_id;
    let (mut has, mut after, mut whole) = (total(bank, card_id).await, 0, 0);
    while whole < WHOLE {
        line.set(Some(Cut { way, after }));
        let request = PayValueRequest {
            request_id: format!("{way:?}-{after}"),
            charges: vec![ValueCharge { card_id: card_id.clone(), amount_minor: 10 }],
            ..Default::default()
        };
        let cuts = line.cuts();
        let first = pay(bank, &line, request.clone()).await;
        whole = if line.cuts() == cuts { whole + 1 } else { 0 };
        let seen = total(bank, card_id).await;
        let is_made = first.is_some();
        assert!(seen == has - 10 || (seen == has && !is_made), "all of it or nothing: {after}");
        let again = insist(bank, request).await;
        assert!(first.is_none_or(|first| first == again), "another answer after {after} bytes");
        has -= 10;
        assert_eq!(total(bank, card_id).await, has, "once, after {after} bytes");
        after += step();
    }
    line.cuts()
}

/// Pays over a new connection of the line.
async fn pay(bank: &Bank, line: &Proxy, request: PayValueRequest) -> Option<PayValueResponse> {
    let way = bank.alone.bare(line.addr(), Caller::Merchant(bank.merchant));
    let call = StoredValueServiceClient::new(way).pay_value(request).await;
    let Err(status) = call else { return call.ok().map(Response::into_inner) };
    // A line that breaks is no answer of anybody's.
    assert!(status.get_details_error_info().is_none(), "{status:?}");
    None
}

async fn insist(bank: &Bank, request: PayValueRequest) -> PayValueResponse {
    let call = async |call, q| StoredValueServiceClient::new(call).pay_value(q).await;
    bank.own().insist(request, call).await
}

/// Principal and bonus together.
async fn total(bank: &Bank, card_id: &str) -> i64 {
    let card = bank.card(card_id).await;
    card.principal_minor + card.bonus_minor
}
