//! Who is behind sets of keys, and who turns out to be one: a union-find over strong keys (reference §2.1). Pure: what is known
//! goes in, answers and what has to be done come out.
//!
//! Keys that come together belong to one person, so the result does not depend on the order in which they come; unless they
//! contradict each other. Of some kinds a person has one value: two persons that have a different one are not merged, but
//! shown to somebody, and the event goes to whom its strongest key leads.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use chrono::{DateTime, Utc};

use super::{
    PersonId,
    domain::{Identity, IdentityKind},
};

/// A strong key as it came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The key.
    pub identity: Identity,
    /// When it was verified that the person has it, if the event is about that.
    pub verified_at: Option<DateTime<Utc>>,
}

/// Who holds a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holder {
    /// The person.
    pub person: PersonId,
    /// When it was last verified.
    pub verified_at: Option<DateTime<Utc>>,
}

/// A person as far as a resolution has to know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// When it was first seen.
    pub created_at: DateTime<Utc>,
    /// Its keys of the kinds of which a person has one value.
    pub single: BTreeSet<Identity>,
}

/// What is known: of every key of the sets, and of every person that holds one.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// Who holds which key.
    pub holders: HashMap<Identity, Holder>,
    /// The persons.
    pub persons: HashMap<PersonId, Standing>,
    /// Of whom somebody said that they are not one, in both directions.
    pub apart: HashSet<(PersonId, PersonId)>,
}

/// The answer to one set of keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// The person.
    pub person: PersonId,
    /// The person did not exist before.
    pub created: bool,
    /// The keys contradict each other, and nobody was merged.
    pub conflict: bool,
    /// Who was merged into the person.
    pub merged: Vec<PersonId>,
}

/// What has to be done to persons that exist, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Two persons are one.
    Merge {
        /// Who stays.
        survivor: PersonId,
        /// Who becomes an alias.
        loser: PersonId,
        /// The keys that say so.
        keys: Vec<Identity>,
    },
    /// A phone has another subscriber now.
    Move {
        /// The phone.
        key: Key,
        /// Who held it.
        from: PersonId,
        /// Who has it.
        to: PersonId,
    },
}

/// A conflict for somebody to decide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The persons.
    pub persons: BTreeSet<PersonId>,
    /// The keys that came together.
    pub keys: Vec<Identity>,
}

/// What has to be stored after a resolution.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// An answer for each set.
    pub answers: Vec<Resolved>,
    /// Persons who are new.
    pub persons: Vec<PersonId>,
    /// Keys that are new, with their holder.
    pub keys: Vec<(Key, PersonId)>,
    /// Keys that were verified anew.
    pub verified: Vec<(Identity, DateTime<Utc>)>,
    /// Merges and moves.
    pub steps: Vec<Step>,
    /// Conflicts.
    pub conflicts: Vec<Conflict>,
}

impl Known {
    /// Whether persons cannot be one human being, whatever brings them together.
    pub fn differ(&self, persons: &BTreeSet<PersonId>) -> bool {
        self.places(persons).is_none()
    }

    /// Where persons have keys of the kinds of which one has one value; none where that says that they are not one.
    fn places(&self, persons: &BTreeSet<PersonId>) -> Option<HashSet<(IdentityKind, &str)>> {
        let mut seen: HashSet<(IdentityKind, &str)> = HashSet::new();
        for person in persons {
            let own: HashSet<(IdentityKind, &str)> = self.persons[person]
                .single
                .iter()
                .map(|key| (key.kind, key.scope.as_str()))
                .collect();
            let meet = own.iter().any(|place| !seen.insert(*place));
            if meet || persons.iter().any(|other| self.apart.contains(&(*person, *other))) {
                return None;
            }
        }
        Some(seen)
    }
}

impl Plan {
    /// Whether nothing has to be stored.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
            && self.verified.is_empty()
            && self.steps.is_empty()
            && self.conflicts.is_empty()
    }
}

/// Resolves sets of keys one after the other. No set is empty.
pub fn resolve(
    sets: &[Vec<Key>],
    known: Known,
    now: DateTime<Utc>,
    new_person: impl FnMut() -> PersonId,
) -> Plan {
    let merged_into = HashMap::new();
    let mut state = State { known, merged_into, now, new_person, plan: Plan::default() };
    for set in sets {
        state.resolve(set);
    }
    state.plan
}

/// Merges persons whatever their keys say; returns who stays, who was there first, and the others.
pub fn survivor(persons: &[(PersonId, DateTime<Utc>)]) -> (PersonId, Vec<PersonId>) {
    let mut order: Vec<(DateTime<Utc>, PersonId)> =
        persons.iter().map(|(id, created_at)| (*created_at, *id)).collect();
    order.sort_unstable();
    order.dedup();
    let mut ids = order.into_iter().map(|(_, id)| id);
    let first = ids.next().expect("there is somebody");
    (first, ids.collect())
}

struct State<N> {
    known: Known,
    /// Within this resolution: persons that were read and have been merged since.
    merged_into: HashMap<PersonId, PersonId>,
    now: DateTime<Utc>,
    new_person: N,
    plan: Plan,
}

impl<N: FnMut() -> PersonId> State<N> {
    fn resolve(&mut self, set: &[Key]) {
        // The strongest first. A key that came twice was verified when it was last.
        let mut keys: BTreeMap<Identity, Option<DateTime<Utc>>> = BTreeMap::new();
        for key in set {
            let verified = keys.entry(key.identity.clone()).or_default();
            *verified = (*verified).max(key.verified_at);
        }
        let keys: Vec<Key> =
            keys.into_iter().map(|(identity, verified_at)| Key { identity, verified_at }).collect();
        let reused = self.reused(&keys);
        let found: Vec<PersonId> = keys
            .iter()
            .filter(|key| !reused.contains(&key.identity))
            .filter_map(|key| self.holder(&key.identity))
            .map(|holder| holder.person)
            .collect();
        let persons: BTreeSet<PersonId> = found.iter().copied().collect();
        let fresh: Vec<&Identity> =
            keys.iter().map(|k| &k.identity).filter(|k| self.holder(k).is_none()).collect();
        if self.contradict(&persons, &fresh) {
            self.stop(&keys, &found, &fresh);
        } else {
            self.unite(&keys, &persons, &reused);
        }
    }

    /// The keys agree: there is one person behind them.
    fn unite(&mut self, keys: &[Key], persons: &BTreeSet<PersonId>, reused: &HashSet<Identity>) {
        let created = persons.is_empty();
        let (person, merged) = if created {
            (self.create(), Vec::new())
        } else {
            let dated: Vec<_> =
                persons.iter().map(|id| (*id, self.known.persons[id].created_at)).collect();
            survivor(&dated)
        };
        for loser in &merged {
            self.merge(person, *loser, keys);
        }
        for key in keys {
            match self.holder(&key.identity) {
                None => self.attach(key, person),
                Some(holder) if reused.contains(&key.identity) => {
                    self.take_over(key, holder.person, person);
                }
                Some(holder) => self.verify(key, holder),
            }
        }
        self.plan.answers.push(Resolved { person, created, conflict: false, merged });
    }

    /// The keys contradict each other: the event goes to whom its strongest key leads.
    fn stop(&mut self, keys: &[Key], found: &[PersonId], fresh: &[&Identity]) {
        let mut persons: BTreeSet<PersonId> = found.iter().copied().collect();
        // A key of its own person, who is not known yet: whoever it is, it is none of those.
        let strongest = &keys[0].identity;
        let stranger = fresh.contains(&strongest)
            && strongest.kind.is_exclusive()
            && persons.iter().any(|person| self.has_other(*person, strongest));
        let person = match found.first() {
            Some(first) if !stranger => *first,
            Some(_) | None => self.create(),
        };
        let created = persons.insert(person);
        for key in keys.iter().filter(|key| fresh.contains(&&key.identity)) {
            let exclusive = key.identity.kind.is_exclusive();
            if !(exclusive && self.has_other(person, &key.identity)) {
                self.attach(key, person);
            }
        }
        if persons.len() > 1 {
            let keys = keys.iter().map(|key| key.identity.clone()).collect();
            self.plan.conflicts.push(Conflict { persons, keys });
        }
        self.plan.answers.push(Resolved { person, created, conflict: true, merged: Vec::new() });
    }

    /// Phones that another subscriber has now: verified later than what is known, by somebody with another unionid than the
    /// holder's (reference §2.1, item 7).
    fn reused(&self, keys: &[Key]) -> HashSet<Identity> {
        let of_another = |holder: PersonId| {
            let unionids = keys.iter().map(|k| &k.identity);
            let mut unionids = unionids.filter(|k| k.kind == IdentityKind::Unionid);
            unionids.any(|unionid| self.has_other(holder, unionid))
        };
        let is_reused = |key: &&Key| {
            key.identity.kind == IdentityKind::Phone
                && self.holder(&key.identity).is_some_and(|holder| {
                    key.verified_at.is_some()
                        && key.verified_at > holder.verified_at
                        && of_another(holder.person)
                })
        };
        let reused: HashSet<Identity> =
            keys.iter().filter(is_reused).map(|key| key.identity.clone()).collect();
        // Whom another key of the event leads to as well is no former subscriber.
        let also: HashSet<PersonId> = keys
            .iter()
            .filter(|key| !reused.contains(&key.identity))
            .filter_map(|key| Some(self.holder(&key.identity)?.person))
            .collect();
        let former = |key: &Identity| !also.contains(&self.holder(key).expect("it is held").person);
        reused.into_iter().filter(former).collect()
    }

    /// Whether the persons and the keys that nobody holds yet cannot be of one human being.
    fn contradict(&self, persons: &BTreeSet<PersonId>, fresh: &[&Identity]) -> bool {
        let Some(mut seen) = self.known.places(persons) else { return true };
        // One may have another phone, but not another unionid.
        let mut exclusive = fresh.iter().filter(|key| key.kind.is_exclusive());
        exclusive.any(|key| !seen.insert((key.kind, &key.scope)))
    }

    /// Whether the person has another value of a kind of which it has one.
    fn has_other(&self, person: PersonId, key: &Identity) -> bool {
        self.known.persons[&person]
            .single
            .iter()
            .any(|own| (own.kind, &own.scope) == (key.kind, &key.scope) && own.value != key.value)
    }

    fn holder(&self, key: &Identity) -> Option<Holder> {
        let mut holder = *self.known.holders.get(key)?;
        while let Some(next) = self.merged_into.get(&holder.person) {
            holder.person = *next;
        }
        Some(holder)
    }

    fn create(&mut self) -> PersonId {
        let person = (self.new_person)();
        let standing = Standing { created_at: self.now, single: BTreeSet::new() };
        self.known.persons.insert(person, standing);
        self.plan.persons.push(person);
        person
    }

    fn attach(&mut self, key: &Key, person: PersonId) {
        // Keys are verified when they come, unless the event says when they were.
        let holder = Holder { person, verified_at: key.verified_at };
        self.hold(&key.identity, holder);
        self.plan.keys.push((key.clone(), person));
    }

    fn hold(&mut self, key: &Identity, holder: Holder) {
        self.known.holders.insert(key.clone(), holder);
        if key.kind.is_single() {
            let standing = self.known.persons.get_mut(&holder.person).expect("persons are known");
            standing.single.insert(key.clone());
        }
    }

    fn verify(&mut self, key: &Key, holder: Holder) {
        let Some(verified_at) = key.verified_at.filter(|at| Some(*at) > holder.verified_at) else {
            return;
        };
        self.known
            .holders
            .insert(key.identity.clone(), Holder { verified_at: Some(verified_at), ..holder });
        self.plan.verified.push((key.identity.clone(), verified_at));
    }

    fn take_over(&mut self, key: &Key, from: PersonId, to: PersonId) {
        let former = self.known.persons.get_mut(&from).expect("persons are known");
        former.single.remove(&key.identity);
        self.hold(&key.identity, Holder { person: to, verified_at: key.verified_at });
        self.plan.steps.push(Step::Move { key: key.clone(), from, to });
    }

    fn merge(&mut self, survivor: PersonId, loser: PersonId, keys: &[Key]) {
        self.merged_into.insert(loser, survivor);
        let lost = self.known.persons[&loser].single.clone();
        self.known.persons.get_mut(&survivor).expect("persons are known").single.extend(lost);
        let apart: Vec<PersonId> =
            self.known.apart.iter().filter(|(one, _)| *one == loser).map(|(_, two)| *two).collect();
        for other in apart {
            self.known.apart.extend([(survivor, other), (other, survivor)]);
        }
        let keys = keys.iter().map(|key| key.identity.clone()).collect();
        self.plan.steps.push(Step::Merge { survivor, loser, keys });
    }
}

#[cfg(test)]
mod tests;
