//! Files as a whole: kinds, headers, and files that are something else.

use std::io::Write;

use flate2::{Compression, write::GzEncoder};

use super::*;

const GOOD: &str = "order_no,buyer_id,paid_at,amount\nA,b,2024-01-31,1\n";

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn renamed(pairs: &str) -> Options {
    Options { renames: pairs.parse().unwrap(), ..options() }
}

#[test]
fn a_file_is_read_plain_packed_in_parts_and_with_a_byte_order_mark() {
    let plain = orders(GOOD);
    let mut two_parts = packed(&GOOD.as_bytes()[..20]);
    two_parts.extend(packed(&GOOD.as_bytes()[20..]));
    let marked = [b"\xef\xbb\xbf", GOOD.as_bytes()].concat();
    for bytes in [packed(GOOD.as_bytes()), two_parts, marked.clone(), packed(&marked)] {
        let read = read_with(bytes, options()).unwrap();
        assert_eq!(read, [Item::Order(plain[0].clone())]);
    }
}

#[test]
fn a_header_alone_is_a_file_without_orders() {
    assert_eq!(items("order_no,buyer_id,paid_at,amount\n"), []);
}

#[test]
fn what_is_no_order_file_is_refused_with_what_it_seems_to_be() {
    let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x01\0".to_vec();
    let cases: [(Vec<u8>, &str); 13] = [
        (Vec::new(), "the file is empty"),
        (packed(b""), "the file is empty"),
        (png.clone(), "not a CSV file: it has binary content"),
        (packed(&png), "not a CSV file: it has binary content"),
        (b"PK\x03\x04 workbook".to_vec(), "Excel workbook or a zip archive"),
        (b"\xff\xfeo\0r\0d\0".to_vec(), "UTF-16"),
        (b"{\"orders\": []}".to_vec(), "JSON"),
        (b"order_no;buyer_id;paid_at;amount\n".to_vec(), "separated by semicolons"),
        (b"order_no\tbuyer_id\tpaid_at\tamount\n".to_vec(), "separated by tabs"),
        (b"Dear all, \n".to_vec(), "no column order_no"),
        (b"\xb6\xa9\xb5\xa5,amount\n".to_vec(), "iconv -f GBK -t UTF-8"),
        (b"hello\nworld\n".to_vec(), "its first line is a single text: \"hello\""),
        (b"\x1f\x8bnot gzip at all".to_vec(), "cannot be read"),
    ];
    for (bytes, words) in cases {
        let message = refusal(bytes, options());
        assert!(message.contains(words), "{message} lacks {words}");
    }
}

#[test]
fn a_missing_column_is_named_beside_those_that_are_there() {
    let message = refusal("basket,buyer_id,when,amount\n", options());
    assert_eq!(
        message,
        "the file has no column order_no, paid_at; its columns are: basket, buyer_id, when, amount. \
         Say which is which: --columns order_no=…,paid_at=…"
    );
}

#[test]
fn columns_can_be_renamed_and_the_rest_is_ignored_by_name() {
    let text = "订单编号,buyer_id,paid_at,amount,order_no,Colour\nA,b,2024-01-31,1,Z,red\n";
    let reader = Reader::new(std::io::Cursor::new(text), renamed("order_no=订单编号")).unwrap();
    assert_eq!(reader.header().ignored(), ["order_no", "Colour"]);
    let read: Result<Vec<Item>, Error> = reader.collect();
    assert!(matches!(&read.unwrap()[0], Item::Order(order) if order.order.order_no == "A"));
}

#[test]
fn a_rename_of_a_column_that_is_not_there_is_refused() {
    let message = refusal(GOOD, renamed("sku=article"));
    assert!(message.contains("--columns sku=article"), "{message}");
    let message = refusal("order_no,order_no,buyer_id,paid_at,amount\n", options());
    assert_eq!(message, "the file has two columns \"order_no\"");
}

#[test]
fn renames_that_cannot_be_meant_are_refused() {
    let cases = [
        ("order_no", RenameError::Malformed("order_no".to_owned())),
        ("order_no=", RenameError::Malformed("order_no=".to_owned())),
        ("order=x", RenameError::Unknown("order".to_owned())),
        ("sku=a,sku=b", RenameError::Twice(Column::Sku)),
    ];
    for (text, error) in cases {
        assert_eq!(text.parse::<Renames>(), Err(error), "{text}");
    }
}

#[test]
fn a_quote_that_is_not_closed_ends_the_file_where_it_stands_and_draws_nothing_into_memory() {
    let mut text = GOOD.to_owned();
    text.push_str("B,\"b,2024-01-31,1\n");
    for _ in 0..200_000 {
        text.push_str("C,b,2024-01-31,1\n");
    }
    let mut reader = Reader::new(std::io::Cursor::new(text), options()).unwrap();
    assert!(matches!(reader.next(), Some(Ok(Item::Order(_)))));
    assert!(matches!(reader.next(), Some(Err(Error::Endless { line: 3 }))));
    assert!(reader.next().is_none());
}

#[test]
fn a_packed_file_that_breaks_off_gives_what_it_has_and_then_the_break() {
    let header = "order_no,buyer_id,paid_at,amount".to_owned();
    let rows = (0..20_000).map(|n| format!("{n},b{n},2024-01-31,{n}"));
    let rows: Vec<String> = std::iter::once(header).chain(rows).collect();
    let mut bytes = packed(rows.join("\n").as_bytes());
    bytes.truncate(bytes.len() / 2);
    let reader = Reader::new(std::io::Cursor::new(bytes), options()).unwrap();
    let (good, bad): (Vec<_>, Vec<_>) = reader.partition(Result::is_ok);
    assert!(good.len() > 1000, "{}", good.len());
    assert!(matches!(bad.as_slice(), [Err(Error::Broken { line, .. })] if *line > 1000));
}
