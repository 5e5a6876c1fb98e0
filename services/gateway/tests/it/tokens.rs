//! Tokens: who gets one, what it opens, when it ends.

use chrono::TimeDelta;
use serde_json::{Value, json};
use siyu_testkit::merchant;

use crate::{
    fake::store_id,
    world::{Reply, World},
};

fn code(reply: &Reply) -> (u16, String) {
    let (status, code, _) = reply.problem();
    (status, code)
}

#[tokio::test]
async fn the_secret_is_told_once_and_stored_nowhere() {
    let world = World::new().await;
    let (id, secret) = world.token(1, &["stores.read"]).await;
    assert!(secret.starts_with("syt_") && secret.len() == 47, "{secret}");
    let list = world.get("/v1/tokens", &secret).await;
    assert_eq!(code(&list), (403, "SCOPE_MISSING".to_owned()), "it has one scope only");

    let (_, all) = world.token(1, &[]).await;
    let list = world.get("/v1/tokens", &all).await.json();
    assert!(!list.to_string().contains("syt_"));
    let tokens = list["tokens"].as_array().unwrap();
    assert_eq!(tokens.len(), 2);
    assert_eq!(tokens[1]["id"], id, "newest first");
    assert_eq!(tokens[1]["scopes"], json!(["stores.read"]));
    assert_eq!(tokens[1]["create_time"], "2024-06-01T00:00:00Z");
    let rows: Vec<(Vec<u8>,)> = sqlx::query_as("select digest from tokens")
        .fetch_all(&mut world.database.owner().await)
        .await
        .unwrap();
    assert!(rows.iter().all(|(digest,)| !secret.as_bytes().starts_with(digest)));
}

#[tokio::test]
async fn lists_come_in_pages() {
    let world = World::new().await;
    let mut all = String::new();
    for _ in 0..5 {
        all = world.token(1, &[]).await.1;
    }
    world.token(2, &[]).await;
    let (mut seen, mut next) = (Vec::new(), String::new());
    loop {
        let page =
            world.get(&format!("/v1/tokens?page_size=2&page_token={next}"), &all).await.json();
        seen.extend(page["tokens"].as_array().unwrap().iter().map(|t| t["id"].to_string()));
        next = page["next_page_token"].as_str().unwrap().to_owned();
        if next.is_empty() {
            break;
        }
    }
    assert_eq!(seen.len(), 5);
    assert!(seen.is_sorted_by(|a, b| a > b), "{seen:?}");
}

#[tokio::test]
async fn another_merchants_token_finds_nothing() {
    let world = World::new().await;
    let (mine, own) = world.token(1, &[]).await;
    let (_, foreign) = world.token(2, &[]).await;
    let path = format!("/v1/stores/{}", store_id());
    assert_eq!(world.get(&path, &own).await.status, 200);
    let (theirs, unknown) =
        (world.get(&path, &foreign).await, world.get("/v1/stores/sto_nothing", &foreign).await);
    let told = |reply: &Reply| {
        let mut told = reply.json();
        told.as_object_mut().unwrap().remove("trace_id");
        told
    };
    assert_eq!(told(&theirs), told(&unknown), "a foreign id answers exactly as an unknown one");

    let revoke =
        async |id: &str| world.post(&format!("/v1/tokens/{id}:revoke"), &foreign, &json!({})).await;
    let nowhere = siyu_testkit::id::<siyu_kernel::kind::Token>(77).to_string();
    assert_eq!(told(&revoke(&mine).await), told(&revoke(&nowhere).await));
    assert_eq!(world.get(&path, &own).await.status, 200, "and nothing happened to it");
    let list = world.get("/v1/tokens", &foreign).await.json();
    assert_eq!(list["tokens"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_revoked_token_is_dead_at_once() {
    let world = World::new().await;
    let (id, secret) = world.token(1, &[]).await;
    assert_eq!(world.get("/v1/merchant", &secret).await.status, 200);
    let (_, other) = world.token(1, &[]).await;
    let path = format!("/v1/tokens/{id}:revoke");
    let first = world.post(&path, &other, &json!({})).await.json();
    assert_eq!(first["token"]["revoke_time"], "2024-06-01T00:00:00Z");
    // The clock stands still: nothing has run out, and yet it is over.
    let dead = world.get("/v1/merchant", &secret).await;
    assert_eq!(code(&dead), (401, "CREDENTIAL_INVALID".to_owned()));
    world.clock.advance(TimeDelta::hours(1));
    assert_eq!(world.post(&path, &other, &json!({})).await.json(), first, "a repeat has no effect");
}

#[tokio::test]
async fn what_another_process_revokes_is_dead_within_five_seconds() {
    let world = World::new().await;
    let (_, secret) = world.token(1, &[]).await;
    assert_eq!(world.get("/v1/merchant", &secret).await.status, 200);
    sqlx::query("update tokens set revoked_at = now()")
        .execute(&mut world.database.owner().await)
        .await
        .unwrap();
    assert_eq!(world.get("/v1/merchant", &secret).await.status, 200, "it is still remembered");
    world.clock.advance(TimeDelta::seconds(5));
    assert_eq!(world.get("/v1/merchant", &secret).await.status, 401);
}

#[tokio::test]
async fn a_token_ends_by_its_time_even_while_it_is_remembered() {
    let world = World::new().await;
    let body = json!({
        "merchant_id": merchant(1).to_string(), "name": "short",
        "expire_time": "2024-06-01T00:00:02Z"
    });
    let reply = world.post("/v1/tokens", &world.operator, &body).await.json();
    let secret = reply["secret"].as_str().unwrap();
    assert_eq!(world.get("/v1/merchant", secret).await.status, 200);
    world.clock.advance(TimeDelta::seconds(2));
    assert_eq!(world.get("/v1/merchant", secret).await.status, 401);
    let again = world.post("/v1/tokens", &world.operator, &body).await;
    assert_eq!(again.problem().2[0].0, "expire_time", "it lies in the past now");
}

#[tokio::test]
async fn no_answer_tells_whether_a_token_exists() {
    let world = World::new().await;
    let (id, secret) = world.token(1, &[]).await;
    world.post(&format!("/v1/tokens/{id}:revoke"), &secret, &json!({})).await;
    let never = siyu_gateway::Secret::new([99; 32]);
    let mut answers: Vec<Value> = Vec::new();
    for token in [secret.as_str(), never.expose(), "syt_short", "anything", &world.operator[..46]] {
        let mut reply = world.get("/v1/merchant", token).await.json();
        reply.as_object_mut().unwrap().remove("trace_id");
        answers.push(reply);
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:#?}");
}

#[tokio::test]
async fn the_operator_names_a_merchant_that_exists() {
    let world = World::new().await;
    let create = async |merchant: &str| {
        let body = json!({"merchant_id": merchant, "name": "n"});
        world.post("/v1/tokens", &world.operator, &body).await
    };
    assert_eq!(create("").await.problem().2[0].0, "merchant_id");
    assert_eq!(create("mch_1").await.problem().2[0].0, "merchant_id");
    let unknown = create(&merchant(10).to_string()).await;
    assert_eq!(code(&unknown), (404, "NOT_FOUND".to_owned()));
    assert_eq!(create(&merchant(9).to_string()).await.status, 200);
}

#[tokio::test]
async fn a_merchant_makes_tokens_for_itself_with_no_more_scopes_than_it_has() {
    let world = World::new().await;
    let (_, narrow) = world.token(1, &["tokens.*", "stores.read"]).await;
    let create = async |body: Value| world.post("/v1/tokens", &narrow, &body).await;
    let made =
        create(json!({"name": "n", "scopes": ["stores.read", "tokens.write", "stores.read"]}))
            .await;
    assert_eq!(made.json()["token"]["scopes"], json!(["stores.read", "tokens.write"]));
    assert_eq!(made.json()["token"]["merchant_id"], merchant(1).to_string());
    for scopes in [json!([]), json!(["*"]), json!(["stores.*"]), json!(["stores.write"])] {
        let reply = create(json!({"name": "n", "scopes": scopes})).await;
        assert_eq!(code(&reply), (403, "SCOPE_EXCEEDED".to_owned()), "{scopes}");
    }
    let reply = create(json!({"name": "n", "scopes": ["stores.read", "stores.fly"]})).await;
    assert_eq!(reply.problem().2[0].0, "scopes[1]");
    for named in [merchant(1), merchant(2)] {
        let reply = create(
            json!({"name": "n", "scopes": ["stores.read"], "merchant_id": named.to_string()}),
        )
        .await;
        assert_eq!(reply.problem().2[0].0, "merchant_id");
    }
}

#[tokio::test]
async fn a_token_opens_what_its_scopes_and_its_audience_say() {
    let world = World::new().await;
    let (_, narrow) = world.token(1, &["stores.read"]).await;
    assert_eq!(world.get("/v1/stores", &narrow).await.status, 200);
    let reply = world.get("/v1/merchant", &narrow).await;
    assert_eq!(code(&reply), (403, "SCOPE_MISSING".to_owned()));
    assert_eq!(reply.json()["metadata"]["scope"], "merchants.read");
    let (_, all) = world.token(1, &[]).await;
    let reply = world.get("/v1/merchants", &all).await;
    assert_eq!(code(&reply), (403, "AUDIENCE_WRONG".to_owned()), "the operator's list");
    let reply = world.get("/v1/stores", &world.operator).await;
    assert_eq!(code(&reply), (403, "AUDIENCE_WRONG".to_owned()), "the operator has no stores");
}

#[tokio::test]
async fn a_database_that_is_away_is_no_bad_credential() {
    let world = World::new().await;
    let (_, secret) = world.token(1, &[]).await;
    world.database.db().close().await;
    let reply = world.get("/v1/merchant", &secret).await;
    assert_eq!(reply.status.as_u16(), 503, "{reply:?}");
    assert_eq!(world.get("/v1/merchants", &world.operator).await.status, 200, "no look-up needed");
}

#[tokio::test]
async fn the_schema_keeps_the_rules_of_the_house() {
    let world = World::new().await;
    let mut owner = world.database.owner().await;
    let violations = siyu_pg::catalogue::violations(&mut owner, &[]).await.unwrap();
    assert_eq!(violations, Vec::<String>::new());
}
