//! What an activity means for one order: another price, another time to pay, other stock.

use siyu_kernel::Fault;
use siyu_proto::order::v1::{CartLine, PriceSnapshot, SnapshotOffer};

use super::{activity::Kind, store::Entry};
use crate::{blind_box, group, price::OfferKind, quote::snapshot::rank};

/// What an order gets by its activity.
#[derive(Debug)]
pub(crate) struct Deal {
    /// What is kept with the order.
    pub(crate) entry: Entry,
    /// Another price for the one line.
    pub(crate) offer: Option<Offer>,
    /// How long the order waits for its payment.
    pub(crate) pay: PayWindow,
    /// What else is kept.
    pub(crate) more: More,
}

/// Another price.
#[derive(Debug)]
pub(crate) struct Offer {
    pub(crate) kind: OfferKind,
    pub(crate) unit_minor: i64,
}

/// How long an order waits for its payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PayWindow {
    /// As usual.
    Usual,
    /// As usual, but no longer than so many minutes.
    AtMost(i32),
    /// So many minutes.
    Minutes(i32),
}

/// What a kind of activity keeps with an order.
#[derive(Debug)]
pub(crate) enum More {
    Nothing,
    Group(group::Seat),
    Bargain(crate::bargain::domain::BargainId),
    BlindBox(blind_box::Entry),
}

impl Deal {
    /// Another price among the offers of the order's line.
    pub(crate) fn offer(&self, snapshot: &mut PriceSnapshot) {
        let Some(offer) = &self.offer else { return };
        for line in &mut snapshot.lines {
            line.offers.push(SnapshotOffer {
                rule: self.entry.code.clone(),
                kind: rank(offer.kind),
                unit_minor: offer.unit_minor,
            });
        }
    }

    /// How long the order waits for its payment, where it usually waits so many minutes.
    pub(crate) fn pay_minutes(&self, usual: i32) -> i32 {
        match self.pay {
            PayWindow::Usual => usual,
            PayWindow::AtMost(most) => usual.min(most),
            PayWindow::Minutes(minutes) => minutes,
        }
    }
}

/// The pieces of a cart that has one line, of a SKU.
pub(crate) fn pieces(lines: &[CartLine], sku: &str) -> Result<i64, Fault> {
    match lines {
        [line] if line.sku == sku => Ok(line.quantity),
        [_] => Err(Fault::field("lines[0].sku", format!("the activity is for \"{sku}\""))),
        _ => Err(Fault::field("lines", "an order of an activity has one line")),
    }
}

impl Kind {
    /// What is kept with an order of this kind.
    pub(crate) fn entry(
        self,
        code: &str,
        person_id: siyu_kernel::Id<siyu_kernel::kind::Person>,
        taken: i64,
    ) -> Entry {
        Entry {
            kind: self,
            code: code.to_owned(),
            person_id,
            taken,
            stock_channel: String::new(),
            ended: false,
        }
    }
}
