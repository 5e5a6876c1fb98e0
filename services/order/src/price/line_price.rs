//! One exclusive price for a line: the lowest, whoever offers it, and never above the list.

use super::{Step, working::Working};

pub(super) fn apply(working: &mut Working<'_>) {
    let cart = working.cart;
    for (place, line) in cart.lines.iter().enumerate() {
        let best = line.offers.iter().min_by_key(|o| (o.unit_minor, o.kind, &o.rule));
        if let Some(offer) = best.filter(|offer| offer.unit_minor < line.unit_minor) {
            let off = (line.unit_minor - offer.unit_minor) * line.quantity;
            working.take(Step::LinePrice, &offer.rule, place, off);
        }
    }
}
