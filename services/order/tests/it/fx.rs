//! Orders that their buyers see in another currency.

use chrono::TimeDelta;
use siyu_grpc::fault;
use siyu_kernel::Fault;
use siyu_proto::order::v1::*;

use crate::{market::Market, market::reason, world::at};

pub(crate) fn rate(currency_code: &str, rate: &str, seconds: i64) -> FxRate {
    FxRate {
        currency_code: currency_code.into(),
        rate: rate.into(),
        source: "a bank".into(),
        rate_time: Some(at(seconds)),
    }
}

impl Market {
    async fn rates(&self, rates: &[FxRate]) -> Result<Vec<FxRate>, Fault> {
        let request = UpsertFxRatesRequest { rates: rates.to_vec() };
        let reply = self.world.rates(1).upsert_fx_rates(request).await;
        reply.map(|reply| reply.into_inner().rates).map_err(fault)
    }

    fn seen_in(&self, key: &str, currency: &str) -> PlaceOrderRequest {
        PlaceOrderRequest {
            presentment_currency_code: currency.into(),
            shipping_minor: 801,
            ..self.cart(key)
        }
    }
}

#[tokio::test]
async fn an_order_keeps_the_rate_that_it_was_placed_at_and_its_parts_sum_to_the_whole() {
    let market = Market::new(1).await;
    market.rates(&[rate("JPY", "21.4567", 0), rate("USD", "0.1397", 0)]).await.unwrap();
    let reply = market.place(market.seen_in("a", "JPY")).await.unwrap();
    let (order, checkout) = (reply.order.unwrap(), reply.checkout.unwrap());
    let shown = checkout.presentment.unwrap();
    // 308.01 CNY at 21.4567: 6608.878167 JPY; 200.00, 100.00 and 8.01 of it.
    assert_eq!(
        (shown.payable_minor, &shown.lines_minor, shown.shipping_minor),
        (6_609, &vec![4_291, 2_146], 172)
    );
    assert_eq!(shown.charge_minor, Some(6_609), "all of it is paid in cash");
    // What the order is worth stays in the merchant's currency.
    assert_eq!(order.paid.unwrap().currency_code, "CNY");
    market.rates(&[rate("JPY", "30", 0)]).await.unwrap();
    let later = market.checkout(&order.id).await.presentment.unwrap();
    assert_eq!(later, shown);
    assert_eq!(later.rate.unwrap(), rate("JPY", "21.4567", 0));
    let own = market.place(market.seen_in("b", "CNY")).await.unwrap().checkout.unwrap();
    assert_eq!(own.presentment, None);
    let list = market.world.rates(1).list_fx_rates(ListFxRatesRequest::default()).await.unwrap();
    let codes: Vec<String> = list.into_inner().rates.into_iter().map(|r| r.currency_code).collect();
    assert_eq!(codes, ["JPY", "USD"]);
}

#[tokio::test]
async fn an_order_is_not_placed_at_a_rate_that_is_not_there_or_too_old() {
    let market = Market::new(1).await;
    assert_eq!(reason(market.order(market.seen_in("a", "JPY")).await), "FX_RATE_MISSING");
    assert_eq!(reason(market.order(market.seen_in("a", "XAU")).await), "INVALID_FIELD");
    market.rates(&[rate("JPY", "21.4567", 0)]).await.unwrap();
    market.world.clock.advance(TimeDelta::days(3));
    assert_eq!(reason(market.order(market.seen_in("a", "JPY")).await), "FX_RATE_MISSING");
    assert_eq!(market.world.count("select count(*) from orders").await, 0);
    let wrong =
        [rate("CNY", "1", 0), rate("XDR", "1", 0), rate("EUR", "0", 0), rate("USD", "1", 999_999)];
    let refused = market.rates(&wrong).await.unwrap_err();
    let fields: Vec<&str> = refused.violations().iter().map(|v| v.field.as_str()).collect();
    let expected =
        ["rates[0].currency_code", "rates[1].currency_code", "rates[2].rate", "rates[3].rate_time"];
    assert_eq!(fields, expected);
}

#[tokio::test]
async fn a_rate_that_comes_late_takes_no_newer_ones_place() {
    let market = Market::new(1).await;
    let newer = rate("JPY", "21.4567", 0);
    market.rates(std::slice::from_ref(&newer)).await.unwrap();
    let late = [rate("USD", "0.1397", -60), rate("JPY", "20", -60)];
    let now = market.rates(&late).await.unwrap();
    assert_eq!(now, [newer.clone(), late[0].clone()], "as they are now");
    let shown = market.place(market.seen_in("a", "JPY")).await.unwrap().checkout.unwrap();
    assert_eq!(shown.presentment.unwrap().rate, Some(newer));
    // Of two words about the same instant the later one counts.
    let again = rate("JPY", "21.5", 0);
    assert_eq!(market.rates(std::slice::from_ref(&again)).await.unwrap(), [again]);
}
