//! What a coupon promises and when. Pure.

use std::ops::Range;

use chrono::{DateTime, Utc};
use siyu_grpc::parse;
use siyu_kernel::{Id, LocalDay, Violation, Zone, kind};
use siyu_proto::{
    Path, Shape,
    order::v1::{
        self as proto,
        coupon_template::{Does, Validity},
    },
};

use crate::{
    order::domain::OrderId,
    price::{self, CouponKind, CouponOwner},
    promotion::domain::{Place, scope},
};

/// The id of a coupon.
pub type CouponId = Id<kind::Coupon>;

/// A person of the member service.
pub type PersonId = Id<kind::Person>;

/// A coupon: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Coupon {
    /// The coupon.
    pub id: CouponId,
    /// What it was claimed from.
    pub template_code: String,
    /// Who holds it.
    pub person_id: PersonId,
    /// The encoded template at the claim.
    pub definition: Vec<u8>,
    /// From when on it can be used.
    pub valid_from: DateTime<Utc>,
    /// Until when, exclusive.
    pub valid_to: DateTime<Utc>,
    /// When it was claimed.
    pub created_at: DateTime<Utc>,
    /// Where it is in its life, but for its time.
    pub state: State,
    /// How often it was given on.
    pub transfers: i32,
    /// When it was redeemed in a store.
    pub redeemed_at: Option<DateTime<Utc>>,
    /// The order that it was given for.
    pub given_order_id: Option<OrderId>,
}

/// Where a coupon is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum State {
    /// It can be used.
    Issued,
    /// An order that waits for its payment has it.
    Locked,
    /// An order used it, or it was redeemed in a store.
    Used,
    /// The merchant took it back.
    Void,
}

/// Says what is wrong with a template beyond the shape of its fields.
pub fn check(field: &str, template: &proto::CouponTemplate) -> Vec<Violation> {
    let mut wrong = Vec::new();
    let mut say = |name: &str, description: &str| {
        let field = format!("{field}.{name}");
        wrong.push(Violation { field, description: description.to_owned() });
    };
    if template.does.is_none() {
        say("does", "one of amount_off, rate_off, piece_free and shipping_off is required");
    }
    match template.validity {
        None => say("validity", "one of fixed and relative is required"),
        Some(Validity::Relative(_)) => {}
        Some(Validity::Fixed(fixed)) => {
            match (instant(fixed.valid_time_from), instant(fixed.valid_time_to)) {
                (Some(from), Some(to)) if from < to => {}
                (Some(_), Some(_)) => say("fixed.valid_time_to", "must come after valid_time_from"),
                (None, _) => say("fixed.valid_time_from", "is no instant"),
                (_, None) => say("fixed.valid_time_to", "is no instant"),
            }
        }
    }
    wrong.extend(
        bounds(template).into_iter().map(|violation| Violation {
            field: format!("{field}.{}", violation.field),
            ..violation
        }),
    );
    let mut say = |name: &str, description: &str| {
        let field = format!("{field}.{name}");
        wrong.push(Violation { field, description: description.to_owned() });
    };
    for (name, time) in
        [("claim_time_from", template.claim_time_from), ("claim_time_to", template.claim_time_to)]
    {
        if time.is_some() && instant(time).is_none() {
            say(name, "is no instant");
        }
    }
    if let (Some(from), Some(to)) =
        (instant(template.claim_time_from), instant(template.claim_time_to))
        && from >= to
    {
        say("claim_time_to", "must come after claim_time_from");
    }
    wrong
}

/// What the contract bounds: members of a oneof are checked by the method.
fn bounds(template: &proto::CouponTemplate) -> Vec<Violation> {
    let (root, mut wrong) = (Path::Root, Vec::new());
    match &template.does {
        Some(Does::AmountOff(off)) => off.violations(&root.child("amount_off"), &mut wrong),
        Some(Does::RateOff(off)) => off.violations(&root.child("rate_off"), &mut wrong),
        Some(Does::ShippingOff(off)) => off.violations(&root.child("shipping_off"), &mut wrong),
        Some(Does::PieceFree(_)) | None => {}
    }
    match &template.validity {
        Some(Validity::Relative(days)) => days.violations(&root.child("relative"), &mut wrong),
        Some(Validity::Fixed(_)) | None => {}
    }
    wrong
}

/// Whether coupons of the template may be claimed at an instant.
pub fn is_claimable(template: &proto::CouponTemplate, now: DateTime<Utc>) -> bool {
    !template.paused
        && instant(template.claim_time_from).is_none_or(|from| from <= now)
        && instant(template.claim_time_to).is_none_or(|to| now < to)
}

/// When a coupon that is claimed now is valid. Days are days of the merchant's zone (rule 43).
pub fn validity(
    template: &proto::CouponTemplate,
    now: DateTime<Utc>,
    zone: Zone,
) -> Option<Range<DateTime<Utc>>> {
    match template.validity? {
        Validity::Fixed(fixed) => {
            Some(instant(fixed.valid_time_from)?..instant(fixed.valid_time_to)?)
        }
        Validity::Relative(relative) => {
            let first = LocalDay(zone.day(now).0 + relative.start_after_days);
            let from = if relative.start_after_days == 0 { now } else { zone.start_of(first) };
            Some(from..zone.start_of(LocalDay(first.0 + relative.days)))
        }
    }
}

/// What a coupon does to a price at a place.
pub fn for_price(coupon: &proto::Coupon, place: Place<'_>) -> Option<price::Coupon> {
    let template = coupon.template.as_ref()?;
    let kind = match template.does.as_ref()? {
        Does::AmountOff(off) => CouponKind::Fixed(off.minor_units),
        Does::RateOff(off) => CouponKind::Percent {
            rate_bp: off.rate_bp.into(),
            max_minor: (off.max_minor > 0).then_some(off.max_minor),
        },
        Does::PieceFree(_) => CouponKind::Exchange,
        Does::ShippingOff(off) => CouponKind::Shipping(off.minor_units),
    };
    Some(price::Coupon {
        id: coupon.id.clone(),
        owner: match template.owner() {
            proto::CouponOwner::Brand => CouponOwner::Brand,
            proto::CouponOwner::Shop | proto::CouponOwner::Unspecified => CouponOwner::Shop,
        },
        kind,
        threshold_minor: template.threshold_minor,
        stacks: template.stacks,
        valid_from: instant(coupon.valid_time_from)?,
        valid_until: instant(coupon.valid_time_to)?,
        scope: scope(template.scope.clone().unwrap_or_default(), place),
    })
}

fn instant(time: Option<prost_types::Timestamp>) -> Option<DateTime<Utc>> {
    parse::instant("", time?).ok()
}

#[cfg(test)]
mod tests {
    use siyu_proto::order::v1::RelativeValidity;

    use super::*;

    #[test]
    fn a_relative_validity_begins_at_the_claim_or_at_a_midnight_and_ends_at_one() {
        let zone = Zone::parse("Asia/Shanghai").unwrap();
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let of = |start_after_days, days| {
            let relative = RelativeValidity { start_after_days, days };
            let template = proto::CouponTemplate {
                validity: Some(Validity::Relative(relative)),
                ..proto::CouponTemplate::default()
            };
            // The 2nd of June in Shanghai.
            validity(&template, at("2024-06-01T17:00:00Z"), zone).unwrap()
        };
        assert_eq!(of(0, 1), at("2024-06-01T17:00:00Z")..at("2024-06-02T16:00:00Z"));
        assert_eq!(of(1, 7), at("2024-06-02T16:00:00Z")..at("2024-06-09T16:00:00Z"));
    }
}
