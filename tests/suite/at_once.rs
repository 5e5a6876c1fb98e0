//! The same orders over several ways at once, and versions of orders in whatever sequence: each counts once, and the newest
//! wins.

use siyu_tests::support::{
    Merchant, Sheet, assert_same, books, report, run_until_idle, story, suite,
};

#[test]
fn two_imports_of_one_file_at_the_same_time_count_nothing_twice() {
    story(async {
        let merchant = Merchant::open(suite().await, "America/New_York", "USD").await;
        let sheet = Sheet::cdnow(400);
        let (one, two) = (sheet.shuffled(1), sheet.shuffled(2));
        let (one, two) = tokio::join!(merchant.import(&one), merchant.import(&two));
        let rows = sheet.rows.len() as u64;
        assert_eq!(one.created + two.created, rows, "{one:?} {two:?}");
        assert_eq!(one.unchanged + two.unchanged, rows, "{one:?} {two:?}");
        run_until_idle(&merchant.place).await;
        let total = crate::truth::sales(&merchant).await.total.unwrap();
        assert_eq!(total.orders, i64::try_from(rows).unwrap());
        let books = books(&merchant).await;
        let earned = sheet.earned();
        assert_eq!(books.buyers.len(), earned.len());
        assert!(books.buyers.iter().all(|(buyer, of)| of.2 == earned[buyer]), "{books:?}");
    });
}

/// Orders of a few lines in a few versions: other amounts, other states, lines that come later.
fn versions() -> Sheet {
    let header = "order_no,line_no,buyer_id,paid_at,category,quantity,amount,status,updated_at";
    let states = ["paid", "shipped", "completed", "refunded", "paid", "cancelled", "finished"];
    let mut rows = Vec::new();
    for order in 0..220_usize {
        let paid = format!("2024-0{}-1{}T0{}:30:00Z", order % 6 + 1, order % 10, order % 9);
        for version in 0..=order % 3 {
            let state = states[(order + 3 * version) % states.len()];
            for line in 1..=(order + version) % 4 + 1 {
                let amount = (order * 37 + line * 11 + version * 5) % 5_000;
                rows.push(format!(
                    "o{order},{line},b{},{paid},c{},{line},{}.{:02},{state},2024-08-0{}T00:00:00Z",
                    order % 60,
                    line % 3,
                    amount / 100,
                    amount % 100,
                    version + 1,
                ));
            }
        }
    }
    Sheet { header: header.to_owned(), rows }
}

#[test]
fn versions_of_orders_in_any_sequence_end_in_the_same_figures_and_books() {
    story(async {
        let place = suite().await;
        let sheet = versions();
        let mut found = Vec::new();
        for sheet in [sheet.clone(), sheet.shuffled(7), sheet.shuffled(1_000_003)] {
            let merchant = Merchant::open(place, "Asia/Shanghai", "CNY").await;
            merchant.import(&sheet).await;
            run_until_idle(place).await;
            let buyers = books(&merchant).await.buyers;
            found.push((report(&merchant).await, buyers));
        }
        assert!(found[0].0["orders"].as_i64().unwrap() > 100, "{}", found[0].0);
        for (report, buyers) in &found[1..] {
            assert_same("the report", report, &found[0].0);
            assert_eq!(buyers, &found[0].1);
        }
    });
}
