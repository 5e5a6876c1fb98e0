//! A merchant with one of everything that has an id.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use siyu_tests::support::{LIMIT, Merchant, suite, until};

/// Ids by prefix: `sto` → `sto_…`.
pub(crate) type Ids = BTreeMap<String, String>;

/// Opens a merchant and makes one of each kind.
pub(crate) async fn furnished() -> (Merchant, Ids) {
    let merchant = Merchant::open(suite().await, "Asia/Shanghai", "CNY").await;
    let mut ids = Ids::new();
    let mut keep = |id: &str| {
        let (prefix, _) = id.split_once('_').unwrap_or_else(|| panic!("{id} is no id"));
        ids.insert(prefix.to_owned(), id.to_owned());
        id.to_owned()
    };
    keep(&merchant.record.id);
    let post = async |path: &str, body: Value, at: &str| {
        let reply = merchant.caller.rest("POST", path, Some(&body)).await;
        assert!(reply.status.is_success(), "POST {path}: {reply:?}");
        reply
            .json()
            .pointer(at)
            .unwrap_or_else(|| panic!("{at}: {reply:?}"))
            .as_str()
            .unwrap()
            .to_owned()
    };
    let stores = json!({"stores": [{"code": "S1", "name": "one"}]});
    keep(&post("/v1/stores:upsert", stores, "/stores/0/id").await);
    let staff = json!({"staff": {"code": "wf", "name": "wf"}});
    keep(&post("/v1/staff", staff, "/staff/id").await);
    let key = json!({"kind": "IDENTITY_KIND_PLATFORM_BUYER", "scope": "pos/1", "value": "b"});
    let sets = json!({"sets": [{"identities": [key]}]});
    let person = keep(&post("/v1/persons:resolve", sets, "/persons/0/person_id").await);
    let paid = json!({"currency_code": "CNY", "minor_units": "1000"});
    let orders = json!({"orders": [{
        "platform": "pos", "shop_id": "1", "order_no": "1", "buyer_id": "b", "store_code": "S1",
        "pay_time": "2024-01-01T04:00:00Z", "lines": [{"line_no": 1, "quantity": "1", "paid": paid}],
    }]});
    keep(&post("/v1/orders:import", orders, "/results/0/order_id").await);
    keep(&post("/v1/promoters", json!({"person_id": person}), "/promoter/id").await);
    let audience = json!({"audience": {"name": "everyone", "filter": {"match": "MATCH_ALL"}}});
    let audience = keep(&post("/v1/audiences", audience, "/audience/id").await);
    let path = format!("/v1/audiences/{audience}:snapshot");
    keep(&post(&path, json!({}), "/snapshot/id").await);
    let group = json!({"group": {"name": "g"}});
    keep(&post("/v1/tag-groups", group, "/group/id").await);
    keep(&post("/v1/tags", json!({"tag": {"name": "t"}}), "/tag/id").await);
    let attribute = json!({"attribute": {"code": "a", "name": "a", "type": "ATTRIBUTE_TYPE_TEXT"}});
    keep(&post("/v1/attributes", attribute, "/attribute/id").await);
    let campaign = json!({"name": "n", "channel": "sandbox", "text": "t"});
    let campaign = keep(&post("/v1/campaigns", campaign, "/campaign/id").await);
    keep(&post("/v1/tokens", json!({"name": "t", "scopes": ["staff.read"]}), "/token/id").await);
    post(&format!("/v1/campaigns/{campaign}:start"), json!({}), "/campaign/id").await;
    let path = format!("/v1/campaigns/{campaign}/messages");
    let message = until("the campaign has a message", LIMIT, async || {
        let reply = merchant.caller.rest("GET", &path, None).await;
        reply.json()["messages"][0]["id"].as_str().map(str::to_owned)
    });
    keep(&message.await);
    (merchant, ids)
}
