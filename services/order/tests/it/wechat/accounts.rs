use siyu_kernel::Fault;
use siyu_proto::order::v1::{provider_account::With, *};

use super::{
    books::{APPID, MCHID},
    seal::{API_KEY, CERTIFICATE, COMPANY_PUBLIC, MERCHANT_KEY, SERIAL},
};
use crate::world::World;

/// An account at WeChat Pay, somewhere.
pub(crate) fn wechat(origin: &str) -> ProviderAccount {
    with(WechatAccount {
        mchid: MCHID.into(),
        appid: APPID.into(),
        merchant_serial: "MERCHANT1".into(),
        private_key_pem: MERCHANT_KEY.into(),
        api_v3_key: API_KEY.into(),
        provider_keys: vec![ProviderKey { serial: SERIAL.into(), pem: CERTIFICATE.into() }],
        base_url: origin.into(),
        notify_url: "https://pay.example.com/v1/payment-notifications/wx".into(),
        has_secrets: false,
    })
}

pub(crate) fn with(wechat: WechatAccount) -> ProviderAccount {
    ProviderAccount {
        code: "wx".into(),
        name: "WeChat Pay".into(),
        paused: false,
        with: Some(With::Wechat(wechat)),
    }
}

pub(crate) fn settings(account: &ProviderAccount) -> WechatAccount {
    let Some(With::Wechat(wechat)) = account.with.clone() else { panic!("{account:?}") };
    wechat
}

pub(crate) async fn save(
    world: &World,
    accounts: &[ProviderAccount],
) -> Result<Vec<ProviderAccount>, Fault> {
    let request = UpsertProviderAccountsRequest { accounts: accounts.to_vec() };
    let reply = world.payments(1).upsert_provider_accounts(request).await;
    Ok(reply.map_err(siyu_grpc::fault)?.into_inner().accounts)
}

async fn stored(world: &World) -> (Vec<u8>, Vec<u8>) {
    let mut owner = world.database.owner().await;
    let sql = "select definition, sealed from provider_accounts where code = 'wx'";
    sqlx::query_as(sql).fetch_one(&mut owner).await.unwrap()
}

#[tokio::test]
async fn secrets_are_sealed_kept_and_never_shown() {
    let world = World::new().await;
    let given = wechat("");
    let saved = save(&world, std::slice::from_ref(&given)).await.unwrap();
    let list = ListProviderAccountsRequest::default();
    let listed = world.payments(1).list_provider_accounts(list).await.unwrap().into_inner();
    assert_eq!(listed.accounts, saved);
    let shown = settings(&saved[0]);
    assert_eq!((shown.private_key_pem.as_str(), shown.api_v3_key.as_str()), ("", ""));
    assert!(shown.has_secrets);
    let before = stored(&world).await;
    for secret in [API_KEY, &MERCHANT_KEY[100..140]] {
        for bytes in [&before.0, &before.1] {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "it stands in the database in clear");
        }
    }
    // What is shown can be given back: secrets that are left empty stay.
    save(&world, &saved).await.unwrap();
    assert_eq!(stored(&world).await, before, "nothing has changed");
    save(&world, std::slice::from_ref(&given)).await.unwrap();
    assert_eq!(stored(&world).await, before, "nothing has changed");
    let mut renamed = saved[0].clone();
    renamed.name = "other".into();
    save(&world, &[renamed]).await.unwrap();
    assert_eq!(stored(&world).await.1, before.1);
    let mut other_key = given;
    other_key.with = Some(With::Wechat(WechatAccount {
        api_v3_key: "fedcba9876543210fedcba9876543210".into(),
        ..settings(&other_key)
    }));
    save(&world, &[other_key]).await.unwrap();
    assert_ne!(stored(&world).await.1, before.1);
}

#[tokio::test]
async fn what_an_account_lacks_is_named() {
    let world = World::new().await;
    let good = settings(&wechat(""));
    let cases: Vec<(&str, WechatAccount)> = vec![
        ("mchid", WechatAccount { mchid: String::new(), ..good.clone() }),
        ("mchid", WechatAccount { mchid: "19\r\n00".into(), ..good.clone() }),
        ("private_key_pem", WechatAccount { private_key_pem: String::new(), ..good.clone() }),
        ("private_key_pem", WechatAccount { private_key_pem: CERTIFICATE.into(), ..good.clone() }),
        ("api_v3_key", WechatAccount { api_v3_key: "testAPIv3Key0000".into(), ..good.clone() }),
        ("provider_keys", WechatAccount { provider_keys: vec![], ..good.clone() }),
        ("notify_url", WechatAccount { notify_url: "http://x".into(), ..good.clone() }),
        ("base_url", WechatAccount { base_url: "http://169.254.169.254".into(), ..good.clone() }),
        (
            "provider_keys[0].pem",
            WechatAccount {
                provider_keys: vec![ProviderKey { serial: "01".into(), pem: CERTIFICATE.into() }],
                ..good.clone()
            },
        ),
    ];
    for (field, wrong) in cases {
        let refused = save(&world, &[with(wrong)]).await.unwrap_err();
        let fields: Vec<&str> = refused.violations().iter().map(|v| v.field.as_str()).collect();
        assert!(
            fields.contains(&format!("accounts[0].wechat.{field}").as_str()),
            "{field}: {fields:?}"
        );
    }
    let by_id = ProviderKey { serial: "PUB_KEY_ID_011".into(), pem: COMPANY_PUBLIC.into() };
    let keys = WechatAccount { provider_keys: vec![by_id], ..good };
    save(&world, &[with(keys)]).await.unwrap();
    let sandbox = ProviderAccount { with: Some(With::Sandbox(SandboxAccount {})), ..wechat("") };
    let refused = save(&world, &[sandbox.clone(), sandbox]).await.unwrap_err();
    let fields: Vec<&str> = refused.violations().iter().map(|v| v.field.as_str()).collect();
    assert_eq!(fields, ["accounts[1].code", "accounts[0].with", "accounts[1].with"]);
}
