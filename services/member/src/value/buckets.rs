//! The two buckets of a card, and how an amount is cut into them. Pure.

use siyu_kernel::{Fault, allocate};
use siyu_proto::member::v1 as proto;

/// Principal and bonus, in minor units of the merchant's currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Buckets {
    /// What was paid in.
    pub principal: i64,
    /// What was given on top.
    pub bonus: i64,
}

/// Which bucket a payment takes from (rule 56).
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Order {
    /// Both, in the ratio of their balances.
    Proportional,
    /// The principal, then the bonus.
    PrincipalFirst,
    /// The bonus, then the principal.
    BonusFirst,
}

impl Buckets {
    /// Both.
    pub const fn new(principal: i64, bonus: i64) -> Self {
        Self { principal, bonus }
    }

    /// Their sum. Balances are bounded by what the shapes let in, far below 64 bits.
    pub const fn total(self) -> i64 {
        self.principal + self.bonus
    }

    /// What is left without a part.
    #[must_use]
    pub const fn minus(self, part: Self) -> Self {
        Self::new(self.principal - part.principal, self.bonus - part.bonus)
    }

    /// Both together with others.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self::new(self.principal + other.principal, self.bonus + other.bonus)
    }

    /// The other sign.
    #[must_use]
    pub const fn negative(self) -> Self {
        Self::new(-self.principal, -self.bonus)
    }

    /// What an amount takes from these balances; none if they do not cover it. Proportional: the bonus part is rounded down,
    /// the principal gives the rest (reference §2.7).
    pub fn take(self, amount: i64, order: Order) -> Option<Self> {
        if amount > self.total() {
            return None;
        }
        let bonus = match order {
            Order::Proportional if self.total() > 0 => {
                let exact = i128::from(amount) * i128::from(self.bonus) / i128::from(self.total());
                i64::try_from(exact).expect("a part is not larger than the amount")
            }
            Order::Proportional => 0,
            Order::PrincipalFirst => (amount - self.principal).max(0),
            Order::BonusFirst => amount.min(self.bonus),
        };
        Some(Self::new(amount - bonus, bonus))
    }
}

/// Cuts an amount over the buckets of several cards by largest remainder. No bucket gets more than it has, so that parts
/// which are cut from what earlier ones left sum to the whole exactly (rule 10).
pub fn share(amount: i64, of: &[Buckets]) -> Vec<Buckets> {
    let weights: Vec<i64> = of.iter().flat_map(|b| [b.principal, b.bonus]).collect();
    assert!(amount <= weights.iter().sum(), "an amount is cut from what covers it");
    let parts = allocate(amount, &weights);
    parts.chunks_exact(2).map(|pair| Buckets::new(pair[0], pair[1])).collect()
}

impl Order {
    /// The word in columns.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Proportional => "proportional",
            Self::PrincipalFirst => "principal_first",
            Self::BonusFirst => "bonus_first",
        }
    }

    /// Reads a value of the contract.
    pub fn read(field: &str, value: i32) -> Result<Self, Fault> {
        match proto::ConsumptionOrder::try_from(value) {
            Ok(proto::ConsumptionOrder::Unspecified | proto::ConsumptionOrder::Proportional) => {
                Ok(Self::Proportional)
            }
            Ok(proto::ConsumptionOrder::PrincipalFirst) => Ok(Self::PrincipalFirst),
            Ok(proto::ConsumptionOrder::BonusFirst) => Ok(Self::BonusFirst),
            Err(_) => Err(Fault::field(field, "is not a known value")),
        }
    }
}

impl From<Order> for proto::ConsumptionOrder {
    fn from(order: Order) -> Self {
        match order {
            Order::Proportional => Self::Proportional,
            Order::PrincipalFirst => Self::PrincipalFirst,
            Order::BonusFirst => Self::BonusFirst,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_published_payments_come_out() {
        let vectors = [
            (300_000, 100_000, 359_400, 269_550, 89_850),
            (100, 33, 7, 6, 1),
            (10_000, 0, 2_500, 2_500, 0),
            (50_000, 5_000, 55_000, 50_000, 5_000),
            (1, 99, 1, 1, 0),
        ];
        for (principal, bonus, spend, principal_used, bonus_used) in vectors {
            let has = Buckets::new(principal, bonus);
            let used = has.take(spend, Order::Proportional).unwrap();
            assert_eq!(used, Buckets::new(principal_used, bonus_used), "{spend} of {has:?}");
        }
    }

    #[test]
    fn the_declared_bucket_goes_first() {
        let has = Buckets::new(100, 30);
        assert_eq!(has.take(110, Order::PrincipalFirst), Some(Buckets::new(100, 10)));
        assert_eq!(has.take(110, Order::BonusFirst), Some(Buckets::new(80, 30)));
        for order in [Order::Proportional, Order::PrincipalFirst, Order::BonusFirst] {
            assert_eq!(has.take(131, order), None);
            assert_eq!(has.take(130, order), Some(has));
        }
    }

    fn buckets() -> impl Strategy<Value = Buckets> {
        let amount = || prop_oneof![Just(0_i64), 0..1_000_000_i64];
        (amount(), amount()).prop_map(|(principal, bonus)| Buckets::new(principal, bonus))
    }

    proptest! {
        #[test]
        fn a_payment_takes_its_amount_and_no_more_than_there_is(
            has in buckets(), amount in 1..2_000_000_i64, n in 0..3_usize,
        ) {
            let order = [Order::Proportional, Order::PrincipalFirst, Order::BonusFirst][n];
            match has.take(amount, order) {
                None => prop_assert!(amount > has.total()),
                Some(used) => {
                    prop_assert_eq!(used.total(), amount);
                    prop_assert!((0..=has.principal).contains(&used.principal));
                    prop_assert!((0..=has.bonus).contains(&used.bonus));
                }
            }
        }

        #[test]
        fn refunds_in_any_parts_give_each_bucket_exactly_what_it_gave(
            gave in prop::collection::vec(buckets(), 1..5),
            cuts in prop::collection::vec(1..400_000_i64, 0..12),
        ) {
            let mut left = gave.clone();
            let sum = |of: &[Buckets]| of.iter().map(|b| b.total()).sum::<i64>();
            for cut in cuts.into_iter().chain([i64::MAX]) {
                let amount = cut.min(sum(&left));
                let parts = share(amount, &left);
                prop_assert_eq!(sum(&parts), amount);
                for (left, part) in left.iter_mut().zip(parts) {
                    *left = left.minus(part);
                    prop_assert!(part.principal >= 0 && part.bonus >= 0);
                    prop_assert!(left.principal >= 0 && left.bonus >= 0);
                }
            }
            prop_assert_eq!(sum(&left), 0);
        }
    }
}
