use prost::Message;
use prost_types::Timestamp;
use siyu_kernel::{Code, Fault};
use siyu_proto::order::v1::{promotion::Does, *};

use crate::{
    catalogue::{item, upsert},
    checkouts::Buyer,
    world::{NOW, World},
};

pub(crate) fn promotion(code: &str, does: Does) -> Promotion {
    Promotion {
        code: code.into(),
        name: format!("promotion {code}"),
        valid_time_from: Some(Timestamp { seconds: NOW, nanos: 0 }),
        valid_time_to: Some(Timestamp { seconds: NOW + 60, nanos: 0 }),
        does: Some(does),
        ..Promotion::default()
    }
}

fn threshold(code: &str, from_minor: i64, off_minor: i64) -> Promotion {
    let tiers = vec![Tier { from_minor, off_minor, ..Tier::default() }];
    promotion(code, Does::Threshold(Threshold { tiers, ..Threshold::default() }))
}

pub(crate) async fn save(world: &World, promotions: &[Promotion]) -> Result<Vec<Promotion>, Fault> {
    let request = UpsertPromotionsRequest { promotions: promotions.to_vec() };
    let reply = world.promotions(1).upsert_promotions(request).await;
    Ok(reply.map_err(siyu_grpc::fault)?.into_inner().promotions)
}

pub(crate) async fn quote(
    world: &World,
    lines: &[(&str, i64)],
) -> Result<QuoteCartResponse, Fault> {
    quote_for(world, QuoteCartRequest::default(), lines).await
}

/// Prices lines for the buyer, and with the choice of coupons, that the request has already.
pub(crate) async fn quote_for(
    world: &World,
    request: QuoteCartRequest,
    lines: &[(&str, i64)],
) -> Result<QuoteCartResponse, Fault> {
    let line = |(sku, quantity): &(&str, i64)| CartLine { sku: (*sku).into(), quantity: *quantity };
    let request = QuoteCartRequest {
        lines: lines.iter().map(line).collect(),
        shipping_minor: 800,
        shipping_free_from_minor: 50_000,
        ..request
    };
    let reply = world.quotes(1).quote_cart(request).await.map_err(siyu_grpc::fault)?;
    Ok(reply.into_inner())
}

pub(crate) async fn shop() -> World {
    let world = World::new().await;
    let items = [item("dress", &[("dress-m", 20_000)]), item("scarf", &[("scarf", 5_000)])];
    upsert(&world, 1, &items).await.unwrap();
    world
}

#[tokio::test]
async fn a_cart_is_priced_with_the_promotions_in_force_and_every_row_is_told() {
    let world = shop().await;
    let special = LinePrice { sku: "scarf".into(), unit_minor: 4_000 };
    let half = NthPiece { n: 2, rate_bp: 5_000 };
    let mut later = threshold("later", 1, 1);
    later.valid_time_from = Some(Timestamp { seconds: NOW + 1, nanos: 0 });
    let mut paused = threshold("paused", 1, 1);
    paused.paused = true;
    let promotions = [
        promotion("special", Does::LinePrice(special)),
        promotion("half", Does::NthPiece(half)),
        threshold("off", 30_000, 3_000),
        later,
        paused,
    ];
    save(&world, &promotions).await.unwrap();
    let priced = quote(&world, &[("dress-m", 2), ("scarf", 1)]).await.unwrap();
    let rows: Vec<(i32, PriceStep, &str, i64)> = priced
        .rows
        .iter()
        .map(|row| (row.line_no, row.step(), row.rule.as_str(), row.amount_minor))
        .collect();
    let expected = [
        (2, PriceStep::LinePrice, "special", 1_000),
        (1, PriceStep::LinePromotion, "half", 10_000),
        // 3000 over 30000 and 4000.
        (1, PriceStep::OrderPromotion, "off", 2_647),
        (2, PriceStep::OrderPromotion, "off", 353),
        (0, PriceStep::Shipping, "", -800),
    ];
    assert_eq!(rows, expected);
    let minor = |money: Option<siyu_proto::r#type::v1::Money>| money.unwrap().minor_units;
    assert_eq!(minor(priced.list), 45_000);
    assert_eq!(minor(priced.payable), 31_800);
    assert_eq!(minor(priced.shipping), 800);
    assert_eq!(priced.lines.iter().map(|line| line.payable_minor).sum::<i64>(), 31_000);
    world.clock.advance(chrono::TimeDelta::seconds(60));
    let after = quote(&world, &[("dress-m", 2), ("scarf", 1)]).await.unwrap();
    assert_eq!(minor(after.payable), 45_800, "promotions end at their instant");
}

#[tokio::test]
async fn what_is_not_sold_has_no_price_and_is_named() {
    let world = shop().await;
    let mut scarf = item("scarf", &[("scarf", 5_000)]);
    scarf.withdrawn = true;
    upsert(&world, 1, &[scarf]).await.unwrap();
    let refused = quote(&world, &[("dress-m", 1), ("scarf", 1), ("nothing", 1)]).await.unwrap_err();
    let fields: Vec<&str> = refused.violations().iter().map(|v| v.field.as_str()).collect();
    assert_eq!(fields, ["lines[1].sku", "lines[2].sku"]);
    let large: Vec<(&str, i64)> = (0..500).map(|_| ("dress-m", 100_000)).collect();
    assert!(quote(&world, &large).await.is_ok());
    upsert(&world, 1, &[item("dress", &[("dress-m", 10_000_000_000)])]).await.unwrap();
    let refused = quote(&world, &large).await.unwrap_err();
    assert_eq!((refused.code(), refused.reason()), (Code::InvalidArgument, "CART_TOO_LARGE"));
}

#[tokio::test]
async fn promotions_that_contradict_themselves_are_refused_by_field() {
    let world = shop().await;
    let mut turned = threshold("turned", 1, 1);
    turned.valid_time_to = turned.valid_time_from;
    let mut nothing = threshold("nothing", 1, 1);
    nothing.does = None;
    let tier =
        |from_minor, off_minor, rate_bp| Tier { from_minor, off_minor, rate_bp, ..Tier::default() };
    let tiers = vec![tier(100, 1, 0), tier(100, 1, 0), tier(200, 1, 1), tier(0, 0, 1)];
    let odd = promotion("odd", Does::Threshold(Threshold { tiers, ..Threshold::default() }));
    let part = BundlePart { sku: "scarf".into(), quantity: 1 };
    let bundle = Bundle { parts: vec![part.clone(), part], price_minor: 1 };
    let twice = promotion("twice", Does::Bundle(bundle));
    let wrong = [turned.clone(), nothing, odd, twice, turned];
    let refused = save(&world, &wrong).await.unwrap_err();
    let fields: Vec<&str> = refused.violations().iter().map(|v| v.field.as_str()).collect();
    let expected = [
        "promotions[0].valid_time_to",
        "promotions[1].does",
        "promotions[2].threshold.tiers[1]",
        "promotions[2].threshold.tiers[2]",
        "promotions[2].threshold.tiers[3]",
        "promotions[2].threshold.tiers[3]",
        "promotions[3].bundle.parts",
        "promotions[4].code",
        "promotions[4].valid_time_to",
    ];
    assert_eq!(fields, expected);
}

#[tokio::test]
async fn promotions_are_listed_by_code_and_by_the_instant_they_are_in_force() {
    let world = shop().await;
    let mut paused = threshold("c", 1, 1);
    paused.paused = true;
    let given = [threshold("b", 1, 1), threshold("a", 1, 1), paused];
    assert_eq!(save(&world, &given).await.unwrap(), given);
    let list = async |valid_time: Option<i64>| -> Vec<String> {
        let mut request = ListPromotionsRequest {
            valid_time: valid_time.map(|seconds| Timestamp { seconds, nanos: 0 }),
            page_size: 1,
            ..ListPromotionsRequest::default()
        };
        let mut codes = Vec::new();
        loop {
            let reply = world.promotions(1).list_promotions(request.clone()).await.unwrap();
            let page = reply.into_inner();
            codes.extend(page.promotions.into_iter().map(|promotion| promotion.code));
            if page.next_page_token.is_empty() {
                return codes;
            }
            request.page_token = page.next_page_token;
        }
    };
    assert_eq!(list(None).await, ["a", "b", "c"]);
    assert_eq!(list(Some(NOW)).await, ["a", "b"]);
    assert_eq!(list(Some(NOW + 60)).await, Vec::<String>::new());
    let get = GetPromotionRequest { code: "b".into() };
    let found = world.promotions(1).get_promotion(get.clone()).await.unwrap().into_inner();
    assert_eq!(found.promotion.unwrap(), given[0]);
    let refused = siyu_grpc::fault(world.promotions(2).get_promotion(get).await.unwrap_err());
    assert_eq!(refused.code(), Code::NotFound);
}

#[tokio::test]
async fn an_order_keeps_the_promotions_that_its_price_may_follow_from_and_no_others() {
    let buyer = Buyer::new().await;
    let price = |sku: &str| Does::LinePrice(LinePrice { sku: sku.into(), unit_minor: 4_000 });
    let part = |sku: &str| BundlePart { sku: sku.into(), quantity: 1 };
    let set = |parts| Does::Bundle(Bundle { parts, price_minor: 10_000_000 });
    let of_hats = Scope { categories: vec!["hats".into()], ..Scope::default() };
    let mut promotions = vec![
        promotion("special", price("scarf")),
        promotion("set", set(vec![part("dress-m"), part("scarf")])),
        promotion("other-set", set(vec![part("dress-m"), part("hat")])),
        threshold("off", 20_000, 3_000),
        Promotion { scope: Some(of_hats), ..threshold("hats-off", 1, 1) },
    ];
    promotions.extend((0..50).map(|n| promotion(&format!("p{n}"), price(&format!("hat-{n}")))));
    save(&buyer.world, &promotions).await.unwrap();
    let order = buyer.place(buyer.cart("a")).await.unwrap().order.unwrap();
    assert_eq!(order.paid.unwrap().minor_units, 20_000 + 2 * 4_000 - 3_000);
    let mut owner = buyer.world.database.owner().await;
    let kept: Vec<u8> =
        sqlx::query_scalar("select snapshot from checkouts").fetch_one(&mut owner).await.unwrap();
    let kept = PriceSnapshot::decode(kept.as_slice()).unwrap();
    let codes: Vec<&str> = kept.promotions.iter().map(|one| one.code.as_str()).collect();
    assert_eq!(codes, ["off", "set"]);
    assert!(buyer.checkout(&order.id).await.price_confirmed);
}
