//! What people say of themselves and decide, what they are shut out of and pay for: in the database and in memory.

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc};
use siyu_kernel::{Id, Zone, kind};
use siyu_member::{
    blacklist::{self, Entry, Scope, Target},
    consent::{
        self,
        domain::{Decision, Purpose, Status},
    },
    person::domain::{Identity, IdentityKind},
};
use siyu_pg::Tx;
use siyu_proto::member::v1::{Gender, Profile};
use siyu_testkit::id;

use super::{naive::Has, people::People, trees::Dice};
use crate::{profiles::update, world::World};

/// Purposes with channels that are asked about.
pub(crate) const SUBJECTS: &[&str] = &["marketing/sms", "marketing/wecom", "profiling", "face/sms"];
pub(crate) const TOWNS: &[&str] = &["Nanjing", "Suzhou", "%"];
pub(crate) const PROVINCES: &[&str] = &["Jiangsu", "Shanxi"];
pub(crate) const LANGUAGES: &[&str] = &["zh-CN", "en"];
const GENDERS: &[(&str, Gender)] =
    &[("", Gender::Unspecified), ("female", Gender::Female), ("male", Gender::Male)];

/// What is said of a person and by it.
#[derive(Debug, Clone)]
pub(crate) struct Said {
    gender: &'static str,
    /// "1990-05-17", "--05-17" or nothing.
    birthday: String,
    town: String,
    province: String,
    language: String,
    /// Purpose, channel, status, when.
    decided: Vec<(Purpose, &'static str, Status, DateTime<Utc>)>,
    /// What the person is shut out of, until when, and whether by the first key.
    listed: Vec<(Scope, Option<DateTime<Utc>>, bool)>,
    /// The plans of cards with their state and times.
    cards: Vec<Card>,
}

/// A plan, a state, from when, until when.
type Card = (Id<kind::CardPlan>, &'static str, DateTime<Utc>, DateTime<Utc>);

impl Said {
    pub(super) fn invent(
        dice: &mut Dice,
        now: DateTime<Utc>,
        plans: &[Id<kind::CardPlan>; 2],
    ) -> Self {
        let mut maybe = |words: &[&str]| {
            if dice.chance(60) { dice.pick(words).to_owned() } else { String::new() }
        };
        let (town, province, language) = (maybe(TOWNS), maybe(PROVINCES), maybe(LANGUAGES));
        let gender = GENDERS[usize::try_from(dice.below(3)).unwrap()].0;
        let decided = (0..dice.below(4)).map(|_| decision(dice, now)).collect();
        let scopes = [Scope::Marketing, Scope::Promotion, Scope::Purchase, Scope::All];
        let listed = if dice.chance(40) { dice.below(3) } else { 0 };
        let listed = (0..listed).map(|_| {
            let until = dice.chance(60).then(|| now + TimeDelta::microseconds(dice.near(1)));
            let until = if dice.chance(50) { until } else { None };
            (scopes[usize::try_from(dice.below(4)).unwrap()], until, dice.chance(50))
        });
        let listed = listed.collect();
        let cards = if dice.chance(50) { dice.below(3) } else { 0 };
        let cards = (0..cards).map(|_| {
            let states = ["active", "active", "frozen", "expired", "refunded"];
            let start = now + TimeDelta::microseconds(dice.near(1));
            let end = if dice.chance(50) { now + TimeDelta::microseconds(2) } else { now };
            let start = start.min(end - TimeDelta::microseconds(1));
            let plan = plans[usize::try_from(dice.below(2)).unwrap()];
            (plan, states[usize::try_from(dice.below(5)).unwrap()], start, end)
        });
        let cards = cards.collect();
        let birthday = birthday(dice, now);
        Self { gender, birthday, town, province, language, decided, listed, cards }
    }

    fn profile(&self) -> Profile {
        let gender = GENDERS.iter().find(|(word, _)| *word == self.gender).unwrap().1;
        Profile {
            gender: gender.into(),
            birthday: self.birthday.clone(),
            city: self.town.clone(),
            province: self.province.clone(),
            language: self.language.clone(),
            ..Default::default()
        }
    }

    /// The decision that counts for a purpose and a channel, and nothing else.
    fn counts(&self, purpose: Purpose, channel: &str) -> Option<(Status, DateTime<Utc>)> {
        let of = self.decided.iter().filter(|(p, c, ..)| *p == purpose && *c == channel);
        let withdrawn = |status: &Status| *status == Status::Withdrawn;
        of.map(|(_, _, status, at)| (*at, withdrawn(status), *status))
            .max_by_key(|(at, withdrawn, _)| (*at, *withdrawn))
            .map(|(at, _, status)| (status, at))
    }
}

/// Often near to today, at the turn of the year or on a leap day.
fn birthday(dice: &mut Dice, now: DateTime<Utc>) -> String {
    if dice.chance(30) {
        return String::new();
    }
    let near = (now + TimeDelta::days(dice.near(2))).date_naive();
    let days = ["02-28", "02-29", "03-01", "12-31", "01-01"];
    let day = match dice.below(3) {
        0 => dice.pick(&days).to_owned(),
        1 => near.format("%m-%d").to_string(),
        _ => format!("{:02}-{:02}", dice.below(12) + 1, dice.below(28) + 1),
    };
    if dice.chance(50) { format!("--{day}") } else { format!("1992-{day}") }
}

fn decision(dice: &mut Dice, now: DateTime<Utc>) -> (Purpose, &'static str, Status, DateTime<Utc>) {
    let purposes = [Purpose::Marketing, Purpose::Marketing, Purpose::Profiling];
    let channels = ["", "sms", "wecom"];
    let status = if dice.chance(60) { Status::Granted } else { Status::Withdrawn };
    // Close together: what comes first, last and at once makes the difference.
    let at = now - TimeDelta::hours(1) + TimeDelta::seconds(dice.below(3));
    let purpose = purposes[usize::try_from(dice.below(3)).unwrap()];
    (purpose, channels[usize::try_from(dice.below(3)).unwrap()], status, at)
}

/// The values of a field that this room knows.
pub(super) fn has(said: &Said, field: &str, argument: &str, now: DateTime<Utc>) -> Has {
    let word = |word: &str| {
        Has::Words(Some(word.to_owned()).filter(|word| !word.is_empty()).into_iter().collect())
    };
    let day = said.birthday.rsplit_once('-').map(|(rest, day)| {
        let month = rest.rsplit_once('-').unwrap().1;
        (month.parse::<u32>().unwrap(), day.parse::<u32>().unwrap())
    });
    match field {
        "profile.gender" => word(said.gender),
        "profile.city" => word(&said.town),
        "profile.province" => word(&said.province),
        "profile.language" => word(&said.language),
        "profile.birth_month" => {
            Has::Numbers(day.map(|(month, _)| month.into()).into_iter().collect())
        }
        "profile.birthday_days" => {
            Has::Numbers(day.map(|day| until(day, now)).into_iter().collect())
        }
        "consent.status" => {
            let (purpose, channel) = argument.split_once('/').unwrap_or((argument, ""));
            let purposes = [Purpose::Marketing, Purpose::Profiling, Purpose::Face];
            let purpose = purposes.into_iter().find(|p| p.as_str() == purpose).unwrap();
            let exact = said.counts(purpose, channel);
            let all = said.counts(purpose, "").filter(|(status, _)| *status == Status::Withdrawn);
            word(match (exact, all) {
                (None, None) => "",
                (None, Some(_)) | (Some((Status::Withdrawn, _)), _) => "withdrawn",
                (Some((_, at)), Some((_, since))) if since >= at => "withdrawn",
                (Some((Status::Granted, _)), _) => "granted",
            })
        }
        "blacklist.scope" => {
            let holds = said.listed.iter().filter(|(_, until, _)| until.is_none_or(|at| at > now));
            let words = holds.flat_map(|(scope, ..)| match scope {
                Scope::All => vec!["marketing", "promotion", "purchase"],
                Scope::Marketing | Scope::Promotion | Scope::Purchase => vec![scope.as_str()],
            });
            Has::Words(words.map(ToOwned::to_owned).collect())
        }
        "card.plan" => {
            let holds = said
                .cards
                .iter()
                .filter(|(_, state, start, end)| *state == "active" && *start <= now && now < *end);
            Has::Words(holds.map(|(plan, ..)| plan.to_string()).collect())
        }
        other => panic!("{other} is not known here"),
    }
}

/// Day by day until somebody celebrates.
fn until((month, day): (u32, u32), now: DateTime<Utc>) -> i64 {
    let today = Zone::SHANGHAI.day(now).date();
    let celebrates = |date: NaiveDate| {
        let leap = NaiveDate::from_ymd_opt(date.year(), 2, 29).is_some();
        let of_year = if (month, day) == (2, 29) && !leap { (2, 28) } else { (month, day) };
        (date.month(), date.day()) == of_year
    };
    (0..400).find(|days| celebrates(today + TimeDelta::days(*days))).unwrap()
}

pub(super) async fn store(world: &World, people: &People) {
    for person in &people.all {
        let profile = person.said.profile();
        if profile != Profile::default() {
            update(world, world.own, &person.id.to_string(), profile, &[]).await.unwrap();
        }
    }
    let mut tx = world.database.db().tenant(world.own).await.unwrap();
    offer(world, &mut tx, people).await;
    let mut n = 1000;
    for (i, person) in people.all.iter().enumerate() {
        let decisions: Vec<Decision> = person
            .said
            .decided
            .iter()
            .map(|(purpose, channel, status, at)| Decision {
                person_id: person.id,
                purpose: *purpose,
                channel: (*channel).to_owned(),
                status: *status,
                text_version: "v".into(),
                decided_at: *at,
            })
            .collect();
        let latest = consent::domain::latest(decisions);
        consent::store::replace(&mut tx, person.id, &latest).await.unwrap();
        for (scope, until, by_key) in &person.said.listed {
            n += 1;
            let openid = format!("o{i}");
            let key = Identity { kind: IdentityKind::Openid, scope: "wx1".into(), value: openid };
            let target = if *by_key { Target::Key(key) } else { Target::Person(person.id) };
            let entry = Entry {
                id: id(n),
                target,
                scope: *scope,
                reason: None,
                expires_at: *until,
                created_by: "test".into(),
                created_at: people.now,
            };
            blacklist::store::insert(&mut tx, &entry).await.unwrap();
        }
        for (plan, state, start, end) in &person.said.cards {
            n += 1;
            sqlx::query(
                "insert into cards (merchant_id, id, person_id, plan_id, plan, state, starts_at, ends_at, frozen_at,
                    refund_minor, used_minor, created_at)
                values ($1, $2, $3, $4, '', $5, $6, $7, case when $5 = 'frozen' then $6 end, 0, 0, $6)",
            )
            .bind(world.own)
            .bind(id::<kind::Card>(n))
            .bind(person.id)
            .bind(*plan)
            .bind(*state)
            .bind(*start)
            .bind(*end)
            .execute(&mut *tx)
            .await
            .unwrap();
        }
    }
    tx.commit().await.unwrap();
}

/// The plans that cards are of.
async fn offer(world: &World, tx: &mut Tx, people: &People) {
    for plan in people.plans {
        sqlx::query(
            "insert into card_plans (merchant_id, id, plan, created_at) values ($1, $2, '', $3)",
        )
        .bind(world.own)
        .bind(plan)
        .bind(people.now)
        .execute(&mut **tx)
        .await
        .unwrap();
    }
}
