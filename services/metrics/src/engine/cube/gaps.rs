//! Persons by the days between their first and second purchase day, in blocks of thirty days so that "within 90 days" is
//! a union of three sets and not of ninety.

use std::{collections::BTreeMap, sync::OnceLock};

use roaring::RoaringBitmap;

use super::union;

const BLOCK_DAYS: i32 = 30;

/// The gap index.
#[derive(Debug, Default)]
pub(in crate::engine) struct Gaps(BTreeMap<i32, Block>);

#[derive(Debug, Default)]
struct Block {
    gaps: BTreeMap<i32, RoaringBitmap>,
    whole: OnceLock<RoaringBitmap>,
}

/// Gaps start at 1, so that block 0 holds 1 to 30.
const fn block_of(gap: i32) -> i32 {
    (gap - 1).div_euclid(BLOCK_DAYS)
}

impl Gaps {
    pub(super) fn put(&mut self, gap: i32, set: RoaringBitmap) {
        let block = self.0.entry(block_of(gap)).or_default();
        block.whole = OnceLock::new();
        if set.is_empty() {
            block.gaps.remove(&gap);
        } else {
            block.gaps.insert(gap, set);
        }
    }

    pub(super) fn get(&self, gap: i32) -> Option<&RoaringBitmap> {
        self.0.get(&block_of(gap))?.gaps.get(&gap)
    }

    /// Who bought a second time at most `days` days after the first.
    pub(in crate::engine) fn within(&self, days: i32) -> RoaringBitmap {
        let mut sets = Vec::new();
        for (&block, inside) in self.0.range(..=block_of(days)) {
            if (block + 1) * BLOCK_DAYS <= days {
                sets.push(inside.whole.get_or_init(|| union(inside.gaps.values())));
            } else {
                sets.extend(inside.gaps.range(..=days).map(|(_, set)| set));
            }
        }
        union(sets.into_iter())
    }
}
