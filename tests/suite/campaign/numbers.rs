//! What connections and messages do to the numbers.

#![expect(clippy::cast_precision_loss, reason = "shares of a triangle are compared")]

use siyu_kernel::Clock;
use siyu_proto::{
    member::v1::ConnectionState,
    messaging::v1::MessageState,
    metrics::v1::{GetTriangleRequest, GetUserArpuRequest, GetUserArpuResponse},
};
use siyu_runtime::SystemClock;
use siyu_tests::support::{ask, run_until_idle, story};

use super::{CONNECTED, Shop};

/// What the first `n` buyers spent: one yuan, two yuan, …
fn spent(n: usize) -> i64 {
    i64::try_from(n * (n + 1) / 2 * 100).unwrap()
}

async fn users(shop: &Shop) -> GetUserArpuResponse {
    run_until_idle(&shop.merchant.place).await;
    let client = shop.merchant.caller.client();
    ask(GetUserArpuRequest::default(), async |q| client.sales().get_user_arpu(q).await).await
}

#[test]
fn turnover_is_users_times_arpu_of_those_who_were_connected_when_they_bought() {
    story(async {
        let shop = Shop::open().await;
        let reply = users(&shop).await;
        assert!(!reply.connections_unmeasured);
        assert_eq!(reply.users, i64::try_from(CONNECTED).unwrap());
        assert_eq!(reply.gmv_minor, spent(CONNECTED));
        let arpu = reply.arpu.unwrap();
        assert_eq!((arpu.numerator, arpu.denominator), (reply.gmv_minor, reply.users));
        assert_eq!(reply.private_channel_gmv_minor, spent(super::BUYERS));

        // The last of them had left when the order came; an older word on the first one is no news.
        let gone = (CONNECTED - 1, ConnectionState::Disconnected, 30);
        let old = (0, ConnectionState::Disconnected, 90);
        assert_eq!(shop.connect(&[gone, old]).await, 1);
        let after = users(&shop).await;
        assert_eq!(after.users, reply.users - 1);
        assert_eq!(after.gmv_minor, spent(CONNECTED - 1));
        let version = |reply: &GetUserArpuResponse| reply.basis.as_ref().unwrap().facts_version;
        assert!(version(&after) > version(&reply), "equal versions give equal answers");
    });
}

#[test]
fn the_triangle_knows_who_is_connected_and_who_was_reached() {
    story(async {
        let shop = Shop::open().await;
        let messages = shop.messages().await;
        let connected = &shop.persons[..CONNECTED];
        let arrived = messages
            .iter()
            .filter(|message| connected.contains(&message.person_id))
            .filter(|message| message.state() != MessageState::Failed)
            .count();
        let client = shop.merchant.caller.client();
        // A campaign is of today; the orders before it may be of yesterday.
        let today = shop.merchant.zone().day(SystemClock.now());
        let request = GetTriangleRequest { as_of_day: today.to_string() };
        let reply = ask(request, async |q| client.triangle().get_triangle(q).await).await;
        for flag in ["connections_unmeasured", "reach_unmeasured"] {
            assert!(!reply.flags.iter().any(|f| f == flag), "{reply:?}");
        }
        let pillars = reply.current.unwrap();
        let connected = CONNECTED as f64;
        assert_eq!(pillars.connected, i64::try_from(CONNECTED).unwrap());
        // Everyone was tried; who was not reached cannot be reached now: capability and effective reach are equal.
        let share = arrived as f64 / connected;
        let close =
            |found: Option<f64>, wanted: f64| found.is_some_and(|f| (f - wanted).abs() < 1e-9);
        assert!(close(pillars.reach, share * share), "{pillars:?}, {arrived} arrived");
        assert!(close(pillars.property_power, connected * share * share), "{pillars:?}");
    });
}
