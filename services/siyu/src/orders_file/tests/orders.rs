//! Good rows.

use siyu_proto::order::v1::Domain;

use super::*;

fn instant(order: &FileOrder) -> String {
    let time = order.order.pay_time.unwrap();
    chrono::DateTime::from_timestamp(time.seconds, time.nanos.unsigned_abs()).unwrap().to_string()
}

#[test]
fn every_column_finds_its_place_in_any_order() {
    let read = orders(
        "amount,STATUS, channel ,line_no,order_no,buyer_id,paid_at,store_id,domain,sku,category,quantity,currency,updated_at,note\n\
         12.5,shipped,live,3,A-1,b7,2024-01-31T10:00:00Z,nyc,pos,S1,shoes,2,USD,2024-02-01T00:00:00Z,hello\n",
    );
    let order = &read[0].order;
    assert_eq!((order.platform.as_str(), order.shop_id.as_str()), ("tmall", "flagship"));
    assert_eq!((order.order_no.as_str(), order.buyer_id.as_str()), ("A-1", "b7"));
    assert_eq!((order.status.as_str(), order.channel.as_str()), ("shipped", "live"));
    assert_eq!((order.store_code.as_str(), order.domain()), ("nyc", Domain::Pos));
    assert_eq!(order.update_time.unwrap().seconds, 1_706_745_600);
    let line = &order.lines[0];
    assert_eq!((line.line_no, line.quantity), (3, 2));
    assert_eq!((line.sku.as_str(), line.category.as_str()), ("S1", "shoes"));
    let paid = line.paid.as_ref().unwrap();
    assert_eq!((paid.minor_units, paid.currency_code.as_str()), (1250, "USD"));
}

#[test]
fn what_a_file_does_not_say_has_a_default() {
    let read = orders("order_no,buyer_id,paid_at,amount\nA,b,2024-01-31,19.99\n");
    let (order, line) = (&read[0].order, &read[0].order.lines[0]);
    assert_eq!((order.domain(), order.status.as_str()), (Domain::Unspecified, ""));
    assert_eq!((line.line_no, line.quantity), (1, 1));
    assert_eq!(line.paid.as_ref().unwrap().currency_code, "CNY");
    assert_eq!(order.update_time, None);
}

#[test]
fn a_time_is_read_in_the_zone_of_its_store_else_in_the_given_one() {
    let cases = [
        ("2024-01-31T10:00:00Z", "", "2024-01-31 10:00:00 UTC"),
        ("2024-01-31T10:00:00+08:00", "nyc", "2024-01-31 02:00:00 UTC"),
        ("2024-01-31 10:00:00.25-05:00", "", "2024-01-31 15:00:00.250 UTC"),
        ("2024-01-31", "", "2024-01-30 16:00:00 UTC"),
        ("2024-01-31", "nyc", "2024-01-31 05:00:00 UTC"),
        ("2024-01-31 10:00", "", "2024-01-31 02:00:00 UTC"),
        ("2024-01-31T10:00:30", "nyc", "2024-01-31 15:00:30 UTC"),
        ("2024-01-31 10:00:30.5", "nyc", "2024-01-31 15:00:30.500 UTC"),
        ("2016-12-31T23:59:60Z", "", "2016-12-31 23:59:59.999999999 UTC"),
    ];
    for (paid_at, store, expected) in cases {
        let text = format!("order_no,buyer_id,paid_at,amount,store_id\nA,b,{paid_at},1,{store}\n");
        assert_eq!(instant(&orders(&text)[0]), expected, "{paid_at} in {store:?}");
    }
}

#[test]
fn rows_that_stand_together_are_one_order_and_lines_are_numbered_through_the_file() {
    let read = orders(
        "order_no,buyer_id,paid_at,amount\n\
         A,b,2024-01-31,1\n\
         A,b,2024-01-31,2\n\
         B,c,2024-01-31,3\n\
         A,b,2024-01-31,4\n",
    );
    let shown: Vec<_> = read
        .iter()
        .map(|o| {
            let lines: Vec<_> = o.order.lines.iter().map(|line| line.line_no).collect();
            let rows: Vec<_> = o.rows.iter().map(|row| row.line).collect();
            (o.order.order_no.as_str(), lines, rows)
        })
        .collect();
    assert_eq!(
        shown,
        [("A", vec![1, 2], vec![2, 3]), ("B", vec![1], vec![4]), ("A", vec![3], vec![5])]
    );
}

#[test]
fn a_newer_version_of_an_order_that_follows_it_is_an_order_of_its_own() {
    let read = orders(
        "order_no,line_no,buyer_id,paid_at,amount,status,updated_at\n\
         A,1,b,2024-01-31,1,paid,2024-01-31T00:00:00Z\n\
         A,1,b,2024-01-31,1,refunded,2024-02-02T00:00:00Z\n",
    );
    let states: Vec<_> = read.iter().map(|o| o.order.status.as_str()).collect();
    assert_eq!(states, ["paid", "refunded"]);
}

#[test]
fn an_order_of_more_lines_than_a_request_takes_goes_in_parts() {
    let mut text = "order_no,buyer_id,paid_at,amount\n".to_owned();
    for _ in 0..1001 {
        text.push_str("A,b,2024-01-31,1\n");
    }
    let parts: Vec<usize> = orders(&text).iter().map(|o| o.order.lines.len()).collect();
    assert_eq!(parts, [500, 500, 1]);
}

#[test]
fn an_order_that_was_not_paid_needs_no_time_of_payment() {
    let read = orders("order_no,buyer_id,paid_at,amount,status\nA,b,,1,cancelled\n");
    assert_eq!(read[0].order.pay_time, None);
}

#[test]
fn quotes_blanks_and_line_ends_of_any_kind_are_read() {
    let read = orders(
        "order_no,buyer_id,paid_at,amount,sku\r\n \"A\" , b ,2024-01-31, 1 ,\"x, \"\"y\"\"\nz\"\r\n\r\n,,,,\nB,b,2024-01-31,2,",
    );
    assert_eq!(read[0].order.order_no, "\"A\"");
    assert_eq!(read[0].order.buyer_id, "b");
    assert_eq!(read[0].order.lines[0].sku, "x, \"y\"\nz");
    assert_eq!(read[1].rows[0].line, 6);
}

#[test]
fn every_order_of_the_cdnow_file_is_read() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/cdnow/orders.csv.gz");
    let source = open(std::path::Path::new(file)).unwrap();
    let (size, position) = (source.size.unwrap(), source.position.clone());
    let reader = Reader::new(source.read, options()).unwrap();
    assert_eq!(reader.header().ignored(), [""; 0]);
    let (mut count, mut minor, mut quantity) = (0, 0, 0);
    for item in reader {
        let Item::Order(order) = item.unwrap() else { panic!("a row was rejected") };
        count += 1;
        for line in &order.order.lines {
            minor += line.paid.as_ref().unwrap().minor_units;
            quantity += line.quantity;
        }
    }
    assert_eq!((count, minor, quantity), (69_659, 250_031_563, 167_881));
    assert_eq!(position.load(Ordering::Relaxed), size, "the whole file was counted");
}
