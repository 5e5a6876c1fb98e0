//! The RPCs of parcel cards.

use chrono::{DateTime, TimeDelta, Utc};
use siyu_grpc::{Ctx, parse, serve};
use siyu_kernel::{Fault, Id, Violation, kind::Person};
use siyu_pg::{page, replay};
use siyu_proto::order::v1::{
    AttachParcelCardRequest, AttachParcelCardResponse, ClaimParcelCardRequest,
    ClaimParcelCardResponse, CreateParcelCardsRequest, CreateParcelCardsResponse,
    ListParcelCardsRequest, ListParcelCardsResponse, ParcelCard, ParcelCardOrder, ParcelCardState,
    VoidParcelCardRequest, VoidParcelCardResponse, parcel_card_service_server::ParcelCardService,
};
use tonic::{Request, Response, Status, async_trait};
use uuid::Uuid;

use super::{Card, Outcome, State, claimed, link, refused, store, void};
use crate::{
    App, coupon,
    import::{self, domain::Key},
    limits,
};

const CREATE: &str = "siyu.order.v1.ParcelCardService/CreateParcelCards";

#[async_trait]
impl ParcelCardService for App {
    async fn create_parcel_cards(
        &self,
        request: Request<CreateParcelCardsRequest>,
    ) -> Result<Response<CreateParcelCardsResponse>, Status> {
        serve(request, |ctx, message| create(self, ctx, message)).await
    }

    async fn attach_parcel_card(
        &self,
        request: Request<AttachParcelCardRequest>,
    ) -> Result<Response<AttachParcelCardResponse>, Status> {
        serve(request, |ctx, message| attach(self, ctx, message)).await
    }

    async fn claim_parcel_card(
        &self,
        request: Request<ClaimParcelCardRequest>,
    ) -> Result<Response<ClaimParcelCardResponse>, Status> {
        serve(request, |ctx, message| claim(self, ctx, message)).await
    }

    async fn void_parcel_card(
        &self,
        request: Request<VoidParcelCardRequest>,
    ) -> Result<Response<VoidParcelCardResponse>, Status> {
        serve(request, |ctx, message| make_void(self, ctx, message)).await
    }

    async fn list_parcel_cards(
        &self,
        request: Request<ListParcelCardsRequest>,
    ) -> Result<Response<ListParcelCardsResponse>, Status> {
        serve(request, |ctx, message| list(self, ctx, message)).await
    }
}

async fn create(
    app: &App,
    ctx: Ctx,
    request: CreateParcelCardsRequest,
) -> Result<CreateParcelCardsResponse, Fault> {
    let orders = wanted(&request)?;
    let expires_at = match request.expire_time {
        Some(time) => parse::instant("expire_time", time)?,
        None => ctx.now + TimeDelta::days(365),
    };
    if expires_at <= ctx.now || expires_at > ctx.now + limits::PARCEL_CARD_LIFE_MAX {
        let description = "must lie in the future, at most ten years ahead";
        return Err(Fault::field("expire_time", description));
    }
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    if let Some(reply) = replay::find(&mut tx, CREATE, &request.request_id, &request).await? {
        return Ok(reply);
    }
    let card = |order| Card {
        code: coupon::code::digits((app.random)()),
        id: app.ids.uuid(),
        order,
        state: State::Open,
        claim: None,
        outcome: None,
        expires_at,
        created_at: ctx.now,
    };
    let cards: Vec<Card> = orders.into_iter().map(card).collect();
    if store::insert(&mut tx, &cards).await? < cards.len() as u64 {
        // Of 10^16 codes one had been drawn before.
        return Err(Fault::internal("a code that was drawn had been drawn before"));
    }
    let reply = CreateParcelCardsResponse { cards: cards.iter().map(show).collect() };
    replay::keep(&mut tx, CREATE, &request.request_id, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}

/// For each card that is asked for, its order, if it has one.
fn wanted(request: &CreateParcelCardsRequest) -> Result<Vec<Option<Key>>, Fault> {
    let mut wrong = Vec::new();
    if (request.count == 0) == request.orders.is_empty() {
        let description = "must be given, or orders, and not both".to_owned();
        wrong.push(Violation { field: "count".to_owned(), description });
    }
    for (i, order) in request.orders.iter().enumerate() {
        wrong.extend(check(order, &format!("orders[{i}]")));
    }
    if !wrong.is_empty() {
        return Err(Fault::invalid(wrong));
    }
    let blank = usize::try_from(request.count).unwrap_or(0);
    let named = request.orders.iter().map(|order| Some(key(order)));
    Ok(std::iter::repeat_n(None, blank).chain(named).collect())
}

fn check(order: &ParcelCardOrder, field: &str) -> Option<Violation> {
    let description = import::parse::not_a_platform(&order.platform)?.to_owned();
    Some(Violation { field: format!("{field}.platform"), description })
}

async fn attach(
    app: &App,
    ctx: Ctx,
    request: AttachParcelCardRequest,
) -> Result<AttachParcelCardResponse, Fault> {
    let order = request.order.unwrap_or_default();
    if let Some(violation) = check(&order, "order") {
        return Err(Fault::invalid(vec![violation]));
    }
    let (merchant, order) = (ctx.merchant()?, key(&order));
    known(app, &ctx, &request.code).await?;
    let mut tx = app.db.tenant(merchant).await?;
    import::store::shut(&mut tx).await?;
    let mut card = lock(&mut tx, &request.code).await?;
    match &card.order {
        Some(known) if *known == order => {
            return Ok(AttachParcelCardResponse { card: Some(show(&card)) });
        }
        Some(_) => {
            let message = "the parcel card lies in the parcel of another order";
            return Err(refused("PARCEL_CARD_ATTACHED", message));
        }
        None if card.state == State::Void => return Err(void()),
        None => card.order = Some(order),
    }
    let card = settle(app, tx, &ctx, card).await?;
    Ok(AttachParcelCardResponse { card: Some(show(&card)) })
}

async fn claim(
    app: &App,
    ctx: Ctx,
    request: ClaimParcelCardRequest,
) -> Result<ClaimParcelCardResponse, Fault> {
    let person: Id<Person> = parse::id("person_id", &request.person_id)?;
    let person = app.directory.person(&ctx, person).await?;
    let merchant = ctx.merchant()?;
    let card = known(app, &ctx, &request.code).await?;
    // As they are known now: they may have become one with others since.
    let holder = match card.claim {
        Some((holder, _)) => Some(app.directory.person(&ctx, holder).await?),
        None => None,
    };
    // Nobody waits for imports to hear that a card is not good.
    card.claimable(person, holder, ctx.now)?;
    let mut tx = app.db.tenant(merchant).await?;
    import::store::shut(&mut tx).await?;
    let mut card = lock(&mut tx, &request.code).await?;
    // Whoever was faster meanwhile may be the same person.
    let holder = holder.or(card.claim.map(|(holder, _)| holder));
    if card.claimable(person, holder, ctx.now)? {
        (card.state, card.claim) = (State::Claimed, Some((person, ctx.now)));
    }
    let card = settle(app, tx, &ctx, card).await?;
    Ok(ClaimParcelCardResponse { card: Some(show(&card)) })
}

/// Saves a card that is locked, and asks about it where its order is here.
async fn settle(app: &App, mut tx: siyu_pg::Tx, ctx: &Ctx, card: Card) -> Result<Card, Fault> {
    let is_open = card.claim.is_some() && card.outcome.is_none();
    let buyer = match card.order.as_ref().filter(|_| is_open) {
        Some(order) => store::buyer(&mut tx, order).await?,
        None => None,
    };
    store::save(&mut tx, &card, buyer.map(|_| ctx.now)).await?;
    tx.commit().await?;
    if buyer.is_none() {
        return Ok(card);
    }
    link::link(app, ctx.merchant()?, &card.code, app.member.as_service_within(ctx)).await
}

async fn make_void(
    app: &App,
    ctx: Ctx,
    request: VoidParcelCardRequest,
) -> Result<VoidParcelCardResponse, Fault> {
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    let mut card = lock(&mut tx, &request.code).await?;
    if card.outcome == Some(Outcome::Linked) {
        return Err(claimed("who claimed the parcel card and the buyer are one person"));
    }
    (card.state, card.claim, card.outcome) = (State::Void, None, None);
    store::save(&mut tx, &card, None).await?;
    tx.commit().await?;
    Ok(VoidParcelCardResponse { card: Some(show(&card)) })
}

async fn list(
    app: &App,
    ctx: Ctx,
    request: ListParcelCardsRequest,
) -> Result<ListParcelCardsResponse, Fault> {
    let asked = ParcelCardState::try_from(request.state)
        .map_err(|_| Fault::field("state", "is not a known value"))?;
    let order = request.order.as_ref().map(key);
    let page = page::Request::<(DateTime<Utc>, Uuid)>::parse(
        request.page_size,
        &request.page_token,
        limits::PAGE,
        format!("{asked:?} {order:?}").as_bytes(),
    )?;
    let claimed = |outcome| (Some(State::Claimed), Some(outcome));
    let of = match asked {
        ParcelCardState::Unspecified => (None, None),
        ParcelCardState::Open => (Some(State::Open), None),
        ParcelCardState::Void => (Some(State::Void), None),
        ParcelCardState::Waiting => claimed(None),
        ParcelCardState::Linked => claimed(Some(Outcome::Linked)),
        ParcelCardState::Conflict => claimed(Some(Outcome::Conflict)),
        ParcelCardState::Erased => claimed(Some(Outcome::Erased)),
    };
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let rows = store::list(&mut tx, of, order.as_ref(), page.after, page.fetch()).await?;
    let page = page.page(rows, |card| (card.created_at, card.id));
    Ok(ListParcelCardsResponse {
        cards: page.items.iter().map(show).collect(),
        next_page_token: page.next_token,
    })
}

/// A card as it is at the moment.
async fn known(app: &App, ctx: &Ctx, code: &str) -> Result<Card, Fault> {
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    store::find(&mut tx, code).await?.ok_or_else(not_found)
}

fn not_found() -> Fault {
    Fault::not_found("parcel card")
}

async fn lock(tx: &mut siyu_pg::Tx, code: &str) -> Result<Card, Fault> {
    store::lock(tx, code).await?.ok_or_else(not_found)
}

fn key(order: &ParcelCardOrder) -> Key {
    Key {
        platform: order.platform.clone(),
        shop_id: order.shop_id.clone(),
        order_no: order.order_no.clone(),
    }
}

fn show(card: &Card) -> ParcelCard {
    let state = match (card.state, card.outcome) {
        (State::Open, _) => ParcelCardState::Open,
        (State::Void, _) => ParcelCardState::Void,
        (State::Claimed, None) => ParcelCardState::Waiting,
        (State::Claimed, Some(Outcome::Linked)) => ParcelCardState::Linked,
        (State::Claimed, Some(Outcome::Conflict)) => ParcelCardState::Conflict,
        (State::Claimed, Some(Outcome::Erased)) => ParcelCardState::Erased,
    };
    let order = card.order.as_ref().map(|key| ParcelCardOrder {
        platform: key.platform.clone(),
        shop_id: key.shop_id.clone(),
        order_no: key.order_no.clone(),
    });
    ParcelCard {
        code: card.code.clone(),
        order,
        state: state.into(),
        person_id: card.claim.map(|(person, _)| person.to_string()).unwrap_or_default(),
        claim_time: card.claim.map(|(_, at)| parse::timestamp(at)),
        expire_time: Some(parse::timestamp(card.expires_at)),
        create_time: Some(parse::timestamp(card.created_at)),
    }
}
