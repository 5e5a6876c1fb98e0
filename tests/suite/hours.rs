//! What is sold while the doors are closed (睡后收入): by each store's own hours and clock.

use std::fs;

use siyu_proto::member::v1::{
    OpeningException, OpeningHours, OpeningSpan, Store, UpsertStoresRequest,
};
use siyu_testkit::Scratch;
use siyu_tests::support::{Merchant, Sheet, ask, run_siyu, run_until_idle, story, suite};

use crate::truth::sales;

/// Times are local: of the store, else of the merchant.
const ORDERS: &[&str] = &[
    "1,a,2024-06-03 08:59:59,newyork,1.00",
    "2,b,2024-06-03 09:00:00,newyork,2.00",
    "3,c,2024-06-03 16:59:59,newyork,4.00",
    "4,d,2024-06-03 17:00:00,newyork,8.00",
    // Without a store the doors of the merchant count: ten to ten, in Shanghai.
    "5,e,2024-06-03 21:59:59,,16.00",
    "6,f,2024-06-03 22:00:00,,32.00",
    // The same instant as the second one, said in another way.
    "7,g,2024-06-03T21:00:00+08:00,newyork,64.00",
    // In winter nine o'clock is another instant.
    "8,h,2024-12-02T13:59:59Z,newyork,128.00",
    "9,i,2024-12-02T14:00:00Z,newyork,256.00",
];

/// Asserts orders and turnover outside the hours.
async fn assert_off_hours(merchant: &Merchant, orders: i64, gmv_minor: i64) {
    run_until_idle(&merchant.place).await;
    let sales = sales(merchant).await;
    assert_eq!((sales.off_hours_orders, sales.off_hours_gmv_minor), (orders, gmv_minor));
    assert_eq!(sales.total.unwrap().gmv_minor, 51_100, "the hours change no other figure");
}

/// Changes the hours of the store.
async fn open(merchant: &Merchant, hours: OpeningHours) {
    let store = Store {
        code: "newyork".to_owned(),
        name: "New York".to_owned(),
        zone: "America/New_York".to_owned(),
        hours: Some(hours),
        ..Default::default()
    };
    let client = merchant.caller.client();
    let request = UpsertStoresRequest { stores: vec![store] };
    ask(request, async |q| client.stores().upsert_stores(q).await).await;
}

fn daily(open_minute: i32, close_minute: i32) -> Vec<OpeningSpan> {
    (1..=7).map(|weekday| OpeningSpan { weekday, open_minute, close_minute }).collect()
}

#[test]
fn orders_outside_the_hours_of_their_store_are_counted_by_its_clock() {
    story(async {
        let scratch = Scratch::new();
        let merchant = Merchant::open(suite().await, "Asia/Shanghai", "CNY").await;
        let file = scratch.path().join("stores.csv");
        let stores = "id,name,zone,hours\nnewyork,New York,America/New_York,daily 09:00-17:00\n";
        fs::write(&file, stores).unwrap();
        let (path, server) =
            (file.display().to_string(), format!("http://{}", merchant.place.http));
        let args = ["store", "import", &path, "--server", &server];
        let finished = run_siyu(&args, &[("SIYU_TOKEN", merchant.caller.token())]).await;
        assert_eq!(finished.code, Some(0), "{finished:?}");

        merchant.import(&Sheet::new("order_no,buyer_id,paid_at,store_id,amount", ORDERS)).await;
        assert_off_hours(&merchant, 4, 100 + 800 + 3_200 + 12_800).await;

        // Other hours change what was, too: they say when the store was open.
        let closed = OpeningException { day: "2024-06-03".to_owned(), spans: Vec::new() };
        open(&merchant, OpeningHours { weekly: daily(540, 1_020), exceptions: vec![closed] }).await;
        assert_off_hours(&merchant, 7, 100 + 200 + 400 + 800 + 3_200 + 6_400 + 12_800).await;

        let always = OpeningHours { weekly: daily(0, 1_440), exceptions: Vec::new() };
        open(&merchant, always).await;
        assert_off_hours(&merchant, 1, 3_200).await;

        // A night shop: what begins in the evening reaches into the next morning.
        let night = OpeningHours { weekly: daily(1_020, 1_440 + 540), exceptions: Vec::new() };
        open(&merchant, night).await;
        let open_at_night = 100 + 800 + 1_600 + 12_800;
        assert_off_hours(&merchant, 5, 51_100 - open_at_night).await;
    });
}
