//! What a tree of regions must be. Pure.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use siyu_grpc::parse::timestamp;
use siyu_kernel::{Code, Fault, Id, kind};
use siyu_proto::member::v1 as proto;

use crate::limits;

/// The id of a region.
pub type RegionId = Id<kind::Region>;

/// A region: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Region {
    /// The id.
    pub id: RegionId,
    /// The merchant's own key.
    pub code: String,
    /// The name.
    pub name: String,
    /// The region that it is part of; none at the top.
    pub parent_id: Option<RegionId>,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// Why regions cannot be kept as wanted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No region has the code of a parent.
    #[error("region not found")]
    ParentNotFound,
    /// A region would be part of itself.
    #[error("the region would be part of itself")]
    Cycle {
        /// The code of one of the circle.
        code: String,
    },
    /// Too many levels.
    #[error("regions go at most {} levels deep", limits::REGION_DEPTH_MAX)]
    TooDeep {
        /// The code of the region that is too deep.
        code: String,
    },
    /// Too many regions.
    #[error("a merchant has at most {} regions", limits::REGIONS_MAX)]
    TooMany,
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        match error {
            Error::ParentNotFound => Self::not_found("region"),
            Error::Cycle { code } => {
                Self::new(Code::FailedPrecondition, "REGION_CYCLE", message).with("code", code)
            }
            Error::TooDeep { code } => {
                Self::new(Code::FailedPrecondition, "REGION_TOO_DEEP", message).with("code", code)
            }
            Error::TooMany => Self::new(Code::ResourceExhausted, "REGIONS_TOO_MANY", message),
        }
    }
}

/// The tree after an upsert.
#[derive(Debug, PartialEq, Eq)]
pub struct Tree {
    /// Every region, by code.
    pub regions: BTreeMap<String, Region>,
    /// The codes of those that are new or changed.
    pub changed: BTreeSet<String>,
}

/// Puts wanted regions among those that stand. The new tree is checked as a whole.
pub fn upsert(
    standing: Vec<Region>,
    wanted: &[proto::Region],
    mut new_id: impl FnMut() -> RegionId,
    now: DateTime<Utc>,
) -> Result<Tree, Error> {
    let mut regions: BTreeMap<String, Region> =
        standing.into_iter().map(|region| (region.code.clone(), region)).collect();
    let mut changed = BTreeSet::new();
    for region in wanted {
        regions.entry(region.code.clone()).or_insert_with(|| {
            changed.insert(region.code.clone());
            Region {
                id: new_id(),
                code: region.code.clone(),
                name: region.name.clone(),
                parent_id: None,
                created_at: now,
                updated_at: now,
            }
        });
    }
    for region in wanted {
        let parent_id = match region.parent_code.as_str() {
            "" => None,
            code => Some(regions.get(code).ok_or(Error::ParentNotFound)?.id),
        };
        let stands = regions.get_mut(&region.code).expect("it was put in above");
        if stands.name != region.name || stands.parent_id != parent_id {
            stands.name.clone_from(&region.name);
            stands.parent_id = parent_id;
            stands.updated_at = now;
            changed.insert(region.code.clone());
        }
    }
    check(&regions)?;
    Ok(Tree { regions, changed })
}

fn check(regions: &BTreeMap<String, Region>) -> Result<(), Error> {
    if regions.len() > limits::REGIONS_MAX {
        return Err(Error::TooMany);
    }
    let parents: BTreeMap<RegionId, Option<RegionId>> =
        regions.values().map(|region| (region.id, region.parent_id)).collect();
    for region in regions.values() {
        let (mut at, mut depth) = (region.parent_id, 1);
        while let Some(parent) = at {
            depth += 1;
            if parent == region.id {
                return Err(Error::Cycle { code: region.code.clone() });
            }
            // A circle further up is never left: it is found by one of its own, or by the depth.
            if depth > limits::REGION_DEPTH_MAX && !in_circle(parent, &parents) {
                return Err(Error::TooDeep { code: region.code.clone() });
            }
            if depth > limits::REGIONS_MAX {
                break;
            }
            at = parents.get(&parent).copied().flatten();
        }
    }
    Ok(())
}

/// Whether going up from a region never ends.
fn in_circle(from: RegionId, parents: &BTreeMap<RegionId, Option<RegionId>>) -> bool {
    let mut seen = BTreeSet::new();
    let mut at = Some(from);
    while let Some(region) = at {
        if !seen.insert(region) {
            return true;
        }
        at = parents.get(&region).copied().flatten();
    }
    false
}

impl Region {
    /// The region on the wire, with the code of its parent.
    pub fn show(self, parent_code: String) -> proto::Region {
        proto::Region {
            id: self.id.to_string(),
            code: self.code,
            name: self.name,
            parent_code,
            create_time: Some(timestamp(self.created_at)),
            update_time: Some(timestamp(self.updated_at)),
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn region(code: &str, parent_code: &str) -> proto::Region {
        proto::Region {
            code: code.into(),
            name: format!("region {code}"),
            parent_code: parent_code.into(),
            ..Default::default()
        }
    }

    fn put(standing: Vec<Region>, wanted: &[proto::Region]) -> Result<Tree, Error> {
        let mut n = standing.len() as u128;
        let new_id = || {
            n += 1;
            RegionId::from_uuid(Uuid::from_u128(n))
        };
        upsert(standing, wanted, new_id, DateTime::UNIX_EPOCH)
    }

    #[test]
    fn a_parent_may_stand_anywhere_in_the_request() {
        let tree = put(Vec::new(), &[region("b", "a"), region("a", "")]).unwrap();
        assert_eq!(tree.regions["b"].parent_id, Some(tree.regions["a"].id));
        let standing: Vec<Region> = tree.regions.values().cloned().collect();
        let again = put(standing, &[region("b", "a"), region("a", "")]).unwrap();
        assert_eq!(again.changed, BTreeSet::new());
    }

    #[test]
    fn circles_are_refused_also_with_regions_that_stand() {
        let circle = [region("a", "c"), region("b", "a"), region("c", "b")];
        assert!(matches!(put(Vec::new(), &circle), Err(Error::Cycle { .. })));
        let line = put(Vec::new(), &[region("a", ""), region("b", "a")]).unwrap();
        let standing: Vec<Region> = line.regions.into_values().collect();
        assert!(matches!(put(standing, &[region("a", "b")]), Err(Error::Cycle { .. })));
        assert!(matches!(put(Vec::new(), &[region("a", "a")]), Err(Error::Cycle { .. })));
        assert_eq!(put(Vec::new(), &[region("a", "x")]), Err(Error::ParentNotFound));
    }

    #[test]
    fn the_deepest_level_is_taken_and_one_more_is_not() {
        let line = |levels: usize| -> Vec<proto::Region> {
            (0..levels)
                .map(|n| {
                    region(
                        &n.to_string(),
                        &n.checked_sub(1).map_or(String::new(), |p| p.to_string()),
                    )
                })
                .collect()
        };
        assert!(put(Vec::new(), &line(limits::REGION_DEPTH_MAX)).is_ok());
        let refused = put(Vec::new(), &line(limits::REGION_DEPTH_MAX + 1));
        assert_eq!(refused, Err(Error::TooDeep { code: "8".into() }));
    }
}
