//! Order files: the CDNOW orders or a part of them, and others that a story makes up.

use std::{fs, path::Path, sync::LazyLock};

/// The header of the CDNOW orders.
const CDNOW: &str = "order_no,buyer_id,paid_at,quantity,currency,amount,domain,channel";

static ORDERS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/cdnow/cdnow_full.csv");
    let text = fs::read_to_string(path).expect("the CDNOW orders are in the project");
    // As `data/cdnow/README.md` makes orders.csv.gz.
    let order = |(number, line): (usize, &str)| {
        let fields: Vec<&str> = line.split(',').collect();
        let [buyer, day, quantity, amount] = fields[..] else { panic!("{line}") };
        format!("cdnow-{number:05},{buyer},{day},{quantity},USD,{amount},private,web")
    };
    (0..).zip(text.lines()).skip(1).map(order).collect()
});

/// An order file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheet {
    /// The columns.
    pub header: String,
    /// The rows below it.
    pub rows: Vec<String>,
}

impl Sheet {
    /// Every order of the first so many CDNOW customers.
    pub fn cdnow(customers: u32) -> Self {
        let last = format!("{customers:05}");
        let of_them = |row: &&String| row.split(',').nth(1).is_some_and(|buyer| *buyer <= *last);
        let rows: Vec<String> = ORDERS.iter().filter(of_them).cloned().collect();
        Self { header: CDNOW.to_owned(), rows }
    }

    /// A file of a story's own.
    pub fn new(header: &str, rows: &[&str]) -> Self {
        Self { header: header.to_owned(), rows: rows.iter().map(|&row| row.to_owned()).collect() }
    }

    /// The same rows in another order.
    #[must_use]
    pub fn shuffled(&self, seed: u64) -> Self {
        let mut rows = self.rows.clone();
        shuffle(&mut rows, seed);
        Self { header: self.header.clone(), rows }
    }

    /// The file.
    pub fn csv(&self) -> Vec<u8> {
        let mut text = format!("{}\n", self.header);
        self.rows.iter().for_each(|row| {
            text.push_str(row);
            text.push('\n');
        });
        text.into_bytes()
    }

    /// One field of a row.
    pub fn field<'a>(&self, row: &'a str, column: &str) -> &'a str {
        let place = self.header.split(',').position(|name| name == column);
        row.split(',').nth(place.expect("the file has the column")).expect("the row has it")
    }

    /// What each buyer earns, in whole units of the currency: an order's paid amount without its cents.
    pub fn earned(&self) -> std::collections::BTreeMap<String, i64> {
        let mut earned = std::collections::BTreeMap::new();
        for row in &self.rows {
            let whole = self.field(row, "amount").split('.').next().and_then(|w| w.parse().ok());
            let whole: i64 = whole.expect("amounts are decimals");
            *earned.entry(self.field(row, "buyer_id").to_owned()).or_default() += whole;
        }
        earned
    }
}

/// Another order of the same things, the same for the same seed: Fisher and Yates, drawn by a xorshift.
pub fn shuffle<T>(things: &mut [T], seed: u64) {
    let mut state = seed | 1;
    for place in (1..things.len()).rev() {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let other = state % (place as u64 + 1);
        things.swap(place, usize::try_from(other).expect("it is at most the place"));
    }
}
