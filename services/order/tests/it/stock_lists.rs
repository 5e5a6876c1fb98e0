use std::collections::BTreeSet;

use siyu_kernel::Code;
use siyu_proto::order::v1::*;

use crate::stock::{furnish, import, movements, reason, receive, row, sound, stocked};

#[tokio::test]
async fn every_stock_and_movement_comes_once_in_pages_of_any_size() {
    let world = stocked(600).await;
    let rows: Vec<ImportStockRow> = (0..1_200)
        .map(|n| row(n + 1, &format!("s{}", n / 2), ["a", "b"][usize::try_from(n % 2).unwrap()], 1))
        .collect();
    let done = import(&world, "asn", ImportStockKind::Received, &rows).await;
    assert!(done.iter().all(|result| result.outcome() == ImportStockOutcome::Applied));
    for (size, location, wanted) in [(7, "", 1_200), (1_000, "", 1_200), (13, "b", 600)] {
        let (mut request, mut seen, mut count) = (
            ListStockRequest { page_size: size, location: location.into(), ..Default::default() },
            BTreeSet::new(),
            0,
        );
        loop {
            let page = world.stocks(1).list_stock(request.clone()).await.unwrap().into_inner();
            assert!(page.stocks.len() <= usize::try_from(size).unwrap());
            count += page.stocks.len();
            seen.extend(page.stocks.into_iter().map(|stock| (stock.sku, stock.location)));
            if page.next_page_token.is_empty() {
                break;
            }
            request.page_token = page.next_page_token;
        }
        assert_eq!((seen.len(), count), (wanted, wanted), "pages of {size} at \"{location}\"");
    }
    let of_sku = ListMovementsRequest { sku: "s7".into(), ..Default::default() };
    assert_eq!(movements(&world, of_sku).await.len(), 2);
    let at = ListMovementsRequest { location: "a".into(), ..Default::default() };
    assert_eq!(movements(&world, at).await.len(), 600);
    assert_eq!(sound(&world).await, 1_200, "in more than one call");
}

#[tokio::test]
async fn another_merchant_sees_nothing_and_a_finding_is_reported() {
    let world = stocked(1).await;
    receive(&world, "asn", "s0", "a", 10).await;
    furnish(&world, 2, 1).await;
    let request = GetStockRequest { sku: "s0".into(), location: "a".into() };
    let foreign = world.stocks(2).get_stock(request).await.map_err(siyu_grpc::fault);
    assert_eq!(reason(foreign).0, Code::NotFound);
    let listed = world.stocks(2).list_stock(ListStockRequest::default()).await.unwrap();
    assert_eq!(listed.into_inner().stocks, []);
    let listed = world.stocks(2).list_movements(ListMovementsRequest::default()).await.unwrap();
    assert_eq!(listed.into_inner().movements, []);
    let mut owner = world.database.owner().await;
    sqlx::query("set role siyu_job").execute(&mut owner).await.unwrap();
    sqlx::query("update stocks set on_hand = 11, reserved = 2").execute(&mut owner).await.unwrap();
    let found =
        world.stocks(1).check_stock(CheckStockRequest::default()).await.unwrap().into_inner();
    let wanted = StockFinding {
        sku: "s0".into(),
        location: "a".into(),
        on_hand: 11,
        moved: 10,
        reserved: 2,
        moved_reserved: 0,
        held: 0,
    };
    assert_eq!(found.findings, [wanted]);
}
