//! The RPCs of benefits.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;
use siyu_grpc::{Ctx, parse, parse::timestamp, serve};
use siyu_kernel::Fault;
use siyu_ledger::{Movement, Transfer};
use siyu_pg::{Tx, page, replay};
use siyu_proto::member::v1::{
    BenefitKind, HeldBenefit, ListBenefitsRequest, ListBenefitsResponse, UseBenefitRequest,
    UseBenefitResponse, benefit_service_server::BenefitService,
};
use tonic::{Request, Response, Status, async_trait};

use super::{
    Error,
    card::Card,
    domain::{self, Held},
    store,
};
use crate::{
    App,
    account::{self, BIRTHDAY, POINTS},
    limits, merchant,
    person::{self, PersonId},
    points::{self, command::transfer_id},
    tier, vault,
};

const USE: &str = "siyu.member.v1.BenefitService/UseBenefit";

#[async_trait]
impl BenefitService for App {
    async fn list_benefits(
        &self,
        request: Request<ListBenefitsRequest>,
    ) -> Result<Response<ListBenefitsResponse>, Status> {
        serve(request, |ctx, message| list(self, ctx, message)).await
    }

    async fn use_benefit(
        &self,
        request: Request<UseBenefitRequest>,
    ) -> Result<Response<UseBenefitResponse>, Status> {
        serve(request, |ctx, message| use_one(self, ctx, message)).await
    }
}

/// What a person is entitled to at the instant of the call: the best of its tier and of its cards.
async fn held(
    tx: &mut Tx,
    ctx: &Ctx,
    person: PersonId,
    cards: &[Card],
) -> Result<BTreeMap<i32, Held>, Fault> {
    let policy = tier::store::policy(tx).await?;
    let growth = tier::evaluate::growth(tx, &[person], ctx.now).await?;
    let growth = growth.get(&person).copied().unwrap_or(0);
    let (standing, _) = tier::store::find(tx, person).await?.at(&policy, growth, ctx.now);
    let by_tier = policy.tier(standing.tier).map(|tier| tier.benefits.clone()).unwrap_or_default();
    let by_tier = by_tier.into_iter().map(|benefit| Held { benefit, card: None });
    let by_cards = cards.iter().filter(|card| card.holds(ctx.now)).flat_map(|card| {
        card.plan.benefits.iter().map(|benefit| Held { benefit: *benefit, card: Some(card.id) })
    });
    Ok(domain::best(by_tier.chain(by_cards)))
}

fn show(held: &Held, used: i32) -> HeldBenefit {
    let card_id = held.card.map(|card| card.to_string()).unwrap_or_default();
    HeldBenefit { benefit: Some(held.benefit), card_id, used }
}

async fn list(
    app: &App,
    ctx: Ctx,
    request: ListBenefitsRequest,
) -> Result<ListBenefitsResponse, Fault> {
    let asked: PersonId = parse::id("person_id", &request.person_id)?;
    let page = page::Request::<i32>::parse(
        request.page_size,
        &request.page_token,
        limits::PAGE,
        asked.to_string().as_bytes(),
    )?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let person = person::canonical(&mut tx, asked).await?;
    let zone = merchant::zone(&mut tx).await?;
    let cards = store::list_cards(&mut tx, person, None, limits::CARDS_MAX).await?;
    let held = held(&mut tx, &ctx, person, &cards).await?;
    let day = zone.day(ctx.now).date();
    let kinds: Vec<i32> = held.keys().copied().collect();
    let periods: Vec<NaiveDate> =
        held.values().map(|held| domain::period_of(&held.benefit, day)).collect();
    let used: HashMap<i32, i32> =
        store::uses(&mut tx, person, &kinds, &periods).await?.into_iter().collect();
    let fetch = usize::try_from(page.fetch()).expect("pages have a bound");
    let rows: Vec<(i32, Held)> = held
        .into_iter()
        .filter(|(kind, _)| page.after.is_none_or(|after| *kind > after))
        .take(fetch)
        .collect();
    let page = page.page(rows, |(kind, _)| *kind);
    let show = |(kind, held): &(i32, Held)| show(held, used.get(kind).copied().unwrap_or(0));
    Ok(ListBenefitsResponse {
        benefits: page.items.iter().map(show).collect(),
        next_page_token: page.next_token,
    })
}

async fn use_one(
    app: &App,
    ctx: Ctx,
    request: UseBenefitRequest,
) -> Result<UseBenefitResponse, Fault> {
    let asked = parse::id("person_id", &request.person_id)?;
    if BenefitKind::try_from(request.kind).is_err() {
        return Err(Fault::field("kind", "is not a known value"));
    }
    let born = parse::optional_day("birthday", &request.birthday)?;
    let is_birthday = request.kind() == BenefitKind::BirthdayPoints;
    if is_birthday && born.is_none() {
        return Err(Fault::field("birthday", "is required for this benefit"));
    }
    let print = vault::keys(app, ctx.merchant()?).await?.fingerprint(&request);
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    let person = person::hold(&mut tx, asked).await?;
    if let Some(reply) = replay::find(&mut tx, USE, &request.request_id, &print).await? {
        return Ok(reply);
    }
    let zone = merchant::zone(&mut tx).await?;
    let mut cards = store::lock_cards(&mut tx, person).await?;
    let held = held(&mut tx, &ctx, person, &cards).await?;
    let held = *held.get(&request.kind).ok_or(Error::NotHeld)?;
    let day = zone.day(ctx.now).date();
    let period = match born {
        Some(born) if is_birthday => domain::birthday_around(born.date(), day)
            .and_then(first_of_year)
            .ok_or(Error::NotBirthday)?,
        Some(_) | None => domain::period_of(&held.benefit, day),
    };
    let times = domain::times(&held.benefit);
    let used = store::count_use(&mut tx, person, request.kind, period, times).await?;
    let used = used.ok_or(Error::UsedUp)?;
    if let Some(card) = cards.iter_mut().find(|card| Some(card.id) == held.card) {
        card.used_minor += held.benefit.use_value_minor;
        store::save_card(&mut tx, card).await?;
    }
    if is_birthday && held.benefit.amount > 0 {
        give(app, &mut tx, &ctx, person, held.benefit.amount, period).await?;
    }
    let reply =
        UseBenefitResponse { benefit: Some(show(&held, used)), use_time: Some(timestamp(ctx.now)) };
    replay::keep(&mut tx, USE, &request.request_id, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}

/// The period of a birthday: its year.
fn first_of_year(birthday: NaiveDate) -> Option<NaiveDate> {
    use chrono::Datelike;
    NaiveDate::from_ymd_opt(birthday.year(), 1, 1)
}

async fn give(
    app: &App,
    tx: &mut Tx,
    ctx: &Ctx,
    person: PersonId,
    points: i64,
    year: NaiveDate,
) -> Result<(), Fault> {
    let (rules, zone) = points::policy::current(tx, ctx.now).await?;
    let wanted =
        [account::held(app.ids.uuid(), person, POINTS), account::issued(app.ids.uuid(), POINTS)];
    let open = siyu_ledger::open(tx, &wanted, ctx.now).await?;
    let movement = Movement::new(open[1].id, open[0].id, points);
    let movement = movement.lot(rules.granted(ctx.now, None, None, zone));
    let id = transfer_id(tx.merchant(), "Birthday", &format!("{person} {year}"));
    siyu_ledger::post_all(tx, &[Transfer::post(id, BIRTHDAY, movement)], ctx.now).await?;
    Ok(())
}
