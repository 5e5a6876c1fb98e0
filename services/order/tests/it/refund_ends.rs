//! What is left of an order that is wholly refunded.

use siyu_proto::order::v1::*;

use crate::{checkouts::Buyer, refunds::pieces};

fn amount(line_no: i32, amount_minor: i64) -> RefundAsk {
    let line = RefundLine { line_no, quantity: 0, amount_minor };
    RefundAsk { lines: vec![line], ..RefundAsk::default() }
}

#[tokio::test]
async fn an_order_whose_money_went_back_without_its_pieces_reserves_none_any_more() {
    let buyer = Buyer::with_sandbox().await;
    let id = buyer.buy(buyer.cart("a")).await;
    // One scarf with its money, then all other money by amounts.
    for (key, ask) in [("1", pieces(2, 1)), ("2", amount(2, 5_000)), ("3", amount(1, 20_000))] {
        let pieces = (buyer.pieces("dress-m").await.1, buyer.pieces("scarf").await.1);
        assert_eq!(pieces.0, 1, "before {key}");
        let refund = buyer.refund(key, &id, ask).await.unwrap();
        buyer.work().await;
        assert_eq!(buyer.look(&refund).await.state(), RefundState::Succeeded);
    }
    assert_eq!(buyer.world.get(1, &id).await.unwrap().state(), OrderState::Refunded);
    assert_eq!((buyer.pieces("dress-m").await, buyer.pieces("scarf").await), ((100, 0), (100, 0)));
    buyer.books().await;
}
