//! The day cell: who bought on one day in one scope, and how much each. The unit of storage and of change.
//!
//! Layout of version 1, all integers variable-length: version byte; orders off hours, GMV off hours; then, each behind its
//! length, the buyers' bitmap and three columns in its order: orders, amount, units. Sums are derived from the columns.

mod columns;

use std::collections::BTreeMap;

use roaring::RoaringBitmap;

pub(super) use self::columns::Columns;
use super::{
    Fact, Person,
    codec::{self, Reader},
};

const VERSION: u8 = 1;

/// The largest amount of one order in minor units; a million such orders still sum within 64 bits.
pub const MAX_AMOUNT_MINOR: i64 = 9_000_000_000_000;
/// The most pieces of one order.
pub const MAX_UNITS: i64 = 1_000_000_000;

/// Who bought on one day, and how much.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DayCell {
    pub(super) buyers: RoaringBitmap,
    pub(super) multi: RoaringBitmap,
    pub(super) sums: Sums,
    pub(super) columns: Columns,
}

/// What a number of orders sum to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sums {
    /// Paid orders.
    pub orders: u64,
    /// What they paid, in minor units.
    pub gmv_minor: i64,
    /// Pieces.
    pub units: i64,
    /// Orders that paid nothing.
    pub zero_orders: u64,
    /// Orders paid while the store was closed.
    pub off_hours_orders: u64,
    /// What these paid, in minor units.
    pub off_hours_gmv_minor: i64,
}

/// What one person bought on one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spend {
    /// Who.
    pub person: Person,
    /// Paid orders.
    pub orders: u64,
    /// What they paid, in minor units.
    pub amount_minor: i64,
    /// Pieces.
    pub units: i64,
}

/// Why a cell could not be built or read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CellError {
    /// An order beyond [`MAX_AMOUNT_MINOR`] or [`MAX_UNITS`].
    #[error("an order of person {0} is larger than an order may be")]
    TooLarge(Person),
    /// The bytes are of another version of the format.
    #[error("unknown version {0} of a day cell")]
    Version(u8),
    /// The bytes are not what the engine writes.
    #[error("malformed bytes")]
    Malformed,
}

impl Sums {
    /// Adds `other`.
    ///
    /// # Panics
    /// When a sum exceeds 64 bits: orders are bounded so that it takes a million of the largest.
    pub(super) fn add(&mut self, other: &Self) {
        let sum = |a: i64, b: i64| a.checked_add(b).expect("a merchant's turnover fits 64 bits");
        self.orders += other.orders;
        self.gmv_minor = sum(self.gmv_minor, other.gmv_minor);
        self.units = sum(self.units, other.units);
        self.zero_orders += other.zero_orders;
        self.off_hours_orders += other.off_hours_orders;
        self.off_hours_gmv_minor = sum(self.off_hours_gmv_minor, other.off_hours_gmv_minor);
    }

    fn of(fact: &Fact) -> Self {
        Self {
            orders: 1,
            gmv_minor: fact.amount_minor,
            units: fact.units,
            zero_orders: u64::from(fact.amount_minor == 0),
            off_hours_orders: u64::from(fact.off_hours),
            off_hours_gmv_minor: if fact.off_hours { fact.amount_minor } else { 0 },
        }
    }
}

impl DayCell {
    /// Sums the facts of one day and scope per person. Which day and scope is the caller's; the order of facts does not
    /// matter.
    ///
    /// # Errors
    /// [`CellError::TooLarge`].
    pub fn build<'a>(facts: impl IntoIterator<Item = &'a Fact>) -> Result<Self, CellError> {
        let mut persons: BTreeMap<Person, Sums> = BTreeMap::new();
        let mut sums = Sums::default();
        for fact in facts {
            let (amount, units) = (fact.amount_minor.unsigned_abs(), fact.units.unsigned_abs());
            if amount > MAX_AMOUNT_MINOR.unsigned_abs() || units > MAX_UNITS.unsigned_abs() {
                return Err(CellError::TooLarge(fact.person));
            }
            let one = Sums::of(fact);
            persons.entry(fact.person).or_default().add(&one);
            sums.add(&one);
        }
        let multi = persons.iter().filter(|(_, spend)| spend.orders > 1).map(|(&person, _)| person);
        Ok(Self {
            multi: multi.collect(),
            buyers: persons.keys().copied().collect(),
            sums,
            columns: Columns::of(persons.values()),
        })
    }

    /// The bytes to store: equal facts give equal bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![VERSION];
        codec::put_varint(&mut out, self.sums.off_hours_orders);
        codec::put_signed(&mut out, self.sums.off_hours_gmv_minor);
        codec::put_varint(&mut out, self.sums.zero_orders);
        codec::put_bytes(&mut out, &codec::encode_bitmap(&self.buyers));
        self.columns.put(&mut out);
        out
    }

    /// Reads stored bytes.
    ///
    /// # Errors
    /// [`CellError::Version`] or [`CellError::Malformed`].
    pub fn decode(bytes: &[u8]) -> Result<Self, CellError> {
        let (&version, rest) = bytes.split_first().ok_or(CellError::Malformed)?;
        if version != VERSION {
            return Err(CellError::Version(version));
        }
        Self::decode_v1(Reader::new(rest)).ok_or(CellError::Malformed)
    }

    fn decode_v1(mut reader: Reader<'_>) -> Option<Self> {
        let mut sums = Sums {
            off_hours_orders: reader.varint()?,
            off_hours_gmv_minor: reader.signed()?,
            zero_orders: reader.varint()?,
            ..Sums::default()
        };
        let buyers = codec::decode_bitmap(reader.bytes()?).ok()?;
        let columns = Columns::read(&mut reader)?;
        let mut multi = RoaringBitmap::new();
        let mut rows = columns.rows();
        for person in &buyers {
            let spend = rows.next(person)?;
            sums.orders = sums.orders.checked_add(spend.orders)?;
            sums.gmv_minor = sums.gmv_minor.checked_add(spend.amount_minor)?;
            sums.units = sums.units.checked_add(spend.units)?;
            if spend.orders > 1 {
                multi.try_push(person).ok()?;
            }
        }
        let whole = reader.is_empty() && rows.are_read();
        whole.then_some(Self { buyers, multi, sums, columns })
    }

    /// The distinct buyers.
    #[must_use]
    pub const fn buyers(&self) -> &RoaringBitmap {
        &self.buyers
    }

    /// What the day's orders sum to.
    #[must_use]
    pub const fn sums(&self) -> &Sums {
        &self.sums
    }

    /// Whether there was no order.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.buyers.is_empty()
    }

    /// What each buyer bought, by person.
    pub fn spends(&self) -> impl Iterator<Item = Spend> {
        self.columns.spends(&self.buyers)
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use siyu_kernel::LocalDay;

    use super::*;
    use crate::engine::Domain;

    fn fact(person: Person, amount_minor: i64, units: i64, off_hours: bool) -> Fact {
        let (day, paid_at, domain) = (LocalDay(0), DateTime::UNIX_EPOCH, Domain::Private);
        Fact { person, day, paid_at, amount_minor, units, domain, off_hours }
    }

    #[test]
    fn a_cell_sums_per_person_and_comes_back_from_its_bytes() {
        let facts = [fact(9, 500, 1, true), fact(2, 0, 3, false), fact(9, -20, 2, false)];
        let cell = DayCell::build(&facts).unwrap();
        let reversed = DayCell::build(facts.iter().rev()).unwrap();
        assert_eq!(cell.encode(), reversed.encode());
        assert_eq!(DayCell::decode(&cell.encode()), Ok(cell.clone()));
        let rows: Vec<_> =
            cell.spends().map(|s| (s.person, s.orders, s.amount_minor, s.units)).collect();
        assert_eq!(rows, [(2, 1, 0, 3), (9, 2, 480, 3)]);
        let sums = Sums {
            orders: 3,
            gmv_minor: 480,
            units: 6,
            zero_orders: 1,
            off_hours_orders: 1,
            off_hours_gmv_minor: 500,
        };
        assert_eq!((*cell.sums(), cell.multi), (sums, RoaringBitmap::from([9])));
    }

    #[test]
    fn cut_or_foreign_bytes_and_oversized_orders_are_refused() {
        let bytes = DayCell::build(&[fact(1, 100, 1, false)]).unwrap().encode();
        for length in 0..bytes.len() {
            assert_eq!(DayCell::decode(&bytes[..length]), Err(CellError::Malformed), "{length}");
        }
        assert_eq!(DayCell::decode(&[9, 0]), Err(CellError::Version(9)));
        for (amount, units) in [(MAX_AMOUNT_MINOR + 1, 1), (i64::MIN, 1), (1, i64::MIN)] {
            let built = DayCell::build(&[fact(4, amount, units, false)]);
            assert_eq!(built, Err(CellError::TooLarge(4)));
        }
    }
}
