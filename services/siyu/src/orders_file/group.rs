//! Consecutive rows of one order, and the numbers of lines that the file does not number.

use std::{
    collections::{HashMap, hash_map::Entry},
    hash::{DefaultHasher, Hash, Hasher},
};

use csv::ByteRecord;
use siyu_proto::order::v1::ExternalOrder;

use super::{Column, FileOrder, Row, row::Problem};

/// The most lines that one order of a request may have; a longer one goes in parts.
const MOST_LINES: usize = 500;

/// An order that may still get lines.
pub(super) struct Group {
    order: ExternalOrder,
    rows: Vec<Row>,
}

impl Group {
    pub(super) fn new(order: ExternalOrder, row: Row) -> Self {
        Self { order, rows: vec![row] }
    }

    /// Whether a row belongs to the same version of the same order.
    pub(super) fn continues(&self, next: &ExternalOrder) -> bool {
        self.order.order_no == next.order_no
            && self.order.update_time == next.update_time
            && self.order.lines.len() < MOST_LINES
    }

    /// Adds the line of a row, unless it says something else of the order than the first row did.
    pub(super) fn add(&mut self, next: ExternalOrder, row: Row) -> Result<(), (Problem, Row)> {
        if let Some(problem) = self.contradiction(&next) {
            return Err((problem, row));
        }
        self.order.lines.extend(next.lines);
        self.rows.push(row);
        Ok(())
    }

    pub(super) fn into_order(self) -> FileOrder {
        let Self { order, rows } = self;
        debug_assert_eq!(order.lines.len(), rows.len(), "each line comes from one row");
        FileOrder { order, rows }
    }

    fn contradiction(&self, next: &ExternalOrder) -> Option<Problem> {
        let (order, first) = (&self.order, self.rows[0].line);
        let currency = |order: &ExternalOrder| {
            order.lines[0].paid.as_ref().map(|paid| paid.currency_code.clone())
        };
        let same = [
            (Column::BuyerId, order.buyer_id == next.buyer_id),
            (Column::PaidAt, order.pay_time == next.pay_time),
            (Column::StoreId, order.store_code == next.store_code),
            (Column::Domain, order.domain == next.domain),
            (Column::Channel, order.channel == next.channel),
            (Column::Status, order.status == next.status),
            (Column::Currency, currency(order) == currency(next)),
        ];
        if let Some((column, _)) = same.into_iter().find(|(_, same)| !same) {
            let reason = format!("differs from line {first}, which is of the same order");
            return Some(Problem::new(column, reason));
        }
        let number = next.lines[0].line_no;
        let taken = order.lines.iter().position(|line| line.line_no == number)?;
        let reason = format!("{number} stands on line {} of the same order", self.rows[taken].line);
        Some(Problem::new(Column::LineNo, reason))
    }
}

/// Counts the lines of orders whose lines have no number: by the order in which they appear in the file, together or apart.
/// It keeps 64 bits of each order number: two of a million orders are mistaken for one with a chance of 1 to 30 million.
#[derive(Default)]
pub(super) struct Numbers {
    counts: HashMap<u64, i32>,
}

impl Numbers {
    pub(super) fn next(&mut self, order_no: &str) -> i32 {
        let count = self.counts.entry(fingerprint(order_no)).or_default();
        *count = count.saturating_add(1);
        *count
    }
}

/// Finds rows that stand in a file before, byte for byte. It keeps 64 bits of each row and the line where it stood first.
#[derive(Default)]
pub(super) struct Repeats {
    lines: HashMap<u64, u64>,
}

impl Repeats {
    /// The line on which the same row stood first, if it did.
    pub(super) fn first(&mut self, fields: &ByteRecord, line: u64) -> Option<u64> {
        let mut hasher = DefaultHasher::new();
        fields.iter().for_each(|field| field.hash(&mut hasher));
        match self.lines.entry(hasher.finish()) {
            Entry::Occupied(first) => Some(*first.get()),
            Entry::Vacant(place) => {
                place.insert(line);
                None
            }
        }
    }
}

/// 64 bits that stand for an order number.
pub(crate) fn fingerprint(order_no: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    order_no.hash(&mut hasher);
    hasher.finish()
}
