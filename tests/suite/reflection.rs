//! `grpcurl` needs no contract at hand: the suite tells it, and answers.

use std::{collections::BTreeSet, net::SocketAddr};

use prost_reflect::DescriptorPool;
use serde_json::Value;
use siyu_tests::support::{LIMIT, Merchant, story, suite, tool};
use tokio::{process::Command, time::timeout};

/// One call of each public service that needs no request.
const CALLS: &[(&str, &str)] = &[
    ("siyu.member.v1.MerchantService", "GetMerchant"),
    ("siyu.member.v1.StoreService", "ListStores"),
    ("siyu.member.v1.StaffService", "ListStaff"),
    ("siyu.member.v1.PersonService", "ListPersons"),
    ("siyu.member.v1.AccountService", "CheckLedger"),
    ("siyu.order.v1.OrderService", "ListOrders"),
    ("siyu.order.v1.ImportService", "ListQuarantinedOrders"),
    ("siyu.distribution.v1.PromoterService", "ListPromoters"),
    ("siyu.distribution.v1.CommissionService", "GetCommissionRule"),
    ("siyu.messaging.v1.CampaignService", "ListCampaigns"),
    ("siyu.metrics.v1.SalesService", "GetSales"),
    ("siyu.metrics.v1.RetentionService", "GetCohorts"),
    ("siyu.metrics.v1.ValueService", "GetRfm"),
    ("siyu.metrics.v1.TriangleService", "GetTriangle"),
    ("siyu.metrics.v1.MaintenanceService", "GetProgress"),
    ("siyu.member.v1.AttributeService", "ListAttributes"),
    ("siyu.member.v1.AudienceService", "ListAudiences"),
    ("siyu.member.v1.IdentityService", "ListMergeReviews"),
    ("siyu.member.v1.IssuerService", "ListIssuers"),
    ("siyu.member.v1.PointsPolicyService", "GetPointsPolicy"),
    ("siyu.member.v1.RechargeService", "ListRechargePlans"),
    ("siyu.member.v1.RegionService", "ListRegions"),
    ("siyu.member.v1.SignInService", "GetSignInPolicy"),
    ("siyu.member.v1.StageService", "CountStages"),
    ("siyu.member.v1.TagService", "ListTagGroups"),
    ("siyu.member.v1.TierService", "GetTierPolicy"),
    ("siyu.order.v1.CouponService", "ListCouponTemplates"),
    ("siyu.order.v1.ItemService", "ListItems"),
    ("siyu.order.v1.PromotionService", "ListPromotions"),
    ("siyu.member.v1.CardService", "ListCardPlans"),
    ("siyu.member.v1.RedemptionService", "ListRedemptions"),
    ("siyu.gateway.v1.TokenService", "ListTokens"),
];

/// What `grpcurl` prints.
async fn grpcurl(addr: SocketAddr, token: &str, args: &[&str]) -> String {
    let header = format!("authorization: Bearer {token}");
    let output = Command::new(tool("grpcurl"))
        .args(["-plaintext", "-H", &header, &addr.to_string()])
        .args(args)
        .kill_on_drop(true)
        .output();
    let output = timeout(LIMIT, output).await.expect("grpcurl ends").expect("grpcurl runs");
    assert!(output.status.success(), "{args:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn grpcurl_lists_every_public_service_and_calls_it() {
    story(async {
        let merchant = Merchant::open(suite().await, "Asia/Shanghai", "CNY").await;
        let (addr, token) = (merchant.place.http, merchant.caller.token());
        let listed = grpcurl(addr, token, &["list"]).await;
        let listed: BTreeSet<&str> = listed.lines().collect();
        let pool = DescriptorPool::decode(siyu_proto::DESCRIPTOR_SET).unwrap();
        // Siblings alone read the log of a service.
        let public = |name: &String| !name.starts_with("siyu.event.");
        let services: Vec<String> =
            pool.services().map(|s| s.full_name().to_owned()).filter(public).collect();
        for service in &services {
            assert!(listed.contains(service.as_str()), "{service}: {listed:?}");
        }
        let called: BTreeSet<&str> = CALLS.iter().map(|(service, _)| *service).collect();
        let without_request = |name: &&String| {
            let others = [
                "Benefit",
                "Binding",
                "Blacklist",
                "Connection",
                "Consent",
                "Handover",
                "Household",
                "Message",
                "Owner",
                "Points",
                "Privacy",
                "Profile",
                "Quote",
                "StoredValue",
                "ValueCard",
                "ValueGift",
                "ValueReport",
                "View",
            ];
            !others.iter().any(|other| name.ends_with(&format!(".{other}Service")))
        };
        for service in services.iter().filter(without_request) {
            assert!(called.contains(service.as_str()), "{service} is not called here");
        }
        for (service, method) in CALLS {
            let reply = grpcurl(addr, token, &[&format!("{service}/{method}")]).await;
            let reply: Result<Value, _> = serde_json::from_str(&reply);
            assert!(reply.is_ok_and(|reply| reply.is_object()), "{service}/{method}");
        }
    });
}
