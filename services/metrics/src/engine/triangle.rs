//! The private-domain triangle (私域三角): property power, value per customer, referral rate; its area against a frozen
//! baseline (reference §1.1). What was not measured is said, not guessed.
#![expect(
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    reason = "an index of ratios for display; the factors stay exact beside it"
)]

use super::Ratio;

/// What the pillars are computed from. `None` where nothing measures it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Inputs {
    /// Connected persons and those of them who can be reached now.
    pub connections: Option<Connections>,
    /// Persons that were tried to reach in the last 30 days, and those of them that were.
    pub reach: Option<Share>,
    /// Buyers of the last 365 days, and those of them with two purchase days or more.
    pub repurchase: Share,
    /// Realised and expected spend per buyer, in minor units.
    pub lifetime_value: Option<Ratio>,
    /// Persons who had bought before the last 90 days, and the new buyers of these days whom one of them referred.
    pub referral: Option<Share>,
    /// What influence in related fields (关联领域) is measured by.
    pub influence: Influence,
}

/// Who is connected at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connections {
    /// Persons with at least one connection.
    pub connected: u64,
    /// Those with a channel that is connected, consented, not failed for good, and within its quota.
    pub reachable: u64,
}

/// Some of many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Share {
    /// Those who did.
    pub part: u64,
    /// Those who could.
    pub of: u64,
}

/// How influence in related fields is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Influence {
    /// Of the old customers who bought in the window, those who bought in another field than their entry field.
    CrossField(Share),
    /// Shops of one field: related fields bought per old customer who bought, at least 1.
    Breadth(Ratio),
    /// Not at all: the referral pillar has no value.
    #[default]
    Unmeasured,
}

/// One pillar: its value, and the two factors it is the product of.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Pillar {
    /// The product; `None` when a factor has no value.
    pub value: Option<f64>,
    /// The first factor.
    pub first: Ratio,
    /// The second factor.
    pub second: Ratio,
}

/// What was not measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Flag {
    /// Nobody was tried to reach: effective reach counts as 1.
    ReachUnmeasured,
    /// Nobody knows who is connected: no property power.
    ConnectionsUnmeasured,
    /// Nobody knows who referred whom, or there are no old customers: no referral rate.
    ReferralUnmeasured,
    /// Influence is measured by breadth.
    InfluenceBreadth,
    /// Influence is not measured: no referral rate.
    InfluenceUnmeasured,
    /// There is no lifetime value, or no buyer: no value per customer.
    ValueUnmeasured,
}

/// The three pillars.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Pillars {
    /// A, property power (私域产权力): connected × reach, in persons.
    pub property: Pillar,
    /// Reach capability as a share of the connected, before effective reach.
    pub reach_capability: Ratio,
    /// Delivered of tried.
    pub effective_reach: Ratio,
    /// B, value per customer (单客价值度): repurchase rate × lifetime value, in minor units.
    pub value: Pillar,
    /// C, referral rate (顾客推荐率): new by old × influence.
    pub referral: Pillar,
    /// What was not measured, in order.
    pub flags: Vec<Flag>,
}

/// The values that an index compares with, frozen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Baseline {
    /// A, B and C at that time; `None` where there was no value.
    pub values: [Option<f64>; 3],
}

/// The triangle against its baseline.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Triangle {
    /// The values over those of the baseline, clipped to 0 … 10.
    pub ratios: [f64; 3],
    /// `(√3/4)(ab + bc + ca)`; 1.299 at the baseline.
    pub area: f64,
    /// `100 (ab + bc + ca)/3`; 100 at the baseline.
    pub index: f64,
    /// `100 ∛(abc)`: the area alone rewards one long axis.
    pub balance: f64,
    /// The gain of the index over 100 by axis: the mean over all orders in which the axes move. Sums to `index − 100`.
    pub shapley_index: [f64; 3],
    /// The same split of the gain of the area.
    pub shapley_area: [f64; 3],
}

/// The area at the baseline, `3√3/4`.
pub const BASELINE_AREA: f64 = 1.299_038_105_676_658;
const LONGEST_RATIO: f64 = 10.0;

impl Share {
    /// As an exact ratio.
    #[must_use]
    pub fn ratio(self) -> Ratio {
        Ratio::of_counts(self.part, self.of)
    }
}

impl Pillar {
    fn of(first: Ratio, second: Ratio) -> Self {
        let value = first.value().zip(second.value()).map(|(a, b)| a * b);
        Self { value, first, second }
    }
}

impl Pillars {
    /// The pillars of what is known.
    #[must_use]
    pub fn of(inputs: &Inputs) -> Self {
        let mut pillars = Self::default();
        pillars.set_property(inputs);
        pillars.value =
            Pillar::of(inputs.repurchase.ratio(), inputs.lifetime_value.unwrap_or_default());
        if pillars.value.value.is_none() {
            pillars.flags.push(Flag::ValueUnmeasured);
        }
        pillars.set_referral(inputs);
        pillars.flags.sort_unstable();
        pillars
    }

    fn set_property(&mut self, inputs: &Inputs) {
        let tried = inputs.reach.filter(|reach| reach.of > 0);
        if tried.is_none() {
            self.flags.push(Flag::ReachUnmeasured);
        }
        self.effective_reach = tried.map_or(Ratio::new(1, 1), Share::ratio);
        let Some(Connections { connected, reachable }) = inputs.connections else {
            self.flags.push(Flag::ConnectionsUnmeasured);
            return;
        };
        self.reach_capability = Ratio::of_counts(reachable, connected);
        // |C| × (reachable / |C|) × effective: with nobody connected nobody is reached, which is known and 0.
        let effective = self.effective_reach.value().unwrap_or(1.0);
        let reach = Ratio::new(
            self.reach_capability.num * self.effective_reach.num,
            self.reach_capability.den * self.effective_reach.den,
        );
        self.property = Pillar {
            value: Some(reachable as f64 * effective),
            first: Ratio::of_counts(connected, 1),
            second: reach,
        };
    }

    fn set_referral(&mut self, inputs: &Inputs) {
        let referral = inputs.referral.map_or(Ratio::default(), Share::ratio);
        if referral.value().is_none() {
            self.flags.push(Flag::ReferralUnmeasured);
        }
        let influence = match inputs.influence {
            Influence::CrossField(share) if share.of > 0 => share.ratio(),
            Influence::Breadth(breadth) if breadth.den != 0 => {
                self.flags.push(Flag::InfluenceBreadth);
                breadth
            }
            Influence::CrossField(_) | Influence::Breadth(_) | Influence::Unmeasured => {
                self.flags.push(Flag::InfluenceUnmeasured);
                Ratio::default()
            }
        };
        self.referral = Pillar::of(referral, influence);
    }

    /// A, B and C.
    #[must_use]
    pub const fn values(&self) -> [Option<f64>; 3] {
        [self.property.value, self.value.value, self.referral.value]
    }
}

impl Triangle {
    /// The triangle of `values` against `baseline`; `None` when a value is missing or a baseline is not positive.
    #[must_use]
    pub fn of(values: [Option<f64>; 3], baseline: &Baseline) -> Option<Self> {
        let mut ratios = [0.0; 3];
        for (ratio, (value, base)) in ratios.iter_mut().zip(values.into_iter().zip(baseline.values))
        {
            let base = base.filter(|base| *base > 0.0 && base.is_finite())?;
            let value = value.filter(|value| value.is_finite())?;
            *ratio = (value / base).clamp(0.0, LONGEST_RATIO);
        }
        let index = |points: f64| 100.0 * points / 3.0;
        let area = |points: f64| 3.0_f64.sqrt() / 4.0 * points;
        let split = shapley(ratios);
        Some(Self {
            ratios,
            area: area(products(ratios)),
            index: index(products(ratios)),
            balance: 100.0 * f64::cbrt(ratios[0] * ratios[1] * ratios[2]),
            shapley_index: split.map(index),
            shapley_area: split.map(area),
        })
    }
}

/// ab + bc + ca.
fn products([a, b, c]: [f64; 3]) -> f64 {
    a * b + b * c + c * a
}

/// What each axis adds when it moves from 1 to its ratio, as the mean over the six orders in which they can move.
fn shapley(ratios: [f64; 3]) -> [f64; 3] {
    const ORDERS: [[usize; 3]; 6] =
        [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    let mut gains = [0.0; 3];
    for order in ORDERS {
        let mut at = [1.0; 3];
        for axis in order {
            let before = products(at);
            at[axis] = ratios[axis];
            gains[axis] += (products(at) - before) / 6.0;
        }
    }
    gains
}

#[cfg(test)]
mod tests;
