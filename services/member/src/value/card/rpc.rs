//! The RPCs of cards.

use prost::Message;
use siyu_grpc::{Ctx, parse, serve};
use siyu_kernel::{Fault, Id};
use siyu_pg::{page, replay};
use siyu_proto::member::v1::{
    self as proto, AdjustValueCardRequest, AdjustValueCardResponse, CloseValueCardRequest,
    CloseValueCardResponse, FindValueCardRequest, FindValueCardResponse, FreezeValueCardRequest,
    FreezeValueCardResponse, GetValueCardRequest, GetValueCardResponse,
    ListValueCardEntriesRequest, ListValueCardEntriesResponse, ListValueCardsRequest,
    ListValueCardsResponse, OpenValueCardRequest, OpenValueCardResponse, RenewValueCardRequest,
    RenewValueCardResponse, UnfreezeValueCardRequest, UnfreezeValueCardResponse,
    value_card_service_server::ValueCardService,
};
use tonic::{Request, Response, Status, async_trait};
use uuid::Uuid;

use super::{
    Card, Kind, State, number,
    state::{self, Event},
    store,
};
use crate::{
    App, limits, person,
    value::{adjust, books, entry, policy},
};

const OPEN: &str = "siyu.member.v1.ValueCardService/OpenValueCard";
const FREEZE: &str = "siyu.member.v1.ValueCardService/FreezeValueCard";
const UNFREEZE: &str = "siyu.member.v1.ValueCardService/UnfreezeValueCard";
const CLOSE: &str = "siyu.member.v1.ValueCardService/CloseValueCard";
const RENEW: &str = "siyu.member.v1.ValueCardService/RenewValueCard";

#[async_trait]
impl ValueCardService for App {
    async fn open_value_card(
        &self,
        request: Request<OpenValueCardRequest>,
    ) -> Result<Response<OpenValueCardResponse>, Status> {
        serve(request, |ctx, message| open(self, ctx, message)).await
    }

    async fn get_value_card(
        &self,
        request: Request<GetValueCardRequest>,
    ) -> Result<Response<GetValueCardResponse>, Status> {
        serve(request, |ctx, message| get(self, ctx, message)).await
    }

    async fn find_value_card(
        &self,
        request: Request<FindValueCardRequest>,
    ) -> Result<Response<FindValueCardResponse>, Status> {
        serve(request, |ctx, message| find(self, ctx, message)).await
    }

    async fn list_value_cards(
        &self,
        request: Request<ListValueCardsRequest>,
    ) -> Result<Response<ListValueCardsResponse>, Status> {
        serve(request, |ctx, message| list(self, ctx, message)).await
    }

    async fn list_value_card_entries(
        &self,
        request: Request<ListValueCardEntriesRequest>,
    ) -> Result<Response<ListValueCardEntriesResponse>, Status> {
        serve(request, |ctx, message| entries(self, ctx, message)).await
    }

    async fn adjust_value_card(
        &self,
        request: Request<AdjustValueCardRequest>,
    ) -> Result<Response<AdjustValueCardResponse>, Status> {
        serve(request, |ctx, message| adjust::adjust(self, ctx, message)).await
    }

    async fn freeze_value_card(
        &self,
        request: Request<FreezeValueCardRequest>,
    ) -> Result<Response<FreezeValueCardResponse>, Status> {
        serve(request, |ctx, message| async move {
            let ask = Ask { method: FREEZE, id: &message.card_id, key: &message.request_id };
            let reply = |card| FreezeValueCardResponse { card: Some(card) };
            change(self, ctx, ask, &message, |_, _| Event::Freeze, reply).await
        })
        .await
    }

    async fn unfreeze_value_card(
        &self,
        request: Request<UnfreezeValueCardRequest>,
    ) -> Result<Response<UnfreezeValueCardResponse>, Status> {
        serve(request, |ctx, message| async move {
            let ask = Ask { method: UNFREEZE, id: &message.card_id, key: &message.request_id };
            let reply = |card| UnfreezeValueCardResponse { card: Some(card) };
            change(self, ctx, ask, &message, |_, _| Event::Unfreeze, reply).await
        })
        .await
    }

    async fn close_value_card(
        &self,
        request: Request<CloseValueCardRequest>,
    ) -> Result<Response<CloseValueCardResponse>, Status> {
        serve(request, |ctx, message| async move {
            let ask = Ask { method: CLOSE, id: &message.card_id, key: &message.request_id };
            let reply = |card| CloseValueCardResponse { card: Some(card) };
            change(self, ctx, ask, &message, |_, _| Event::Close, reply).await
        })
        .await
    }

    async fn renew_value_card(
        &self,
        request: Request<RenewValueCardRequest>,
    ) -> Result<Response<RenewValueCardResponse>, Status> {
        serve(request, |ctx, message| async move {
            let ask = Ask { method: RENEW, id: &message.card_id, key: &message.request_id };
            let reply = |card| RenewValueCardResponse { card: Some(card) };
            let now = ctx.now;
            let event = move |terms: &policy::Terms, card: &Card| {
                Event::Renew(terms.card_expiry(card.kind, now))
            };
            change(self, ctx, ask, &message, event, reply).await
        })
        .await
    }
}

/// Which method asks for a change of which card.
struct Ask<'a> {
    method: &'static str,
    id: &'a str,
    key: &'a str,
}

async fn open(
    app: &App,
    ctx: Ctx,
    request: OpenValueCardRequest,
) -> Result<OpenValueCardResponse, Fault> {
    let issuer_id = parse::id("issuer_id", &request.issuer_id)?;
    let asked = parse::optional_id("person_id", &request.person_id)?;
    let store_id = parse::optional_id("store_id", &request.store_id)?;
    let kind = Kind::read(request.kind)?;
    if kind == Kind::Named && asked.is_none() {
        return Err(Fault::field("person_id", "is required for a named card"));
    }
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    if let Some(reply) = replay::find(&mut tx, OPEN, &request.request_id, &request).await? {
        return Ok(reply);
    }
    let person_id = match asked {
        Some(person) => Some(person::hold(&mut tx, person).await?),
        None => None,
    };
    let terms = policy::terms(&mut tx, ctx.now).await?;
    let id = Id::from_uuid(app.ids.uuid());
    let card = Card {
        id,
        number: number::number(app.ids.uuid()),
        kind,
        state: State::Active,
        person_id,
        origin_person_id: None,
        issuer_id,
        store_id,
        origin_card_id: None,
        purse: books::open(app, &mut tx, id, terms.currency, ctx.now).await?,
        expires_at: terms.card_expiry(kind, ctx.now),
        created_at: ctx.now,
    };
    store::insert(&mut tx, &card).await?;
    let shown = super::tell(app, &mut tx, &ctx, &card, terms.currency).await?;
    let reply = OpenValueCardResponse { card: Some(shown) };
    replay::keep(&mut tx, OPEN, &request.request_id, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}

async fn get(
    app: &App,
    ctx: Ctx,
    request: GetValueCardRequest,
) -> Result<GetValueCardResponse, Fault> {
    let id = parse::id("card_id", &request.card_id)?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let terms = policy::terms(&mut tx, ctx.now).await?;
    let card = store::find(&mut tx, id).await?.ok_or_else(|| Fault::not_found("card"))?;
    let card = super::shown(&mut tx, &card, terms.currency, ctx.now).await?;
    Ok(GetValueCardResponse { card: Some(card) })
}

async fn find(
    app: &App,
    ctx: Ctx,
    request: FindValueCardRequest,
) -> Result<FindValueCardResponse, Fault> {
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let terms = policy::terms(&mut tx, ctx.now).await?;
    let card = store::find_number(&mut tx, &request.number).await?;
    let card = card.ok_or_else(|| Fault::not_found("card"))?;
    let card = super::shown(&mut tx, &card, terms.currency, ctx.now).await?;
    Ok(FindValueCardResponse { card: Some(card) })
}

async fn list(
    app: &App,
    ctx: Ctx,
    request: ListValueCardsRequest,
) -> Result<ListValueCardsResponse, Fault> {
    let asked = parse::id("person_id", &request.person_id)?;
    let filter = request.person_id.as_bytes();
    let page =
        page::Request::<Uuid>::parse(request.page_size, &request.page_token, limits::PAGE, filter)?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let person_id = person::canonical(&mut tx, asked).await?;
    let terms = policy::terms(&mut tx, ctx.now).await?;
    let rows = store::list(&mut tx, person_id, page.after, page.fetch()).await?;
    let page = page.page(rows, super::key);
    let purses: Vec<_> = page.items.iter().map(|card| card.purse).collect();
    let balances = books::balances(&mut tx, &purses, ctx.now).await?;
    let both = page.items.iter().zip(balances);
    Ok(ListValueCardsResponse {
        cards: both.map(|(card, balance)| card.show(balance, terms.currency)).collect(),
        next_page_token: page.next_token,
    })
}

async fn entries(
    app: &App,
    ctx: Ctx,
    request: ListValueCardEntriesRequest,
) -> Result<ListValueCardEntriesResponse, Fault> {
    let id = parse::id("card_id", &request.card_id)?;
    let filter = request.card_id.as_bytes();
    let page =
        page::Request::<Uuid>::parse(request.page_size, &request.page_token, limits::PAGE, filter)?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    store::find(&mut tx, id).await?.ok_or_else(|| Fault::not_found("card"))?;
    let rows = entry::store::list(&mut tx, id, page.after, page.fetch()).await?;
    let page = page.page(rows, |row| row.id);
    Ok(ListValueCardEntriesResponse {
        entries: page.items.into_iter().map(Into::into).collect(),
        next_page_token: page.next_token,
    })
}

/// Changes a card other than in its balances, once for each request id.
async fn change<R: Message + Default>(
    app: &App,
    ctx: Ctx,
    ask: Ask<'_>,
    request: &impl Message,
    event: impl FnOnce(&policy::Terms, &Card) -> Event,
    reply: impl FnOnce(proto::ValueCard) -> R,
) -> Result<R, Fault> {
    let id = parse::id("card_id", ask.id)?;
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    if let Some(reply) = replay::find(&mut tx, ask.method, ask.key, request).await? {
        return Ok(reply);
    }
    let terms = policy::terms(&mut tx, ctx.now).await?;
    let card = super::lock(&mut tx, id).await?;
    let balance = books::balances(&mut tx, &[card.purse], ctx.now).await?.remove(0);
    let event = event(&terms, &card);
    let card = state::after(card, event, balance)?;
    store::save(&mut tx, &card).await?;
    let reply = reply(super::tell(app, &mut tx, &ctx, &card, terms.currency).await?);
    replay::keep(&mut tx, ask.method, ask.key, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}
