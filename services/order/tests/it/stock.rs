use siyu_kernel::{Code, Fault};
use siyu_proto::order::v1::*;

use crate::world::{World, yuan};

/// A world with two warehouses and SKUs "s0", "s1"…, and "service", of which no pieces are counted.
pub(crate) async fn stocked(skus: usize) -> World {
    let world = World::new().await;
    furnish(&world, 1, skus).await;
    world
}

pub(crate) async fn furnish(world: &World, who: u32, skus: usize) {
    let mut names: Vec<String> = (0..skus).map(|n| format!("s{n}")).collect();
    names.push("service".into());
    let sku = |code: &String| Sku {
        code: code.clone(),
        price: Some(yuan(100)),
        stock_kept: (code == "service").then_some(false),
        ..Sku::default()
    };
    let item = |(n, codes): (usize, &[String])| Item {
        code: format!("item {n}"),
        name: "an item".into(),
        skus: codes.iter().map(sku).collect(),
        ..Item::default()
    };
    let items: Vec<Item> = names.chunks(100).enumerate().map(item).collect();
    world.items(who).upsert_items(UpsertItemsRequest { items }).await.unwrap();
    let location = |code: &str| Location {
        code: code.into(),
        name: code.into(),
        kind: LocationKind::Warehouse.into(),
        ..Location::default()
    };
    let locations = vec![location("a"), location("b")];
    world.locations(who).upsert_locations(UpsertLocationsRequest { locations }).await.unwrap();
}

pub(crate) fn row(row_no: i32, sku: &str, location: &str, quantity: i64) -> ImportStockRow {
    ImportStockRow { row_no, sku: sku.into(), location: location.into(), quantity }
}

pub(crate) async fn import(
    world: &World,
    document_no: &str,
    kind: ImportStockKind,
    rows: &[ImportStockRow],
) -> Vec<ImportStockResult> {
    let (document_no, rows) = (document_no.into(), rows.to_vec());
    let request = ImportStockRequest { document_no, kind: kind.into(), rows };
    world.stocks(1).import_stock(request).await.unwrap().into_inner().results
}

/// Receives pieces of one SKU at one location.
pub(crate) async fn receive(world: &World, document_no: &str, sku: &str, at: &str, quantity: i64) {
    let rows = [row(1, sku, at, quantity)];
    let done = import(world, document_no, ImportStockKind::Received, &rows).await;
    assert_eq!(done[0].outcome(), ImportStockOutcome::Applied, "{done:?}");
}

pub(crate) async fn get(world: &World, sku: &str, location: &str) -> Stock {
    let request = GetStockRequest { sku: sku.into(), location: location.into() };
    world.stocks(1).get_stock(request).await.unwrap().into_inner().stock.unwrap()
}

/// On hand, reserved and available.
pub(crate) async fn figures(world: &World, sku: &str, location: &str) -> (i64, i64, i64) {
    let stock = get(world, sku, location).await;
    (stock.on_hand, stock.reserved, stock.available)
}

pub(crate) async fn set_buckets(
    world: &World,
    request_id: &str,
    buckets: &[(&str, i64)],
) -> Result<Stock, Fault> {
    let bucket =
        |&(channel, quantity): &(&str, i64)| StockBucket { channel: channel.into(), quantity };
    let request = SetBucketsRequest {
        request_id: request_id.into(),
        sku: "s0".into(),
        location: "a".into(),
        buckets: buckets.iter().map(bucket).collect(),
    };
    let reply = world.stocks(1).set_buckets(request).await.map_err(siyu_grpc::fault)?;
    Ok(reply.into_inner().stock.unwrap())
}

pub(crate) async fn movements(world: &World, request: ListMovementsRequest) -> Vec<StockMovement> {
    let mut request = ListMovementsRequest { page_size: 3, ..request };
    let mut all = Vec::new();
    loop {
        let page = world.stocks(1).list_movements(request.clone()).await.unwrap().into_inner();
        all.extend(page.movements);
        if page.next_page_token.is_empty() {
            return all;
        }
        request.page_token = page.next_page_token;
    }
}

/// Adds up everything; nothing may be another than it should be.
pub(crate) async fn sound(world: &World) -> i64 {
    let (mut request, mut checked) = (CheckStockRequest::default(), 0);
    loop {
        let page = world.stocks(1).check_stock(request.clone()).await.unwrap().into_inner();
        assert_eq!(page.findings, []);
        checked += page.checked;
        if page.last_sku.is_empty() {
            return checked;
        }
        request.after_sku = page.last_sku;
        request.after_location = page.last_location;
    }
}

fn outcomes(results: &[ImportStockResult]) -> Vec<ImportStockOutcome> {
    results.iter().map(ImportStockResult::outcome).collect()
}

pub(crate) fn reason<T: std::fmt::Debug>(refused: Result<T, Fault>) -> (Code, String) {
    let fault = refused.unwrap_err();
    (fault.code(), fault.reason().to_owned())
}

#[tokio::test]
async fn every_row_of_a_document_is_applied_once_and_a_bad_one_stops_no_other() {
    use ImportStockOutcome::{Applied, Rejected, Repeated};
    let world = stocked(2).await;
    let rows = [
        row(1, "s0", "a", 5),
        row(2, "s0", "a", 7),
        row(3, "s9", "a", 1),
        row(4, "s1", "nowhere", 1),
        row(5, "service", "a", 1),
        row(6, "s1", "b", 0),
        row(2, "s1", "b", 1),
        row(0, "s1", "b", 1),
        row(7, "s1", "b", 1_000_000_001),
        row(8, "s1", "b", 1),
    ];
    let first = import(&world, "asn 1", ImportStockKind::Received, &rows).await;
    let wanted = [
        Applied, Applied, Rejected, Rejected, Rejected, Rejected, Rejected, Rejected, Rejected,
        Applied,
    ];
    assert_eq!(outcomes(&first), wanted);
    assert_eq!((first[0].on_hand, first[1].on_hand, first[9].on_hand), (5, 12, 1));
    let fields: Vec<&str> =
        first.iter().flat_map(|result| &result.errors).map(|error| error.field.as_str()).collect();
    assert_eq!(fields, ["sku", "location", "sku", "quantity", "row_no", "row_no", "quantity"]);
    let again = import(&world, "asn 1", ImportStockKind::Received, &rows[..2]).await;
    assert_eq!(outcomes(&again), [Repeated, Repeated]);
    assert_eq!((again[0].on_hand, again[1].on_hand), (5, 12));
    let other = [row(1, "s0", "a", 6), row(2, "s0", "b", 7), row(9, "s0", "a", 1)];
    let other = import(&world, "asn 1", ImportStockKind::Received, &other).await;
    assert_eq!(outcomes(&other), [Rejected, Rejected, Applied]);
    let counted = import(&world, "asn 1", ImportStockKind::Counted, &[row(1, "s0", "a", 5)]).await;
    assert_eq!(outcomes(&counted), [Rejected], "a count is no receipt");
    assert_eq!(figures(&world, "s0", "a").await, (13, 0, 13));
    assert_eq!(sound(&world).await, 2);
}

#[tokio::test]
async fn a_count_says_what_is_on_hand_and_leaves_a_movement_even_where_it_was_right() {
    let world = stocked(1).await;
    receive(&world, "asn", "s0", "a", 10).await;
    for (document, found) in [("count 1", 8), ("count 2", 8), ("count 3", 0)] {
        let done =
            import(&world, document, ImportStockKind::Counted, &[row(1, "s0", "a", found)]).await;
        assert_eq!((done[0].outcome(), done[0].on_hand), (ImportStockOutcome::Applied, found));
    }
    let request = ListMovementsRequest { cause: StockCause::Counted.into(), ..Default::default() };
    let deltas: Vec<i64> =
        movements(&world, request).await.iter().map(|m| m.on_hand_delta).collect();
    assert_eq!(deltas, [-8, 0, -2], "newest first");
    assert_eq!(sound(&world).await, 1);
}

#[tokio::test]
async fn stock_is_put_right_once_with_a_reason_and_never_below_nothing() {
    let world = stocked(1).await;
    receive(&world, "asn", "s0", "a", 10).await;
    let request = |key: &str, delta| AdjustStockRequest {
        request_id: key.into(),
        sku: "s0".into(),
        location: "a".into(),
        delta,
        note: "broken".into(),
        document_no: "B-7".into(),
    };
    let adjust = async |request: AdjustStockRequest| {
        let reply = world.stocks(1).adjust_stock(request).await.map_err(siyu_grpc::fault)?;
        Ok::<_, Fault>(reply.into_inner().stock.unwrap())
    };
    let first = adjust(request("1", -3)).await.unwrap();
    assert_eq!((first.on_hand, first.available), (7, 7));
    assert_eq!(adjust(request("1", -3)).await.unwrap(), first, "a repeat");
    assert_eq!(
        reason(adjust(request("2", -8)).await),
        (Code::FailedPrecondition, "STOCK_SHORT".into())
    );
    let too_many = adjust(request("3", 1_000_000_000)).await;
    assert_eq!(reason(too_many), (Code::FailedPrecondition, "STOCK_TOO_LARGE".into()));
    for (sku, location, wanted) in
        [("s9", "a", "NOT_FOUND"), ("s0", "x", "NOT_FOUND"), ("service", "a", "STOCK_NOT_KEPT")]
    {
        let other = AdjustStockRequest {
            sku: sku.into(),
            location: location.into(),
            ..request(&format!("{sku} {location}"), 1)
        };
        assert_eq!(reason(adjust(other).await).1, wanted);
    }
    let of_document = ListMovementsRequest { document_no: "B-7".into(), ..Default::default() };
    let made = movements(&world, of_document).await;
    assert_eq!(made.len(), 1);
    assert_eq!((made[0].cause(), made[0].note.as_str()), (StockCause::Adjusted, "broken"));
    assert_eq!((made[0].on_hand_delta, made[0].on_hand), (-3, 7));
    assert_eq!(sound(&world).await, 1);
}

#[tokio::test]
async fn safety_may_be_more_than_there_is_and_buckets_may_not() {
    let world = stocked(1).await;
    receive(&world, "asn", "s0", "a", 10).await;
    let set = async |safety: i64| {
        let row =
            |location: &str| SafetyRow { sku: "s0".into(), location: location.into(), safety };
        let request = SetSafetyRequest { rows: vec![row("b"), row("a")] };
        world.stocks(1).set_safety(request).await.unwrap().into_inner().stocks
    };
    let stocks = set(4).await;
    assert_eq!((stocks[0].location.as_str(), stocks[0].available), ("b", 0));
    assert_eq!((stocks[1].location.as_str(), stocks[1].available), ("a", 6));
    assert_eq!(
        reason(set_buckets(&world, "1", &[("live", 4), ("flash", 3)]).await).1,
        "STOCK_SHORT"
    );
    let stock = set_buckets(&world, "2", &[("live", 4), ("flash", 2)]).await.unwrap();
    assert_eq!((stock.available, stock.unassigned, stock.buckets.len()), (6, 0, 2));
    assert_eq!(set_buckets(&world, "2", &[("live", 4), ("flash", 2)]).await.unwrap(), stock);
    let twice = set_buckets(&world, "3", &[("live", 1), ("live", 1)]).await.unwrap_err();
    assert_eq!(twice.violations()[0].field, "buckets[1].channel");
    let stocks = set(50).await;
    assert_eq!((stocks[1].available, stocks[1].unassigned), (0, 0));
    let below = ListStockRequest { below_safety: true, ..Default::default() };
    assert_eq!(world.stocks(1).list_stock(below).await.unwrap().into_inner().stocks.len(), 2);
    let none = SetBucketsRequest {
        request_id: "4".into(),
        sku: "s9".into(),
        location: "a".into(),
        buckets: vec![],
    };
    let none = world.stocks(1).set_buckets(none).await.map_err(siyu_grpc::fault);
    assert_eq!(reason(none).0, Code::NotFound);
    let row = SafetyRow { sku: "s0".into(), location: "a".into(), safety: 1 };
    let twice = SetSafetyRequest { rows: vec![row.clone(), row] };
    let twice = siyu_grpc::fault(world.stocks(1).set_safety(twice).await.unwrap_err());
    assert_eq!(twice.violations()[0].field, "rows[1].sku");
}

#[tokio::test]
async fn a_transfer_moves_all_rows_or_none_and_leaves_what_is_set_aside() {
    let world = stocked(2).await;
    receive(&world, "asn 1", "s0", "a", 10).await;
    receive(&world, "asn 2", "s1", "a", 10).await;
    set_buckets(&world, "1", &[("live", 4)]).await.unwrap();
    let transfer = async |key: &str, rows: &[(&str, i64)], to: &str| {
        let row = |&(sku, quantity): &(&str, i64)| TransferStockRow { sku: sku.into(), quantity };
        let request = TransferStockRequest {
            request_id: key.into(),
            from_location: "a".into(),
            to_location: to.into(),
            rows: rows.iter().map(row).collect(),
            document_no: "T-1".into(),
        };
        let reply = world.stocks(1).transfer_stock(request).await.map_err(siyu_grpc::fault)?;
        Ok::<_, Fault>(reply.into_inner().stocks)
    };
    let refused = transfer("1", &[("s1", 1), ("s0", 7)], "b").await.unwrap_err();
    assert_eq!((refused.reason(), refused.metadata()["skus"].as_str()), ("STOCK_SHORT", "s0"));
    assert_eq!(world.count("select count(*) from stock_movements").await, 2, "none was moved");
    let moved = transfer("2", &[("s1", 1), ("s0", 6)], "b").await.unwrap();
    assert_eq!(moved.iter().map(|stock| stock.on_hand).collect::<Vec<_>>(), [1, 6]);
    assert_eq!(transfer("2", &[("s1", 1), ("s0", 6)], "b").await.unwrap(), moved, "a repeat");
    assert_eq!(figures(&world, "s0", "a").await, (4, 0, 4));
    assert_eq!(
        transfer("3", &[("s0", 1)], "a").await.unwrap_err().violations()[0].field,
        "to_location"
    );
    assert_eq!(reason(transfer("4", &[("s0", 1)], "x").await).0, Code::NotFound);
    let of_document = ListMovementsRequest { document_no: "T-1".into(), ..Default::default() };
    let deltas: i64 = movements(&world, of_document).await.iter().map(|m| m.on_hand_delta).sum();
    assert_eq!(deltas, 0, "what goes here comes there");
    assert_eq!(sound(&world).await, 4);
}
