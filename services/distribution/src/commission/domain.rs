//! How much an order earns whom. Pure.

use chrono::{DateTime, Utc};
use siyu_events::is_sale;
use siyu_grpc::parse::{self, timestamp};
use siyu_kernel::{Currency, Fault, Id, kind};
use siyu_ledger::TransferId;
use siyu_proto::{
    distribution::v1 as proto,
    order::v1::{Domain, LineFacts, OrderFacts},
    r#type::v1::Money,
};

use crate::promoter::{PersonId, PromoterId};

/// The id of an order of the order service.
pub type OrderId = Id<kind::Order>;

/// The default rule of a merchant, from an instant on: the row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct Rule {
    /// For orders paid from then on.
    pub valid_from: DateTime<Utc>,
    /// Basis points to who brought the customer.
    pub level1_bp: i32,
    /// Basis points to who invited that promoter.
    pub level2_bp: i32,
    /// Days that a binding is valid; 0: for ever.
    pub binding_valid_days: i32,
    /// Days in which no other promoter can take a bound customer.
    pub protect_days: i32,
    /// Imported private orders earn commission.
    pub imported_private_orders: bool,
}

/// What an order says about commission.
#[derive(Debug, Clone)]
pub struct Sale {
    /// The order.
    pub order_id: OrderId,
    /// The buyer.
    pub person_id: PersonId,
    /// The revision of the order.
    pub revision: i64,
    /// When it was paid.
    pub paid_at: DateTime<Utc>,
    /// When it was placed, where that is known.
    pub placed_at: Option<DateTime<Utc>>,
    /// The currency of the amounts.
    pub currency: Currency,
    /// What the buyer paid for each line, in minor units; nothing when the order does not count.
    pub lines: Vec<i64>,
    private: bool,
    imported: bool,
}

/// What one promoter earned from one order: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Commission {
    /// The id.
    pub id: Id<kind::Commission>,
    /// The order.
    pub order_id: OrderId,
    /// 1: brought the customer; 2: invited that promoter.
    pub level: i16,
    /// Who earned.
    pub promoter_id: PromoterId,
    /// The rate when the order was paid.
    pub rate_bp: i32,
    /// ISO 4217, of the amounts.
    pub currency: String,
    /// What the rate is applied to, now.
    pub base_minor: i64,
    /// What is earned now.
    pub earned_minor: i64,
    /// When the order was paid.
    pub paid_at: DateTime<Utc>,
    /// The transfer that reserves it while the order is disputed.
    pub freeze_id: Option<TransferId>,
    /// What of it is reserved.
    pub frozen_minor: i64,
}

impl Default for Rule {
    /// Ten percent to who brought the customer, for orders made here; imported ones earn nothing (reference §3.10).
    fn default() -> Self {
        Self {
            valid_from: DateTime::<Utc>::MIN_UTC,
            level1_bp: 1_000,
            level2_bp: 0,
            binding_valid_days: 0,
            protect_days: 30,
            imported_private_orders: false,
        }
    }
}

impl Rule {
    /// The rule in force at an instant, of all that a merchant ever set, oldest first.
    pub fn at(rules: &[Self], at: DateTime<Utc>) -> Self {
        rules.iter().rev().find(|rule| rule.valid_from <= at).copied().unwrap_or_default()
    }

    /// Whether an order may earn at all.
    pub const fn covers(&self, sale: &Sale) -> bool {
        sale.private && (!sale.imported || self.imported_private_orders)
    }
}

impl Sale {
    /// The instant whose bindings and rates count: when it was placed (rules 65, 77), or else when it was first paid.
    pub fn credited_at(&self, first_paid_at: DateTime<Utc>) -> DateTime<Utc> {
        self.placed_at.unwrap_or(first_paid_at)
    }

    /// Reads the facts of an order.
    pub fn of(facts: &OrderFacts) -> Result<Self, Fault> {
        let pay_time = facts.pay_time.ok_or_else(|| Fault::field("pay_time", "is required"))?;
        let counts = is_sale(facts.state());
        let private = facts.domain() == Domain::Private;
        // An order that turns out to be of a marketplace or a till earns nothing, whatever it was taken for before.
        let paid = |line: &LineFacts| if counts && private { line.paid_minor } else { 0 };
        Ok(Self {
            order_id: parse::id("order_id", &facts.order_id)?,
            person_id: parse::id("person_id", &facts.person_id)?,
            revision: facts.revision,
            paid_at: parse::instant("pay_time", pay_time)?,
            placed_at: parse::optional_instant("place_time", facts.place_time)?,
            currency: Currency::parse(&facts.currency_code)
                .map_err(|error| Fault::field("currency_code", error))?,
            lines: facts.lines.iter().map(paid).collect(),
            private,
            imported: facts.imported,
        })
    }

    /// The amount that rates are applied to.
    pub fn base_minor(&self) -> i64 {
        self.lines.iter().sum()
    }

    /// What a rate earns: floored line by line (reference §4.4), so that a refund of lines claws back exactly their share.
    pub fn earned_minor(&self, rate_bp: i32) -> i64 {
        let share = |&line: &i64| i128::from(line) * i128::from(rate_bp) / 10_000;
        let sum: i128 = self.lines.iter().map(share).sum();
        i64::try_from(sum).expect("a share of the base is not larger than it")
    }
}

impl From<Commission> for proto::Commission {
    fn from(commission: Commission) -> Self {
        let money =
            |minor_units| Some(Money { currency_code: commission.currency.clone(), minor_units });
        Self {
            id: commission.id.to_string(),
            promoter_id: commission.promoter_id.to_string(),
            order_id: commission.order_id.to_string(),
            level: commission.level.into(),
            rate_bp: commission.rate_bp,
            base: money(commission.base_minor),
            earned: money(commission.earned_minor),
            pay_time: Some(timestamp(commission.paid_at)),
            frozen: money(commission.frozen_minor),
        }
    }
}

impl From<Rule> for proto::CommissionRule {
    fn from(rule: Rule) -> Self {
        Self {
            level1_bp: rule.level1_bp,
            level2_bp: rule.level2_bp,
            binding_valid_days: rule.binding_valid_days,
            protect_days: rule.protect_days,
            imported_private_orders: rule.imported_private_orders,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use siyu_proto::order::v1::OrderState;
    use uuid::Uuid;

    use super::*;

    fn facts(lines: &[i64], domain: Domain, state: OrderState) -> OrderFacts {
        OrderFacts {
            order_id: OrderId::from_uuid(Uuid::from_u128(1)).to_string(),
            person_id: PersonId::from_uuid(Uuid::from_u128(2)).to_string(),
            revision: 1,
            state: state.into(),
            domain: domain.into(),
            pay_time: Some(prost_types::Timestamp { seconds: 1_700_000_000, nanos: 0 }),
            currency_code: "CNY".into(),
            lines: lines
                .iter()
                .map(|&paid_minor| LineFacts { paid_minor, ..Default::default() })
                .collect(),
            imported: true,
            ..Default::default()
        }
    }

    fn sale(lines: &[i64]) -> Sale {
        Sale::of(&facts(lines, Domain::Private, OrderState::Paid)).unwrap()
    }

    #[test]
    fn the_published_claw_back_comes_out() {
        let (before, after) =
            (sale(&[9_990]).earned_minor(1_200), sale(&[9_990 - 3_330]).earned_minor(1_200));
        assert_eq!((before, after, before - after), (1_198, 799, 399));
    }

    #[test]
    fn marketplaces_and_tills_never_earn_and_imports_only_by_rule() {
        let open = Rule { imported_private_orders: true, ..Rule::default() };
        let of = |domain| Sale::of(&facts(&[100], domain, OrderState::Paid)).unwrap();
        assert!(open.covers(&of(Domain::Private)));
        assert!(!open.covers(&of(Domain::Public)) && !open.covers(&of(Domain::Pos)));
        assert!(!Rule::default().covers(&of(Domain::Private)));
    }

    #[test]
    fn an_order_that_no_longer_counts_earns_nothing() {
        let voided = Sale::of(&facts(&[100, 200], Domain::Private, OrderState::Refunded)).unwrap();
        assert_eq!((voided.base_minor(), voided.earned_minor(5_000)), (0, 0));
    }

    #[test]
    fn a_rule_holds_from_its_instant_on_and_not_before() {
        let at = |seconds| DateTime::from_timestamp(seconds, 0).unwrap();
        let rule =
            |seconds, level1_bp| Rule { valid_from: at(seconds), level1_bp, ..Rule::default() };
        let rules = [rule(10, 100), rule(20, 200)];
        let rate = |seconds| Rule::at(&rules, at(seconds)).level1_bp;
        assert_eq!([rate(9), rate(10), rate(19), rate(20)], [1_000, 100, 100, 200]);
    }

    proptest! {
        #[test]
        fn two_levels_never_earn_more_than_the_cap(
            lines in prop::collection::vec(0..10_000_000_000_000_i64, 0..20), level1 in 0..=5_000_i32,
        ) {
            let sale = sale(&lines);
            let both = sale.earned_minor(level1) + sale.earned_minor(crate::limits::PAYOUT_BP_MAX - level1);
            prop_assert!(i128::from(both) <= i128::from(sale.base_minor()) / 2);
        }
    }
}
