//! Filters are compiled to SQL; here they are also evaluated in memory, by other code, over people whose facts the test knows.
//! Random trees over random people must hold for the same persons both ways.

mod naive;
mod people;
mod said;
pub(crate) mod trees;

use std::collections::BTreeSet;

use siyu_member::{
    filter::{
        self, Terms,
        store::{Chunk, Whom, chunk_end, count, members},
    },
    person::PersonId,
};
use siyu_proto::member::v1::{Condition, Filter, Match, Operator};

use self::{people::People, trees::Dice};
use crate::world::World;

/// Trees that are tried: each is one statement.
const TREES: u64 = 400;

struct Checked {
    world: World,
    people: People,
    terms: Terms,
}

impl Checked {
    async fn new(seed: u64, persons: usize) -> Self {
        let world = World::new().await;
        let people = People::make(&world, &mut Dice::new(seed), persons).await;
        let terms = people.terms(&world).await;
        Self { world, people, terms }
    }

    /// The persons for whom a filter holds, as the database says: counted, read at once, read in
    /// stretches, and asked of a few.
    async fn asked(&self, filter: &Filter) -> BTreeSet<PersonId> {
        let node = filter::read(filter, "filter", &self.terms)
            .unwrap_or_else(|fault| panic!("{:?} of {filter:#?}", fault.violations()));
        let mut tx = self.world.database.db().tenant_read(self.world.own).await.unwrap();
        let all = members(&mut tx, &node, Whom::Everyone).await.unwrap();
        let (mut stretches, mut after) = (Vec::new(), None);
        loop {
            let until = chunk_end(&mut tx, after, 31).await.unwrap();
            let stretch = Whom::Chunk(Chunk { after, until });
            stretches.extend(members(&mut tx, &node, stretch).await.unwrap());
            after = until;
            if until.is_none() {
                break;
            }
        }
        assert!(all.is_sorted(), "{filter:#?}");
        assert_eq!(stretches, all, "{filter:#?}");
        let these: Vec<PersonId> = self.people.all.iter().step_by(7).map(|p| p.id).collect();
        let of_these = members(&mut tx, &node, Whom::These(&these)).await.unwrap();
        let few: Vec<PersonId> = all.iter().copied().filter(|id| these.contains(id)).collect();
        assert_eq!(of_these, few, "{filter:#?}");
        let counted = count(&mut tx, &node).await.unwrap();
        assert_eq!(counted, i64::try_from(all.len()).unwrap(), "{filter:#?}");
        all.into_iter().collect()
    }

    async fn check(&self, filter: &Filter) -> usize {
        let asked = self.asked(filter).await;
        let of = |person: &&people::Person| naive::holds(filter, person, &self.terms);
        let naive: BTreeSet<PersonId> = self.people.all.iter().filter(of).map(|p| p.id).collect();
        let other: Vec<&people::Person> = self
            .people
            .all
            .iter()
            .filter(|person| asked.contains(&person.id) != naive.contains(&person.id))
            .collect();
        assert!(other.is_empty(), "{filter:#?}\nis answered otherwise for {other:#?}");
        naive.len()
    }
}

#[tokio::test]
async fn random_trees_hold_for_the_same_persons_in_sql_and_in_memory() {
    let checked = Checked::new(1, 60).await;
    let mut some = 0;
    for seed in 0..TREES {
        let filter = trees::filter(&mut Dice::new(seed), &checked.people, 3);
        let found = checked.check(&filter).await;
        some += u64::from(found > 0 && found < 60);
    }
    assert!(some > TREES / 3, "{some} trees hold for some and not for all");
}

#[tokio::test]
async fn every_field_is_answered_with_every_operator() {
    let checked = Checked::new(2, 60).await;
    for field in filter::catalogue::FIELDS {
        let mut told = BTreeSet::new();
        for operator in field.operators() {
            for seed in 0..5 {
                let mut dice = Dice::new(seed);
                let condition =
                    trees::condition_of(&mut dice, &checked.people, field, Some(operator));
                let Some(condition) = condition else { continue };
                let filter = Filter { conditions: vec![condition], ..Default::default() };
                told.insert(checked.check(&filter).await);
            }
        }
        assert!(told.len() > 1, "{} holds for {told:?} persons whatever it is asked", field.name);
    }
}

#[tokio::test]
async fn groups_without_parts_hold_for_everyone_or_for_nobody() {
    let checked = Checked::new(3, 7).await;
    let group = |of: Match| Filter { r#match: of.into(), ..Default::default() };
    for (of, persons) in
        [(Match::Unspecified, 7), (Match::All, 7), (Match::Any, 0), (Match::None, 7)]
    {
        assert_eq!(checked.asked(&group(of)).await.len(), persons, "{of:?}");
        let inner = Filter { filters: vec![group(of)], ..group(Match::None) };
        assert_eq!(checked.asked(&inner).await.len(), 7 - persons, "not {of:?}");
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_named_by_its_place() {
    let checked = Checked::new(4, 1).await;
    let condition = |field: &str, operator: Operator, values: &[&str]| Condition {
        field: field.into(),
        operator: operator.into(),
        values: values.iter().map(|&value| value.to_owned()).collect(),
        ..Default::default()
    };
    let windowed = Condition { within_days: 3, ..condition("growth.value", Operator::In, &["1"]) };
    for (wrong, place) in [
        (condition("orders.cont", Operator::In, &["1"]), "field"),
        (condition("orders.count:x", Operator::In, &["1"]), "field"),
        (condition("category.spend", Operator::AtLeast, &["1"]), "field"),
        (condition("category.spend:", Operator::AtLeast, &["1"]), "field"),
        (condition("store.spend:shop", Operator::AtLeast, &["1"]), "field"),
        (condition("attribute:unheard_of", Operator::In, &["1"]), "field"),
        (condition("attribute:skin", Operator::Above, &["dry"]), "operator"),
        (condition("attribute:skin", Operator::In, &["wet"]), "values[0]"),
        (condition("orders.count", Operator::Known, &[]), "operator"),
        (condition("orders.count", Operator::Unspecified, &["1"]), "operator"),
        (condition("orders.count", Operator::In, &[]), "values"),
        (condition("orders.count", Operator::Between, &["1"]), "values"),
        (condition("orders.count", Operator::AtLeast, &["1", "2"]), "values"),
        (condition("orders.count", Operator::In, &["1", "one"]), "values[1]"),
        (condition("orders.spend", Operator::In, &["9999999999999"]), "values[0]"),
        (condition("orders.last_time", Operator::Below, &["2024-01-01"]), "values[0]"),
        (condition("lifecycle.dormancy", Operator::In, &["lost", "asleep"]), "values[1]"),
        (condition("tag.id", Operator::In, &["per_0"]), "values[0]"),
        (windowed, "within_days"),
    ] {
        let inner = Filter { conditions: vec![wrong.clone()], ..Default::default() };
        let filter = Filter { filters: vec![Filter::default(), inner], ..Default::default() };
        let refused = filter::read(&filter, "filter", &checked.terms).unwrap_err();
        let fields: Vec<&str> = refused.violations().iter().map(|v| v.field.as_str()).collect();
        assert_eq!(fields, [format!("filter.filters[1].conditions[0].{place}")], "{wrong:?}");
    }
    let mut deep = Filter::default();
    for _ in 0..8 {
        deep = Filter { filters: vec![deep], ..Default::default() };
    }
    assert!(filter::read(&deep, "filter", &checked.terms).is_err(), "nine levels");
    assert!(filter::read(&deep.filters[0], "filter", &checked.terms).is_ok(), "eight levels");
    let many = vec![condition("growth.value", Operator::In, &["1"]); 51];
    let half = Filter { conditions: many, ..Default::default() };
    let both = Filter { filters: vec![half.clone(), half], ..Default::default() };
    assert!(filter::read(&both, "filter", &checked.terms).is_err(), "102 conditions");
}
