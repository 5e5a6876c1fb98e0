//! People with facts of every kind, in the database and in memory.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use siyu_kernel::{Clock, Id, Ids, Zone, kind};
use siyu_ledger::{Movement, Transfer, TransferCode};
use siyu_member::{
    account::{self, POINTS},
    attribute::{self, domain::Kept},
    connection::{self, Connection, Reason, State},
    filter::Terms,
    person::{self, PersonId},
    purchase::{
        self,
        domain::{Domain, Line, Purchase},
    },
    tag::{self, TagId},
};
use siyu_proto::member::v1::*;
use siyu_testkit::{SeededIds, id};

use super::{
    said::{self, Said},
    trees::Dice,
};
use crate::world::{World, key, openid_of};

pub(crate) const CHANNELS: &[&str] = &["wecom", "official_account", "sms"];
pub(crate) const ACCOUNTS: &[&str] = &["one", "two"];
pub(crate) const SOURCES: &[&str] = &["", "live_code", "fair"];
pub(crate) const CATEGORIES: &[&str] = &["tea", "cake", "cups"];
pub(crate) const SKUS: &[&str] = &["TEA-1", "CAKE-1", ""];
pub(crate) const PLATFORMS: &[&str] = &["pos", "tmall"];
pub(crate) const ORDER_CHANNELS: &[&str] = &["", "mini_program"];
pub(crate) const SKINS: &[&str] = &["dry", "oily"];
pub(crate) const CITIES: &[&str] = &["Nanjing", "Xi'an", "%"];

#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) id: PersonId,
    pub(crate) created: DateTime<Utc>,
    pub(crate) growth: i64,
    pub(crate) tier: i32,
    pub(crate) points: i64,
    pub(crate) phone: bool,
    pub(crate) orders: Vec<Purchase>,
    pub(crate) edges: Vec<Connection>,
    pub(crate) tags: Vec<Carried>,
    /// By code: a text, or a number.
    pub(crate) attributes: BTreeMap<&'static str, Kept>,
    pub(crate) said: Said,
}

#[derive(Debug, Clone)]
pub(crate) struct Carried {
    pub(crate) id: String,
    pub(crate) group: Option<String>,
    pub(crate) since: DateTime<Utc>,
    pub(crate) until: Option<DateTime<Utc>>,
}

pub(crate) struct People {
    pub(crate) all: Vec<Person>,
    pub(crate) now: DateTime<Utc>,
    pub(crate) stores: Vec<Id<kind::Store>>,
    /// The tags with their groups.
    pub(crate) tags: Vec<(TagId, Option<tag::TagGroupId>)>,
    /// The plans of cards.
    pub(crate) plans: [Id<kind::CardPlan>; 2],
}

impl People {
    pub(crate) async fn make(world: &World, dice: &mut Dice, persons: usize) -> Self {
        let now = world.clock.now();
        let tags = make_tags(world).await;
        make_attributes(world).await;
        let stores = vec![id(1), id(2)];
        let plans = [id(71), id(72)];
        let mut people = Self { all: Vec::new(), now, stores, tags, plans };
        let ids = resolve(world, persons).await;
        for (n, id) in ids.into_iter().enumerate() {
            let person = people.invent(dice, u32::try_from(n).unwrap(), id);
            people.all.push(person);
        }
        people.store(world).await;
        said::store(world, &people).await;
        people
    }

    pub(crate) async fn terms(&self, world: &World) -> Terms {
        let mut tx = world.database.db().tenant_read(world.own).await.unwrap();
        let attributes = attribute::store::by_code(&mut tx).await.unwrap();
        let keys = siyu_member::vault::keys(&world.app, world.own).await.unwrap();
        Terms { now: self.now, zone: Zone::SHANGHAI, attributes, keys }
    }

    fn invent(&self, dice: &mut Dice, n: u32, id: PersonId) -> Person {
        let orders = if dice.chance(70) { dice.below(6) } else { 0 };
        let edges = if dice.chance(70) { dice.below(4) } else { 0 };
        let mut edges: Vec<Connection> = (0..edges).map(|_| self.edge(dice, id)).collect();
        edges.sort_by(|a, b| (&a.channel, &a.account_id).cmp(&(&b.channel, &b.account_id)));
        edges.dedup_by(|a, b| (&a.channel, &a.account_id) == (&b.channel, &b.account_id));
        let mut tags: Vec<Carried> = Vec::new();
        for (tag, group) in &self.tags {
            if dice.chance(30) {
                let since = self.past(dice);
                let until = dice.chance(40).then(|| self.now + TimeDelta::days(dice.near(4)));
                let group = group.map(|group| group.to_string());
                tags.push(Carried { id: tag.to_string(), group, since, until });
            }
        }
        let mut attributes = BTreeMap::new();
        let mut maybe = |dice: &mut Dice, code, kept: Kept| {
            if dice.chance(60) {
                attributes.insert(code, kept);
            }
        };
        let (skin, city) = (dice.pick(SKINS), dice.pick(CITIES));
        maybe(dice, "skin", Kept::Text(skin.into()));
        maybe(dice, "city", Kept::Text(city.into()));
        let (shoes, vip, born) = (dice.near(5), dice.chance(50), 19_800 + dice.near(60));
        maybe(dice, "shoes", Kept::Number(shoes));
        maybe(dice, "vip", Kept::Number(vip.into()));
        maybe(dice, "born", Kept::Number(born));
        Person {
            id,
            created: self.past(dice),
            growth: dice.below(6) * 500,
            tier: i32::try_from(dice.below(4) + 1).unwrap(),
            points: dice.below(4) * 50,
            phone: n.is_multiple_of(3),
            orders: (0..orders)
                .map(|i| self.order(dice, n * 10 + u32::try_from(i).unwrap(), id))
                .collect(),
            edges,
            tags,
            attributes,
            said: Said::invent(dice, self.now, &self.plans),
        }
    }

    /// An instant of the last three years, often at the very edge of a day or of a usual window.
    pub(crate) fn past(&self, dice: &mut Dice) -> DateTime<Utc> {
        let days = [0, 1, 30, 31, 89, 90, 91, 180, 181, 364, 365, 366, 730, 731, 1_000];
        let at = self.now - TimeDelta::days(days[usize::try_from(dice.below(15)).unwrap()]);
        // Days of the merchant begin at 16:00 UTC.
        let edges = [0, -1, 1, 16 * 3600, 16 * 3600 - 1, -8 * 3600, -8 * 3600 - 1];
        let edge = edges[usize::try_from(dice.below(7)).unwrap()];
        (at + TimeDelta::seconds(edge)).min(self.now - TimeDelta::microseconds(1))
    }

    fn order(&self, dice: &mut Dice, n: u32, person_id: PersonId) -> Purchase {
        let paid_at = self.past(dice);
        let counts = dice.chance(85);
        let lines = if counts { dice.below(3) + 1 } else { 0 };
        let lines: Vec<Line> = (1..=lines)
            .map(|line_no| Line {
                line_no: i32::try_from(line_no).unwrap(),
                sku: dice.pick(SKUS).into(),
                category: dice.pick(CATEGORIES).into(),
                quantity: dice.below(4),
                paid_minor: dice.below(5) * 10_001,
            })
            .collect();
        Purchase {
            order_id: id(1_000 + n),
            person_id,
            store_id: dice.chance(60).then(|| self.stores[usize::try_from(dice.below(2)).unwrap()]),
            platform: dice.pick(PLATFORMS).into(),
            channel: dice.pick(ORDER_CHANNELS).into(),
            domain: [Domain::Private, Domain::Public, Domain::Pos]
                [usize::try_from(dice.below(3)).unwrap()],
            paid_at,
            paid_day: Zone::SHANGHAI.day(paid_at),
            paid_minor: lines.iter().map(|line| line.paid_minor).sum(),
            counts,
            revision: 1,
            lines,
        }
    }

    fn edge(&self, dice: &mut Dice, person_id: PersonId) -> Connection {
        Connection {
            person_id,
            channel: dice.pick(CHANNELS).into(),
            account_id: dice.pick(ACCOUNTS).into(),
            state: if dice.chance(60) { State::Connected } else { State::Disconnected },
            state_at: self.past(dice),
            source: dice.pick(SOURCES).into(),
            reason: Reason::Untold,
        }
    }

    async fn store(&self, world: &World) {
        let mut tx = world.database.db().tenant(world.own).await.unwrap();
        let ids = SeededIds::new(55);
        let attributes = attribute::store::by_code(&mut tx).await.unwrap();
        let all =
            |of: fn(&Person) -> (PersonId, i64, i32)| self.all.iter().map(of).collect::<Vec<_>>();
        person::store::save_growth(&mut tx, &all(|p| (p.id, p.growth, p.tier))).await.unwrap();
        for person in &self.all {
            sqlx::query("update persons set created_at = $2 where id = $1")
                .bind(person.id)
                .bind(person.created)
                .execute(&mut *tx)
                .await
                .unwrap();
            let orders: Vec<&Purchase> = person.orders.iter().collect();
            purchase::store::save(&mut tx, &orders).await.unwrap();
            purchase::store::insert_lines(&mut tx, &orders).await.unwrap();
            connection::store::record(&mut tx, &person.edges, self.now).await.unwrap();
            for carried in &person.tags {
                let pair = [(person.id, carried.id.parse().unwrap())];
                tag::store::persons::add(&mut tx, &pair, "t", carried.until, carried.since)
                    .await
                    .unwrap();
            }
            let values: Vec<_> = person
                .attributes
                .iter()
                .map(|(code, kept)| (person.id, attributes[*code].id, kept.clone()))
                .collect();
            attribute::store::set(&mut tx, &values, self.now).await.unwrap();
            if person.points > 0 {
                let two = [
                    account::held(ids.uuid(), person.id, POINTS),
                    account::issued(ids.uuid(), POINTS),
                ];
                let open = siyu_ledger::open(&mut tx, &two, self.now).await.unwrap();
                let movement = Movement::new(open[1].id, open[0].id, person.points);
                let movement = movement.lot(siyu_ledger::LotTerms::from(self.now));
                let transfer =
                    Transfer::post(Id::from_uuid(ids.uuid()), TransferCode::new(9), movement);
                siyu_ledger::post_all(&mut tx, &[transfer], self.now).await.unwrap();
            }
        }
        let persons: Vec<PersonId> = self.all.iter().map(|person| person.id).collect();
        purchase::store::save_totals(&mut tx, &persons).await.unwrap();
        tx.commit().await.unwrap();
    }
}

async fn resolve(world: &World, persons: usize) -> Vec<PersonId> {
    let set = |n: usize| {
        let mut identities = vec![openid_of(&format!("o{n}"))];
        if n.is_multiple_of(3) {
            identities.push(key(IdentityKind::Phone, "", &format!("+86138{n:08}")));
        }
        IdentitySet { identities }
    };
    let request = ResolvePersonsRequest { sets: (0..persons).map(set).collect() };
    let reply = world.persons(world.own).resolve_persons(request).await.unwrap().into_inner();
    reply.persons.iter().map(|person| person.person_id.parse().unwrap()).collect()
}

async fn make_tags(world: &World) -> Vec<(TagId, Option<tag::TagGroupId>)> {
    let group = TagGroup { name: "g".into(), ..Default::default() };
    let request = CreateTagGroupRequest { group: Some(group), ..Default::default() };
    let group = world.tags(world.own).create_tag_group(request).await.unwrap().into_inner().group;
    let group_id = group.unwrap().id;
    let mut tags = Vec::new();
    for (name, group_id) in [("a", ""), ("b", group_id.as_str()), ("c", group_id.as_str())] {
        let tag = Tag { name: name.into(), group_id: group_id.into(), ..Default::default() };
        let request = CreateTagRequest { tag: Some(tag), ..Default::default() };
        let tag = world.tags(world.own).create_tag(request).await.unwrap().into_inner().tag;
        tags.push((tag.unwrap().id.parse().unwrap(), group_id.parse().ok()));
    }
    tags
}

async fn make_attributes(world: &World) {
    for (code, kind) in [
        ("skin", AttributeType::Choice),
        ("city", AttributeType::Text),
        ("shoes", AttributeType::Number),
        ("vip", AttributeType::Flag),
        ("born", AttributeType::Day),
    ] {
        let choices = if kind == AttributeType::Choice { SKINS } else { &[] };
        let attribute = Attribute {
            code: code.into(),
            name: code.into(),
            r#type: kind.into(),
            choices: choices.iter().map(|&choice| choice.to_owned()).collect(),
            ..Default::default()
        };
        let request = CreateAttributeRequest { attribute: Some(attribute), ..Default::default() };
        world.attributes(world.own).create_attribute(request).await.unwrap();
    }
}
