//! One value per buyer in the order of the buyers' bitmap: orders, amounts, units, each column encoded on its own.

use roaring::RoaringBitmap;

use super::{Spend, Sums};
use crate::engine::{
    Person,
    codec::{self, Reader},
};

/// The columns of a day cell.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::engine) struct Columns {
    orders: Box<[u8]>,
    amounts: Box<[u8]>,
    units: Box<[u8]>,
}

/// Reads the columns row by row.
pub(super) struct Rows<'a> {
    orders: Reader<'a>,
    amounts: Reader<'a>,
    units: Reader<'a>,
}

impl Columns {
    /// The columns of persons' sums, in the order of persons.
    pub(super) fn of<'a>(persons: impl Iterator<Item = &'a Sums>) -> Self {
        let (mut orders, mut amounts, mut units) = (Vec::new(), Vec::new(), Vec::new());
        for sums in persons {
            codec::put_varint(&mut orders, sums.orders);
            codec::put_signed(&mut amounts, sums.gmv_minor);
            codec::put_signed(&mut units, sums.units);
        }
        Self { orders: orders.into(), amounts: amounts.into(), units: units.into() }
    }

    pub(super) fn put(&self, out: &mut Vec<u8>) {
        for column in [&self.orders, &self.amounts, &self.units] {
            codec::put_bytes(out, column);
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let mut column = || reader.bytes().map(Box::from);
        Some(Self { orders: column()?, amounts: column()?, units: column()? })
    }

    /// The rows of `buyers`, to whom these columns belong.
    pub(in crate::engine) fn spends(&self, buyers: &RoaringBitmap) -> impl Iterator<Item = Spend> {
        let mut rows = self.rows();
        buyers.iter().map(move |person| rows.next(person).expect("checked when decoded"))
    }

    pub(super) fn rows(&self) -> Rows<'_> {
        Rows {
            orders: Reader::new(&self.orders),
            amounts: Reader::new(&self.amounts),
            units: Reader::new(&self.units),
        }
    }
}

impl Rows<'_> {
    /// The row of `person`, who comes next; `None` when a column ends or is malformed.
    pub(super) fn next(&mut self, person: Person) -> Option<Spend> {
        Some(Spend {
            person,
            orders: self.orders.varint()?,
            amount_minor: self.amounts.signed()?,
            units: self.units.signed()?,
        })
    }

    pub(super) const fn are_read(&self) -> bool {
        self.orders.is_empty() && self.amounts.is_empty() && self.units.is_empty()
    }
}
