//! What holds for any file.

use proptest::prelude::*;

use super::*;

/// Rows that are good and bad in all the ways that a short alphabet allows.
fn text() -> impl Strategy<Value = String> {
    let field = prop_oneof![
        Just(String::new()),
        "[ABC]",
        Just("2024-01-31".to_owned()),
        Just("12.50".to_owned()),
        Just("-1".to_owned()),
        "[ -~äé\"]{0,8}",
    ];
    let good = "[ABC],[bc],2024-01-31,[0-9]{1,3}";
    let row = prop_oneof![
        3 => good.prop_map(|row| row),
        1 => prop::collection::vec(field, 0..6).prop_map(|fields| fields.join(",")),
    ];
    prop::collection::vec(row, 0..40)
        .prop_map(|rows| format!("order_no,buyer_id,paid_at,amount\n{}", rows.join("\n")))
}

proptest! {
    #[test]
    fn every_row_comes_out_once_as_a_line_or_as_a_reject(text in text()) {
        let mut reader = Reader::new(std::io::Cursor::new(text), options()).unwrap();
        let mut lines = Vec::new();
        for item in reader.by_ref() {
            match item.unwrap() {
                Item::Order(order) => {
                    prop_assert_eq!(order.order.lines.len(), order.rows.len());
                    lines.extend(order.rows.iter().map(|row| row.line));
                }
                Item::Reject(reject) => {
                    prop_assert!(!reject.reason.is_empty());
                    lines.push(reject.row.line);
                }
            }
        }
        prop_assert_eq!(lines.len() as u64, reader.rows());
        lines.sort_unstable();
        prop_assert!(lines.is_sorted_by(|a, b| a < b), "a row came out twice");
    }

    #[test]
    fn lines_of_one_order_have_numbers_of_their_own(text in text()) {
        let mut seen = std::collections::HashSet::new();
        for item in items(&text) {
            let Item::Order(order) = item else { continue };
            for line in &order.order.lines {
                prop_assert!(seen.insert((order.order.order_no.clone(), line.line_no)));
            }
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = read_with(bytes, options());
    }

    #[test]
    fn any_amount_that_is_read_prints_as_it_was(minor in 0..i64::MAX) {
        let text = format!("{}.{:02}", minor / 100, minor % 100);
        let file = format!("order_no,buyer_id,paid_at,amount\nA,b,2024-01-31,{text}\n");
        let read = orders(&file);
        prop_assert_eq!(read[0].order.lines[0].paid.as_ref().unwrap().minor_units, minor);
    }
}
