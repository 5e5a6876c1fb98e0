//! The same orders again, and in another order: the same figures, the same books.

use siyu_proto::member::v1::{Asset, ListEntriesRequest};
use siyu_tests::support::{
    CUSTOMERS, Merchant, Sheet, ask, assert_same, books, reference, report, run_until_idle, story,
    suite,
};

#[test]
fn every_buyer_earns_what_the_file_says() {
    story(async {
        let (reference, sheet) = (reference().await, Sheet::cdnow(CUSTOMERS));
        let points: std::collections::BTreeMap<String, i64> =
            reference.books.buyers.iter().map(|(id, (.., points))| (id.clone(), *points)).collect();
        assert_eq!(points, sheet.earned());
        // Growth counts for a year: what was bought in 1997 gives none, and no tier.
        assert!(
            reference.books.buyers.values().all(|(growth, tier, _)| (*growth, *tier) == (0, 1))
        );
        // Points of each order that is worth a whole dollar.
        let worth = |row: &&String| !sheet.field(row, "amount").starts_with("0.");
        let transfers = sheet.rows.iter().filter(worth).count();
        assert_eq!(reference.books.transfers, i64::try_from(transfers).unwrap());
    });
}

#[test]
fn importing_twice_changes_nothing() {
    story(async {
        let reference = reference().await;
        let merchant = &reference.merchant;
        let sheet = Sheet::cdnow(CUSTOMERS);
        let version = facts_version(merchant).await;
        let summary = merchant.import(&sheet).await;
        let rows = sheet.rows.len() as u64;
        let counts = (summary.created, summary.updated, summary.unchanged);
        assert_eq!(counts, (0, 0, rows), "{summary:?}");
        run_until_idle(&merchant.place).await;
        assert_same("the report", &report(merchant).await, &reference.report);
        assert_eq!(books(merchant).await, reference.books);
        assert_eq!(facts_version(merchant).await, version, "no fact was told again");
    });
}

#[test]
fn a_shuffled_file_gives_the_same_figures_and_books() {
    story(async {
        let reference = reference().await;
        let merchant = Merchant::open(suite().await, "America/New_York", "USD").await;
        let summary = merchant.import(&Sheet::cdnow(CUSTOMERS).shuffled(1997)).await;
        assert_eq!(summary.created, summary.rows, "{summary:?}");
        run_until_idle(&merchant.place).await;
        assert_same("the report", &report(&merchant).await, &reference.report);
        assert_eq!(books(&merchant).await, reference.books);
        for buyer in ["00001", "00111", "00345", "01499"] {
            let of = async |merchant| entries(merchant, buyer, Asset::Points).await;
            assert_eq!(of(&merchant).await, of(&reference.merchant).await, "{buyer}");
        }
    });
}

/// Amount and reason of every posting of a buyer's account, sorted.
async fn entries(merchant: &Merchant, buyer: &str, asset: Asset) -> Vec<(i64, String)> {
    let person_id = merchant.persons("cdnow", &[buyer]).await[buyer].clone();
    let request = ListEntriesRequest {
        person_id,
        asset: asset.into(),
        page_size: 1000,
        ..Default::default()
    };
    let client = merchant.caller.client();
    let page = ask(request, async |q| client.accounts().list_entries(q).await).await;
    let mut entries: Vec<_> = page.entries.into_iter().map(|e| (e.amount, e.reason)).collect();
    assert!(!entries.is_empty() && page.next_page_token.is_empty());
    entries.sort_unstable();
    entries
}

async fn facts_version(merchant: &Merchant) -> i64 {
    crate::truth::sales(merchant).await.basis.unwrap().facts_version
}
