//! Two merchants in one installation: to one of them, what the other has is as if it did not exist.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use siyu_kernel::Clock;
use siyu_proto::order::v1::ExternalOrder;
use siyu_runtime::SystemClock;
use siyu_tests::support::{LIMIT, Merchant, order, run_until_idle, story, suite, until};

/// Calls that name something by its id, as `{kind}`.
const CALLS: &[(&str, &str, &str)] = &[
    ("GET", "/v1/stores/{store}", ""),
    ("GET", "/v1/staff/{staff}", ""),
    ("GET", "/v1/staff?store_id={store}", ""),
    ("POST", "/v1/staff", r#"{"staff": {"code": "c", "name": "n", "store_id": "{store}"}}"#),
    ("GET", "/v1/persons/{person}", ""),
    ("GET", "/v1/persons/{person}/entries?asset=ASSET_POINTS", ""),
    ("GET", "/v1/persons/{person}/connections", ""),
    ("GET", "/v1/persons/{person}/binding", ""),
    ("GET", "/v1/metrics/persons/{person}/rfm", ""),
    (
        "POST",
        "/v1/connections:record",
        r#"{"connections": [{"person_id": "{person}", "channel": "sms", "account_id": "a",
            "state": "CONNECTION_STATE_CONNECTED", "state_time": "2024-01-01T00:00:00Z"}]}"#,
    ),
    ("GET", "/v1/orders/{order}", ""),
    ("GET", "/v1/orders?person_id={person}", ""),
    ("GET", "/v1/orders?store_id={store}", ""),
    ("GET", "/v1/promoters/{promoter}", ""),
    ("GET", "/v1/promoters/{promoter}/bindings", ""),
    ("POST", "/v1/promoters", r#"{"person_id": "{own}", "inviter_promoter_id": "{promoter}"}"#),
    ("POST", "/v1/bindings", r#"{"person_id": "{own}", "promoter_id": "{promoter}"}"#),
    ("GET", "/v1/commissions?promoter_id={promoter}", ""),
    ("GET", "/v1/commissions?order_id={order}", ""),
    ("GET", "/v1/campaigns/{campaign}", ""),
    ("GET", "/v1/campaigns/{campaign}/messages", ""),
    ("POST", "/v1/campaigns/{campaign}:start", "{}"),
    ("POST", "/v1/campaigns/{campaign}:cancel", "{}"),
    (
        "POST",
        "/v1/receipts:record",
        r#"{"receipts": [{"receipt_id": "r", "message_id": "{message}", "state": "MESSAGE_STATE_CLICKED",
            "occur_time": "2024-01-01T00:00:00Z"}]}"#,
    ),
    ("POST", "/v1/tokens/{token}:revoke", "{}"),
];

/// Every list of a merchant.
const LISTS: &[(&str, &str)] = &[
    ("/v1/stores", "stores"),
    ("/v1/staff", "staff"),
    ("/v1/persons", "persons"),
    ("/v1/orders", "orders"),
    ("/v1/quarantined-orders", "quarantined_orders"),
    ("/v1/promoters", "promoters"),
    ("/v1/commissions", "commissions"),
    ("/v1/campaigns", "campaigns"),
];

type Ids = BTreeMap<&'static str, String>;

#[test]
fn what_another_merchant_has_is_answered_like_what_nobody_has() {
    story(async {
        let owner = Merchant::open(suite().await, "Asia/Shanghai", "CNY").await;
        let ids = furnish(&owner).await;
        let other = Merchant::open(suite().await, "Asia/Shanghai", "CNY").await;
        let own = resolve(&other, "own").await;
        let unknown: Ids = ids.iter().map(|(kind, id)| (*kind, altered(id))).collect();
        for (method, path, body) in CALLS {
            let theirs = call(&other, method, path, body, &ids, &own).await;
            let nobodys = call(&other, method, path, body, &unknown, &own).await;
            assert_eq!(theirs, nobodys, "{method} {path}");
            let is_list = path.contains('?') || path.ends_with(":record");
            assert!(is_list || theirs.0 == 404, "{method} {path}: {theirs:?}");
        }
        // The owner still has all of it, and the other one nothing.
        for (path, list) in LISTS {
            assert!(owner.count(path, list).await > 0, "{path}");
            let mine = usize::from(*list == "persons");
            assert_eq!(other.count(path, list).await, mine, "{path}");
        }
        let token = call(&owner, "GET", "/v1/persons/{person}", "", &ids, &own).await;
        assert_eq!(token.0, 200, "the token was not revoked: {token:?}");
    });
}

#[test]
fn two_merchants_may_use_the_same_keys_and_never_meet() {
    story(async {
        let one = Merchant::open(suite().await, "Asia/Shanghai", "CNY").await;
        let two = Merchant::open(suite().await, "Asia/Shanghai", "CNY").await;
        let at = SystemClock.now();
        for (merchant, amount) in [(&one, 100), (&two, 70_000)] {
            merchant.take_in(vec![order("1", "b", at, &[amount])]).await;
            store(merchant).await;
        }
        run_until_idle(&one.place).await;
        for (merchant, amount) in [(&one, 100), (&two, 70_000)] {
            let total = crate::truth::sales(merchant).await.total.unwrap();
            assert_eq!((total.orders, total.buyers, total.gmv_minor), (1, 1, amount));
            assert_eq!(merchant.count("/v1/stores", "stores").await, 1);
        }
        let person =
            async |merchant: &Merchant| merchant.persons("shop", &["b"]).await["b"].clone();
        assert_ne!(person(&one).await, person(&two).await);
    });
}

/// Status and body of a call, with the ids that were asked for taken out of it.
async fn call(
    merchant: &Merchant,
    method: &str,
    path: &str,
    body: &str,
    ids: &Ids,
    own: &str,
) -> (u16, String) {
    let fill = |text: &str| {
        let filled = ids
            .iter()
            .fold(text.to_owned(), |text, (kind, id)| text.replace(&format!("{{{kind}}}"), id));
        filled.replace("{own}", own)
    };
    let body: Option<Value> =
        (!body.is_empty()).then(|| serde_json::from_str(&fill(body)).unwrap());
    let reply = merchant.caller.rest(method, &fill(path), body.as_ref()).await;
    let mut json = reply.json();
    json.as_object_mut().unwrap().remove("trace_id");
    let text = ids.iter().fold(json.to_string(), |text, (kind, id)| text.replace(id, kind));
    (reply.status.as_u16(), text)
}

/// An id of the same kind that nobody has.
fn altered(id: &str) -> String {
    let (head, tail) = id.split_at(id.len() - 10);
    let turned: String = tail.chars().rev().collect();
    let digits = if turned == tail { "0123456789".to_owned() } else { turned };
    format!("{head}{digits}")
}

async fn post(merchant: &Merchant, path: &str, body: Value) -> Value {
    let reply = merchant.caller.rest("POST", path, Some(&body)).await;
    assert!(reply.status.is_success(), "POST {path} {body}: {reply:?}");
    reply.json()
}

fn text(json: &Value, path: &str) -> String {
    json.pointer(path)
        .and_then(Value::as_str)
        .unwrap_or_else(|| panic!("{path}: {json}"))
        .to_owned()
}

async fn store(merchant: &Merchant) -> String {
    let store = json!({"stores": [{"code": "S", "name": "s"}]});
    text(&post(merchant, "/v1/stores:upsert", store).await, "/stores/0/id")
}

async fn resolve(merchant: &Merchant, buyer: &str) -> String {
    let key = json!({"kind": "IDENTITY_KIND_PLATFORM_BUYER", "scope": "shop/main", "value": buyer});
    let body = json!({"sets": [{"identities": [key]}]});
    text(&post(merchant, "/v1/persons:resolve", body).await, "/persons/0/person_id")
}

/// Gives a merchant one of everything.
async fn furnish(merchant: &Merchant) -> Ids {
    let mut ids =
        Ids::from([("store", store(merchant).await), ("person", resolve(merchant, "b").await)]);
    let staff = json!({"staff": {"code": "E1", "name": "e", "store_id": ids["store"]}});
    ids.insert("staff", text(&post(merchant, "/v1/staff", staff).await, "/staff/id"));
    let inviter = json!({"person_id": resolve(merchant, "promoter").await});
    ids.insert("promoter", text(&post(merchant, "/v1/promoters", inviter).await, "/promoter/id"));
    let rule = json!({"rule": {"level1_bp": 1000, "imported_private_orders": true}});
    let reply = merchant.caller.rest("PUT", "/v1/commission-rule", Some(&rule)).await;
    assert!(reply.status.is_success(), "{reply:?}");
    let binding = json!({"person_id": ids["person"], "promoter_id": ids["promoter"]});
    post(merchant, "/v1/bindings", binding).await;
    let edge = json!({
        "person_id": ids["person"], "channel": "sandbox", "account_id": "a",
        "state": "CONNECTION_STATE_CONNECTED", "state_time": SystemClock.now().to_rfc3339(),
    });
    post(merchant, "/v1/connections:record", json!({"connections": [edge]})).await;
    let at = SystemClock.now();
    let sold = ExternalOrder { store_code: "S".to_owned(), ..order("1", "b", at, &[10_000]) };
    let aside = ExternalOrder { status: "odd".to_owned(), ..order("2", "b", at, &[100]) };
    let order_id = merchant.take_in(vec![sold, aside]).await[0].order_id.clone();
    ids.insert("order", order_id);
    let campaign = json!({"name": "c", "channel": "sandbox", "text": "t"});
    let campaign = text(&post(merchant, "/v1/campaigns", campaign).await, "/campaign/id");
    post(merchant, &format!("/v1/campaigns/{campaign}:start"), json!({})).await;
    let path = format!("/v1/campaigns/{campaign}/messages");
    let message = until("a message is made", LIMIT, async || {
        let reply = merchant.caller.rest("GET", &path, None).await.json();
        reply.pointer("/messages/0/id").and_then(Value::as_str).map(str::to_owned)
    })
    .await;
    ids.extend([("campaign", campaign), ("message", message)]);
    let reply = merchant.caller.rest("GET", "/v1/tokens", None).await.json();
    ids.insert("token", text(&reply, "/tokens/0/id"));
    run_until_idle(&merchant.place).await;
    ids
}
