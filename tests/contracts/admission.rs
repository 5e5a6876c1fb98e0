//! Who gets in: every method, asked by everyone who should not, through the gateway of a running suite.

use bytes::Bytes;
use siyu_grpc::Audience;
use siyu_kernel::{Code, Fault};
use siyu_tests::support::{Merchant, Place, story, suite};

use crate::{
    methods::{self, Method},
    raw,
};

async fn merchant() -> Merchant {
    Merchant::open(suite().await, "Asia/Shanghai", "CNY").await
}

async fn refusal(place: &Place, method: &Method, token: &str) -> Fault {
    let answer = raw::call(place, &method.path(), token, Bytes::new()).await;
    answer.err().unwrap_or_else(|| panic!("{} was answered", method.path()))
}

#[test]
fn no_public_method_answers_somebody_without_a_token_or_with_a_wrong_one() {
    story(async {
        let place = suite().await;
        let made_up = "syt_0000000000000000000000000000000000000000000000000000";
        for method in methods::all().iter().filter(|method| method.is_public()) {
            for (token, reason) in [
                ("", "CREDENTIAL_MISSING"),
                (made_up, "CREDENTIAL_INVALID"),
                ("x", "CREDENTIAL_INVALID"),
            ] {
                let refused = refusal(place, method, token).await;
                let told = (refused.code(), refused.reason());
                assert_eq!(told, (Code::Unauthenticated, reason), "{} {token}", method.path());
            }
        }
    });
}

#[test]
fn every_method_wants_its_scope_and_no_other() {
    story(async {
        let merchant = merchant().await;
        let place = &merchant.place;
        let all: Vec<String> = methods::scopes().iter().map(ToString::to_string).collect();
        for scope in &all {
            let others: Vec<&str> = all.iter().map(String::as_str).filter(|s| s != scope).collect();
            let lacking = raw::token(&merchant.caller, &others).await;
            let having = raw::token(&merchant.caller, &[scope]).await;
            let wanted = methods::all();
            let of = |m: &&Method| {
                m.is_public() && m.scope() == scope && m.rule.audience() != Some(Audience::Platform)
            };
            for method in wanted.iter().filter(of) {
                let path = method.path();
                let refused = refusal(place, method, &lacking).await;
                assert_eq!(
                    (refused.code(), refused.reason()),
                    (Code::PermissionDenied, "SCOPE_MISSING"),
                    "{path}"
                );
                assert_eq!(refused.metadata()["scope"], *scope, "{path}");
                let answer = raw::call(place, &path, &having, Bytes::new()).await;
                let code = answer.err().map(|fault| fault.code());
                let shut = [Code::PermissionDenied, Code::Unauthenticated, Code::Unimplemented];
                assert!(code.is_none_or(|code| !shut.contains(&code)), "{path}: {code:?}");
            }
        }
    });
}

#[test]
fn methods_of_the_operator_and_of_merchants_refuse_each_other() {
    story(async {
        let merchant = merchant().await;
        let place = &merchant.place;
        let (mut platform, mut own) = (0, 0);
        for method in methods::all() {
            let token = match method.rule.audience() {
                Some(Audience::Platform) => merchant.caller.token(),
                Some(Audience::Merchant) => &place.operator,
                Some(Audience::Internal | Audience::Any) | None => continue,
            };
            let refused = refusal(place, &method, token).await;
            assert_eq!(
                (refused.code(), refused.reason()),
                (Code::PermissionDenied, "AUDIENCE_WRONG"),
                "{}",
                method.path()
            );
            let is_platform = method.rule.audience() == Some(Audience::Platform);
            (platform, own) = (platform + i32::from(is_platform), own + i32::from(!is_platform));
        }
        assert!(platform >= 3 && own > 30, "{platform} of the operator, {own} of merchants");
    });
}

#[test]
fn what_services_ask_each_other_is_not_there_for_anybody_outside() {
    story(async {
        let merchant = merchant().await;
        let internal: Vec<Method> =
            methods::all().into_iter().filter(|method| !method.is_public()).collect();
        assert!(internal.len() >= 2, "{}", internal.len());
        for method in &internal {
            for token in ["", merchant.caller.token(), &merchant.place.operator] {
                let refused = refusal(&merchant.place, method, token).await;
                let unknown =
                    raw::call(&merchant.place, "/siyu.no.v1.Such/Method", token, Bytes::new());
                let unknown = unknown.await.unwrap_err();
                assert_eq!((refused.code(), refused.reason()), (unknown.code(), unknown.reason()));
                assert_eq!(refused.message(), unknown.message(), "{}", method.path());
            }
        }
    });
}
