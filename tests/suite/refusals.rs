//! What is not as it must be is refused with a reason that names the field, and nothing of it is stored.

use bytes::Bytes;
use serde_json::json;
use siyu_kernel::Clock;
use siyu_proto::{
    order::v1::{ExternalOrder, ImportOrdersRequest, ImportOutcome, ImportResult},
    r#type::v1::Money,
};
use siyu_runtime::SystemClock;
use siyu_tests::support::{Merchant, announce, order, refused, request, story, suite};
use tonic::Code;
use tonic_types::StatusExt;

async fn merchant() -> Merchant {
    Merchant::open(suite().await, "Asia/Shanghai", "CNY").await
}

/// Asserts that the merchant has nothing.
async fn assert_empty(merchant: &Merchant) {
    for (path, list) in
        [("/v1/orders", "orders"), ("/v1/persons", "persons"), ("/v1/stores", "stores")]
    {
        assert_eq!(merchant.count(path, list).await, 0, "{path}");
    }
}

fn with_paid(currency_code: &str, minor_units: i64) -> ExternalOrder {
    let mut order = order("1", "b", SystemClock.now(), &[0]);
    order.lines[0].paid = Some(Money { currency_code: currency_code.to_owned(), minor_units });
    order
}

#[test]
fn an_unknown_field_is_named_and_nothing_is_stored() {
    story(async {
        let merchant = merchant().await;
        let rest = &merchant.caller;
        let body = json!({"stores": [{"code": "A", "name": "a", "colour": "red"}]});
        let reply = rest.rest("POST", "/v1/stores:upsert", Some(&body)).await;
        let named = (400, "INVALID_FIELD".to_owned(), vec!["stores[0].colour".to_owned()]);
        assert_eq!(reply.problem(), named);
        let body = json!({"orders": [{"platform": "shop", "order_number": "1"}]});
        let reply = rest.rest("POST", "/v1/orders:import", Some(&body)).await;
        assert_eq!(reply.problem().2, ["orders[0].order_number"]);
        let reply = rest.rest("GET", "/v1/metrics/sales?from=1997-01-01", None).await;
        assert_eq!(reply.problem().2, ["from"]);
        assert_empty(&merchant).await;
    });
}

#[test]
fn amounts_and_currencies_that_cannot_be_are_named_and_nothing_of_the_order_is_stored() {
    story(async {
        let merchant = merchant().await;
        let cases = [
            (with_paid("CNY", -1), "lines[0].paid.minor_units"),
            (with_paid("XXQ", 100), "lines[0].paid.currency_code"),
            (with_paid("USD", 100), "lines[0].paid.currency_code"),
            (with_paid("CNY", i64::MAX), "lines[0].paid.minor_units"),
            (with_paid("cny", 100), "lines[0].paid.currency_code"),
        ];
        let orders: Vec<ExternalOrder> = cases
            .iter()
            .zip(1..)
            .map(|((order, _), no): (_, i32)| ExternalOrder {
                order_no: no.to_string(),
                ..order.clone()
            })
            .collect();
        let results = merchant.offer(orders).await;
        let field = |result: &ImportResult| {
            assert_eq!(result.outcome(), ImportOutcome::Rejected, "{result:?}");
            assert!(!result.errors[0].description.is_empty());
            result.errors[0].field.clone()
        };
        let found: Vec<String> = results.iter().map(field).collect();
        assert_eq!(found, cases.map(|(_, field)| field));
        assert_empty(&merchant).await;
    });
}

#[test]
fn a_merchant_in_a_currency_or_zone_that_does_not_exist_is_not_opened() {
    story(async {
        let place = suite().await;
        for (body, field) in [
            (json!({"name": "n", "currency_code": "XXQ"}), "currency_code"),
            (json!({"name": "n", "zone": "Asia/Peking"}), "zone"),
            (json!({"name": ""}), "name"),
        ] {
            let bytes = Bytes::from(body.to_string());
            let reply = request(place.http, "POST", "/v1/merchants", &place.operator, Some(bytes));
            let reply = reply.await.unwrap();
            let named = (400, "INVALID_FIELD".to_owned(), vec![field.to_owned()]);
            assert_eq!(reply.problem(), named, "{body}: {reply:?}");
        }
    });
}

#[test]
fn a_message_that_is_too_large_is_refused_and_the_next_one_is_served() {
    story(async {
        let merchant = merchant().await;
        // Sound, but for its size.
        let mut large = order("1", "b", SystemClock.now(), &[100]);
        large.lines[0].sku = "s".repeat(9 << 20);
        let client = merchant.caller.client();
        let request = ImportOrdersRequest { orders: vec![large] };
        // The request is large to show, too.
        let shown = format!("an order of {} bytes", prost::Message::encoded_len(&request));
        let status = refused(shown, async |_| client.imports().import_orders(request).await).await;
        let details = status.get_error_details();
        let reason = details.error_info().map(|info| info.reason.as_str());
        assert_eq!((status.code(), reason), (Code::InvalidArgument, Some("MESSAGE_TOO_LARGE")));
        assert!(status.message().contains("8388608 bytes"), "{status:?}");

        let token = merchant.caller.token();
        let reply = announce(merchant.place.http, "/v1/orders:import", token, 9 << 20).await;
        assert_eq!((reply.status.as_u16(), reply.problem().1.as_str()), (413, "BODY_TOO_LARGE"));
        assert!(reply.body.contains("at most 8388608 bytes"), "{reply:?}");
        assert_empty(&merchant).await;
        merchant.take_in(vec![order("1", "b", SystemClock.now(), &[100])]).await;
        assert_eq!(merchant.count("/v1/orders", "orders").await, 1);
    });
}
