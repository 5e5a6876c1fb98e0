//! Tokens: what one does not allow is refused, and a revoked one ends at once.

use chrono::TimeDelta;
use serde_json::{Value, json};
use siyu_kernel::Clock;
use siyu_runtime::SystemClock;
use siyu_tests::support::{Caller, Merchant, story, suite};

async fn token(merchant: &Merchant, body: &Value) -> (Caller, String) {
    let reply = merchant.caller.rest("POST", "/v1/tokens", Some(body)).await;
    assert!(reply.status.is_success(), "{reply:?}");
    let text = |path: &str| reply.json().pointer(path).unwrap().as_str().unwrap().to_owned();
    (Caller::new(merchant.place.http, &text("/secret")).await, text("/token/id"))
}

async fn status(caller: &Caller, path: &str) -> u16 {
    caller.rest("GET", path, None).await.status.as_u16()
}

#[test]
fn a_token_allows_its_scopes_and_cannot_make_one_that_allows_more() {
    story(async {
        let merchant = Merchant::open(suite().await, "Asia/Shanghai", "CNY").await;
        let scopes = json!({"name": "reader", "scopes": ["orders.read", "tokens.*"]});
        let (reader, _) = token(&merchant, &scopes).await;
        assert_eq!(status(&reader, "/v1/orders").await, 200);
        assert_eq!(status(&reader, "/v1/persons").await, 403);
        let body = json!({"name": "more", "scopes": ["persons.read"]});
        let reply = reader.rest("POST", "/v1/tokens", Some(&body)).await;
        assert_eq!(reply.problem().1, "SCOPE_EXCEEDED", "{reply:?}");
        let everything = json!({"name": "everything"});
        let reply = reader.rest("POST", "/v1/tokens", Some(&everything)).await;
        assert_eq!(reply.problem().1, "SCOPE_EXCEEDED", "{reply:?}");
        let merchants = json!({"name": "n"});
        let reply = merchant.caller.rest("POST", "/v1/merchants", Some(&merchants)).await;
        assert_eq!(reply.status.as_u16(), 403, "only the operator opens merchants: {reply:?}");
    });
}

#[test]
fn a_revoked_token_and_one_whose_time_is_over_open_nothing_by_either_way() {
    story(async {
        let merchant = Merchant::open(suite().await, "Asia/Shanghai", "CNY").await;
        let (caller, id) = token(&merchant, &json!({"name": "soon gone"})).await;
        assert_eq!(status(&caller, "/v1/orders").await, 200);
        assert!(caller.client().merchant().await.is_ok());
        let path = format!("/v1/tokens/{id}:revoke");
        let reply = merchant.caller.rest("POST", &path, Some(&json!({}))).await;
        assert!(reply.status.is_success(), "{reply:?}");
        assert_eq!(status(&caller, "/v1/orders").await, 401);
        assert!(caller.client().merchant().await.is_err());
        assert_eq!(status(&merchant.caller, "/v1/orders").await, 200, "the other one goes on");

        let past = (SystemClock.now() - TimeDelta::seconds(1)).to_rfc3339();
        let body = json!({"name": "late", "expire_time": past});
        let reply = merchant.caller.rest("POST", "/v1/tokens", Some(&body)).await;
        if reply.status.is_success() {
            let secret = reply.json()["secret"].as_str().unwrap().to_owned();
            let late = Caller::new(merchant.place.http, &secret).await;
            assert_eq!(status(&late, "/v1/orders").await, 401);
        } else {
            assert_eq!(reply.problem().2, ["expire_time"], "{reply:?}");
        }
    });
}
