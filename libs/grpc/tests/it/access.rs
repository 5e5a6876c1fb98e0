//! Who is let in.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use prost::Message;
use serde_json::{Value, json};
use siyu_grpc::{Assertions, Caller, Rules, Scopes, Settings, auth::Refused};
use siyu_proto::{
    event::v1::{ReadEventsRequest, event_log_service_client::EventLogServiceClient},
    member::v1::{
        GetMerchantRequest, ListMerchantsRequest, merchant_service_client::MerchantServiceClient,
    },
};
use tonic::{Code, Request, Status};

use crate::fixture::{Fixture, KEY, START, create, merchant, reason};

/// 2024-06-01T00:00:00Z.
const NOW: i64 = 1_717_200_000;

async fn get_with(fixture: &Fixture, credential: Option<&str>) -> Result<(), Status> {
    let mut request = Request::new(GetMerchantRequest {});
    if let Some(credential) = credential {
        request.metadata_mut().insert("authorization", credential.parse().unwrap());
    }
    MerchantServiceClient::new(fixture.local()).get_merchant(request).await.map(|_| ())
}

/// The claims of a good token, changed by the test.
fn claims(change: impl FnOnce(&mut Value)) -> Value {
    let mut claims = json!({
        "sub": "tok_1", "aud": "merchant", "mch": merchant(1).to_string(), "scp": "merchants.read",
        "iat": NOW, "exp": NOW + 60,
    });
    change(&mut claims);
    claims
}

fn signed(algorithm: Algorithm, key: &[u8], claims: &Value) -> String {
    encode(&Header::new(algorithm), claims, &EncodingKey::from_secret(key)).unwrap()
}

#[tokio::test]
async fn no_method_of_the_contracts_answers_an_anonymous_caller() {
    let fixture = Fixture::new();
    let mut count = 0;
    for (path, _) in Rules::suite().iter() {
        let request = http::Request::post(path).body(tonic::body::Body::empty()).unwrap();
        let response = fixture.app.answer(request).await;
        let status = Status::from_header_map(response.headers()).expect("a refusal");
        assert_eq!(status.code(), Code::Unauthenticated, "{path}");
        assert_eq!(reason(&status), "CREDENTIAL_MISSING", "{path}");
        count += 1;
    }
    assert!(count > 10, "there are methods");
}

#[tokio::test]
async fn a_good_assertion_is_let_in_with_what_it_states() {
    let fixture = Fixture::new();
    let token = signed(Algorithm::HS256, KEY, &claims(|_| ()));
    get_with(&fixture, Some(&format!("Bearer {token}"))).await.unwrap();
    let seen = fixture.probe.last();
    assert_eq!(seen.caller, Caller::Merchant(merchant(1)));
    assert_eq!(&*seen.subject, "tok_1");
    assert_eq!(seen.now, START.parse::<chrono::DateTime<chrono::Utc>>().unwrap());
    assert!(seen.scopes.hold("merchants.read") && !seen.scopes.hold("merchants.write"));
}

#[tokio::test]
async fn forged_tokens_are_refused_without_saying_why() {
    let fixture = Fixture::new();
    let good = signed(Algorithm::HS256, KEY, &claims(|_| ()));
    let [header, payload, signature] =
        good.split('.').collect::<Vec<_>>().try_into().expect("three parts");
    let unsigned = |alg: &str| BASE64.encode(json!({ "alg": alg, "typ": "JWT" }).to_string());
    let other = BASE64.encode(claims(|c| c["scp"] = json!("*")).to_string());
    let with = |change: fn(&mut Value)| signed(Algorithm::HS256, KEY, &claims(change));
    let mut foreign = Header::new(Algorithm::HS256);
    foreign.kid = Some("../../dev/null".to_owned());
    foreign.jku = Some("https://attacker.example/keys".to_owned());
    let foreign_key = EncodingKey::from_secret(&[0; 32]);
    let forged = [
        ("no algorithm", format!("{}.{payload}.", unsigned("none"))),
        ("no algorithm, shouted", format!("{}.{payload}.", unsigned("NONE"))),
        ("no algorithm, old signature", format!("{}.{payload}.{signature}", unsigned("none"))),
        ("a public-key algorithm", format!("{}.{payload}.{signature}", unsigned("RS256"))),
        ("another hash", signed(Algorithm::HS512, KEY, &claims(|_| ()))),
        ("another key", signed(Algorithm::HS256, &[7; 32], &claims(|_| ()))),
        ("another key, named", encode(&foreign, &claims(|_| ()), &foreign_key).unwrap()),
        ("changed claims", format!("{header}.{other}.{signature}")),
        ("no signature", format!("{header}.{payload}.")),
        ("a cut signature", good[..good.len() - 4].to_owned()),
        ("an unknown audience", with(|c| c["aud"] = json!("everyone"))),
        ("no audience", with(|c| drop(c.as_object_mut().unwrap().remove("aud")))),
        ("no expiry", with(|c| drop(c.as_object_mut().unwrap().remove("exp")))),
        ("no subject", with(|c| c["sub"] = json!(""))),
        ("no merchant", with(|c| drop(c.as_object_mut().unwrap().remove("mch")))),
        ("a merchant that is none", with(|c| c["mch"] = json!("ord_00000000000000000000000001"))),
        ("an operator with a merchant", with(|c| c["aud"] = json!("platform"))),
        ("a long life", with(|c| c["exp"] = json!(NOW + 3600))),
        (
            "issued tomorrow",
            with(|c| {
                c["iat"] = json!(NOW + 86_400);
                c["exp"] = json!(NOW + 86_430);
            }),
        ),
        ("times beyond the calendar", with(|c| c["exp"] = json!(i64::MAX))),
        ("a huge token", with(|c| c["scp"] = json!("x ".repeat(4000)))),
        ("nothing", String::new()),
        ("no token", "a.b.c".to_owned()),
    ];
    for (what, token) in forged {
        let refused = get_with(&fixture, Some(&format!("Bearer {token}"))).await.unwrap_err();
        assert_eq!(refused.code(), Code::Unauthenticated, "{what}");
        assert_eq!(reason(&refused), "CREDENTIAL_INVALID", "{what}");
        assert_eq!(refused.message(), "the credential is not valid", "{what}");
    }
    for credential in ["Basic YTpi", "Bearer", &good] {
        let refused = get_with(&fixture, Some(credential)).await.unwrap_err();
        assert_eq!(reason(&refused), "CREDENTIAL_MISSING", "{credential}");
    }
}

#[tokio::test]
async fn a_token_ends_with_its_time_even_if_it_was_seen_before() {
    let fixture = Fixture::new();
    let token = format!("Bearer {}", signed(Algorithm::HS256, KEY, &claims(|_| ())));
    get_with(&fixture, Some(&token)).await.unwrap();
    fixture.clock.set("2024-06-01T00:01:04Z");
    get_with(&fixture, Some(&token)).await.expect("within the skew of two clocks");
    fixture.clock.set("2024-06-01T00:01:05Z");
    let refused = get_with(&fixture, Some(&token)).await.unwrap_err();
    assert_eq!((refused.code(), &*reason(&refused)), (Code::Unauthenticated, "CREDENTIAL_EXPIRED"));
    fixture.clock.set("2024-05-31T00:00:00Z");
    let refused = get_with(&fixture, Some(&token)).await.unwrap_err();
    assert_eq!(reason(&refused), "CREDENTIAL_INVALID", "a clock set back a day");
}

#[tokio::test]
async fn audience_and_scope_are_those_of_the_method() {
    let fixture = Fixture::new();
    let as_merchant = Caller::Merchant(merchant(1));
    let internal = Caller::Internal(Some(merchant(1)));
    for (caller, scopes, refusal) in [
        (as_merchant, "*", Some("AUDIENCE_WRONG")),
        (internal, "*", Some("AUDIENCE_WRONG")),
        (Caller::Platform, "", Some("SCOPE_MISSING")),
        (Caller::Platform, "merchants.read", Some("SCOPE_MISSING")),
        (Caller::Platform, "merchant.*", Some("SCOPE_MISSING")),
        (Caller::Platform, "merchants.write", None),
        (Caller::Platform, "orders.read merchants.*", None),
    ] {
        let mut client = fixture.client(fixture.local(), caller, scopes);
        let outcome = client.create_merchant(create("x")).await;
        match refusal {
            None => drop(outcome.expect(scopes)),
            Some(expected) => {
                let refused = outcome.unwrap_err();
                assert_eq!(refused.code(), Code::PermissionDenied, "{scopes}");
                assert_eq!(reason(&refused), expected, "{caller:?} {scopes}");
            }
        }
    }
    let refused = fixture.operator(fixture.local()).get_merchant(GetMerchantRequest {}).await;
    assert_eq!(reason(&refused.unwrap_err()), "AUDIENCE_WRONG");
}

#[tokio::test]
async fn internal_methods_are_for_siblings_only() {
    let fixture = Fixture::new();
    let peer = fixture.peer(fixture.local());
    let outside = peer.call(Caller::Platform, "tok_1".into(), Scopes::all());
    let refused =
        EventLogServiceClient::new(outside).read_events(ReadEventsRequest::default()).await;
    assert_eq!(reason(&refused.unwrap_err()), "AUDIENCE_WRONG");
    let mut sibling = EventLogServiceClient::new(peer.as_service(None));
    sibling.read_events(ReadEventsRequest::default()).await.unwrap();
    let seen = fixture.probe.last();
    assert_eq!((seen.caller, &*seen.subject), (Caller::Internal(None), "test"));
    assert_eq!(seen.merchant().unwrap_err().reason(), "MERCHANT_REQUIRED");
}

#[tokio::test]
async fn a_method_without_an_access_option_is_closed_to_everyone() {
    // Decoding and encoding loses the options that extensions add: contracts that say nothing about access.
    let silent = prost_types::FileDescriptorSet::decode(siyu_proto::DESCRIPTOR_SET).unwrap();
    let silent: &'static [u8] = silent.encode_to_vec().leak();
    let fixture = Fixture::build(Settings::default(), Some(silent));
    let mut client = fixture.operator(fixture.local());
    let refused = client.list_merchants(ListMerchantsRequest::default()).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    assert_eq!(reason(&refused), "METHOD_CLOSED");
}

#[test]
fn a_key_can_be_replaced_while_tokens_of_the_old_one_live() {
    let now = START.parse().unwrap();
    let mint = |key: &[u8]| {
        let signer = Assertions::new(key).unwrap();
        signer.mint(Caller::Platform, &"tok_1".into(), &Scopes::all(), now)
    };
    let (old, new, foreign) = (mint(&[1; 32]), mint(&[2; 32]), mint(&[3; 32]));
    let both = Assertions::new(&[2; 32]).unwrap().accepting(&[1; 32]).unwrap();
    assert_eq!(both.verify(&old, now).unwrap().caller, Caller::Platform);
    assert_eq!(both.verify(&new, now).unwrap().caller, Caller::Platform);
    assert!(matches!(both.verify(&foreign, now), Err(Refused::Invalid(_))));
    assert!(Assertions::new(&[0; 31]).is_err(), "a short key");
    assert_eq!(format!("{both:?}"), "Assertions { keys: 2, .. }", "keys are not printed");
}

#[test]
fn a_minted_token_is_used_again_while_half_of_its_life_is_left() {
    let signer = Assertions::new(KEY).unwrap();
    let mint = |time: &str, scopes: &str| {
        let subject = "tok_1".into();
        signer.mint(Caller::Platform, &subject, &Scopes::parse(scopes), time.parse().unwrap())
    };
    let first = mint("2024-06-01T00:00:00Z", "*");
    assert_eq!(mint("2024-06-01T00:00:29Z", "*"), first);
    assert_ne!(mint("2024-06-01T00:00:29Z", "orders.read"), first);
    assert_ne!(mint("2024-06-01T00:00:30Z", "*"), first);
    let back = mint("2024-05-01T00:00:00Z", "*");
    let verified = signer.verify(&back, "2024-05-01T00:00:00Z".parse().unwrap());
    assert!(verified.is_ok(), "a clock that is set back gets tokens of its own time: {verified:?}");
}

#[test]
fn a_star_holds_whole_words_only() {
    for (held, wanted, holds) in [
        ("*", "orders.read", true),
        ("orders.*", "orders.read", true),
        ("orders.*", "ordersecrets.read", false),
        ("orders*", "orders.read", false),
        ("orders.read", "orders.read", true),
        ("orders.read", "orders.readall", false),
        ("a.b orders.read", "orders.read", true),
        ("", "orders.read", false),
    ] {
        assert_eq!(Scopes::parse(held).hold(wanted), holds, "{held} {wanted}");
    }
    assert_eq!(["a.read", "b.write"].into_iter().collect::<Scopes>().as_str(), "a.read b.write");
}
