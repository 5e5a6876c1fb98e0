//! Rows that are no order lines: what is said of them, and that the others do not suffer.

use super::*;

const HEADER: &str = "order_no,line_no,buyer_id,paid_at,store_id,domain,quantity,currency,amount\n";

#[test]
fn each_bad_field_is_named_with_what_it_must_be() {
    let when = "must be an instant like 2024-01-31T10:00:00Z, a date like 2024-01-31, \
                or a local time like 2024-01-31 10:00:00";
    let cases = [
        (",1,b,2024-01-31,,,1,,1", "order_no is empty".to_owned()),
        ("A,0,b,2024-01-31,,,1,,1", "line_no must be a whole number from 1".to_owned()),
        ("A,x,b,2024-01-31,,,1,,1", "line_no must be a whole number from 1".to_owned()),
        ("A,1,,2024-01-31,,,1,,1", "buyer_id is empty".to_owned()),
        ("A,1,b,,,,1,,1", "paid_at is empty".to_owned()),
        ("A,1,b,31.01.2024,,,1,,1", format!("paid_at \"31.01.2024\" {when}")),
        ("A,1,b,2024-1-31,,,1,,1", format!("paid_at \"2024-1-31\" {when}")),
        ("A,1,b,2024-02-30,,,1,,1", format!("paid_at \"2024-02-30\" {when}")),
        ("A,1,b,2024-01-31 1:00,,,1,,1", format!("paid_at \"2024-01-31 1:00\" {when}")),
        ("A,1,b,2024-01-31 24:00,,,1,,1", format!("paid_at \"2024-01-31 24:00\" {when}")),
        (
            "A,1,b,1069-01-31,,,1,,1",
            "paid_at \"1069-01-31\" must lie in the years 1970 to 9999".to_owned(),
        ),
        (
            "A,1,b,2024-01-31,ghost,,1,,1",
            "store_id \"ghost\" no store has this id; bring it in with `siyu store import`"
                .to_owned(),
        ),
        ("A,1,b,2024-01-31,,own,1,,1", "domain \"own\" must be private, public or pos".to_owned()),
        ("A,1,b,2024-01-31,,,1.5,,1", "quantity \"1.5\" must be a whole number from 0".to_owned()),
        ("A,1,b,2024-01-31,,,-1,,1", "quantity \"-1\" must be a whole number from 0".to_owned()),
        ("A,1,b,2024-01-31,,,1000000001,,1", "quantity must be at most 1000000000".to_owned()),
        (
            "A,1,b,2024-01-31,,,1,RMB,1",
            "currency \"RMB\" is not an ISO 4217 currency in circulation".to_owned(),
        ),
        ("A,1,b,2024-01-31,,,1,,", "amount is empty".to_owned()),
        ("A,1,b,2024-01-31,,,1,,-0.01", "amount \"-0.01\" must not be negative".to_owned()),
        (
            "A,1,b,2024-01-31,,,1,,1.999",
            "amount \"1.999\" must have at most 2 decimal digits in CNY".to_owned(),
        ),
        (
            "A,1,b,2024-01-31,,,1,JPY,1.5",
            "amount \"1.5\" must have at most 0 decimal digits in JPY".to_owned(),
        ),
        (
            "A,1,b,2024-01-31,,,1,,¥5",
            "amount \"¥5\" must be a decimal number like 12.50".to_owned(),
        ),
        ("A,1,b,2024-01-31", "- the row has 4 fields, the header has 9".to_owned()),
        ("A,1,b,2024-01-31,,,1,,1,", "- the row has 10 fields, the header has 9".to_owned()),
    ];
    for (row, expected) in cases {
        assert_eq!(rejects(&format!("{HEADER}{row}\n")), [format!("2 {expected}")], "{row}");
    }
}

#[test]
fn a_text_that_is_too_long_is_refused_by_the_bound_of_the_contract() {
    let text = format!("{HEADER}{},1,b,2024-01-31,,,1,,1\n", "x".repeat(65));
    assert_eq!(rejects(&text), ["2 order_no must have at most 64 bytes, has 65"]);
}

#[test]
fn a_row_that_is_not_utf_8_is_rejected_alone() {
    let mut bytes = HEADER.as_bytes().to_vec();
    bytes.extend(b"A,1,\xd5\xc5\xc8\xfd,2024-01-31,,,1,,1\nB,1,b,2024-01-31,,,1,,1\n");
    let read = read_with(bytes, options()).unwrap();
    let Item::Reject(reject) = &read[0] else { panic!("{read:?}") };
    assert_eq!((reject.row.line, reject.column), (2, Some(Column::BuyerId)));
    assert!(reject.reason.contains("UTF-8"), "{}", reject.reason);
    assert!(matches!(&read[1], Item::Order(order) if order.order.order_no == "B"));
}

#[test]
fn rows_of_one_order_must_agree_on_what_is_the_orders() {
    let text = format!(
        "{HEADER}A,1,b,2024-01-31,,private,1,CNY,1\n\
         A,2,c,2024-01-31,,private,1,CNY,1\n\
         A,3,b,2024-02-01,,private,1,CNY,1\n\
         A,4,b,2024-01-31,,pos,1,CNY,1\n\
         A,5,b,2024-01-31,,private,1,USD,1\n\
         A,1,b,2024-01-31,,private,1,CNY,1\n\
         A,6,b,2024-01-31,,private,1,CNY,1\n"
    );
    assert_eq!(
        rejects(&text),
        [
            "3 buyer_id differs from line 2, which is of the same order",
            "4 paid_at differs from line 2, which is of the same order",
            "5 domain differs from line 2, which is of the same order",
            "6 currency differs from line 2, which is of the same order",
            "7 line_no 1 stands on line 2 of the same order",
        ]
    );
    let Some(Item::Order(order)) = items(&text).pop() else {
        panic!("the good rows are one order")
    };
    assert_eq!(order.rows.iter().map(|row| row.line).collect::<Vec<_>>(), [2, 8]);
}

#[test]
fn a_bad_row_keeps_its_number_so_that_it_can_be_mended_later() {
    let text = "order_no,buyer_id,paid_at,amount\n\
                A,b,2024-01-31,1\nA,b,2024-01-31,oops\nA,b,2024-01-31,3\n";
    let read = items(text);
    let numbers: Vec<_> = read
        .iter()
        .flat_map(|item| match item {
            Item::Order(order) => order.rows.iter().map(|row| row.line_no).collect(),
            Item::Reject(reject) => vec![reject.row.line_no],
        })
        .collect();
    assert_eq!(numbers, [Some(2), Some(1), Some(3)]);
}
