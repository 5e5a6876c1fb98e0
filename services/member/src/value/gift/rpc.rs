//! The RPCs of transfers and gifts.

use siyu_grpc::{Ctx, parse, serve};
use siyu_kernel::{Fault, Id};
use siyu_pg::replay;
use siyu_proto::member::v1::{
    AcceptValueGiftRequest, AcceptValueGiftResponse, CancelValueGiftRequest,
    CancelValueGiftResponse, CreateValueGiftRequest, CreateValueGiftResponse, GetValueGiftRequest,
    GetValueGiftResponse, TransferValueRequest, TransferValueResponse,
    value_gift_service_server::ValueGiftService,
};
use tonic::{Request, Response, Status, async_trait};

use super::{
    domain::{self, State},
    give, store,
};
use crate::{
    App, person,
    value::policy,
    vault::{self, Keys},
};

const TRANSFER: &str = "siyu.member.v1.ValueGiftService/TransferValue";
const CREATE: &str = "siyu.member.v1.ValueGiftService/CreateValueGift";
const ACCEPT: &str = "siyu.member.v1.ValueGiftService/AcceptValueGift";
const CANCEL: &str = "siyu.member.v1.ValueGiftService/CancelValueGift";

/// What digests of codes are made for.
const CODE: &str = "value_gift";

#[async_trait]
impl ValueGiftService for App {
    async fn transfer_value(
        &self,
        request: Request<TransferValueRequest>,
    ) -> Result<Response<TransferValueResponse>, Status> {
        serve(request, |ctx, message| transfer(self, ctx, message)).await
    }

    async fn create_value_gift(
        &self,
        request: Request<CreateValueGiftRequest>,
    ) -> Result<Response<CreateValueGiftResponse>, Status> {
        serve(request, |ctx, message| create(self, ctx, message)).await
    }

    async fn accept_value_gift(
        &self,
        request: Request<AcceptValueGiftRequest>,
    ) -> Result<Response<AcceptValueGiftResponse>, Status> {
        serve(request, |ctx, message| accept(self, ctx, message)).await
    }

    async fn cancel_value_gift(
        &self,
        request: Request<CancelValueGiftRequest>,
    ) -> Result<Response<CancelValueGiftResponse>, Status> {
        serve(request, |ctx, message| cancel(self, ctx, message)).await
    }

    async fn get_value_gift(
        &self,
        request: Request<GetValueGiftRequest>,
    ) -> Result<Response<GetValueGiftResponse>, Status> {
        serve(request, |ctx, message| get(self, ctx, message)).await
    }
}

async fn transfer(
    app: &App,
    ctx: Ctx,
    request: TransferValueRequest,
) -> Result<TransferValueResponse, Fault> {
    let from = parse::id("card_id", &request.card_id)?;
    let to = parse::id("to_card_id", &request.to_card_id)?;
    if from == to {
        return Err(Fault::field("to_card_id", "must be another card"));
    }
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    if let Some(reply) = replay::find(&mut tx, TRANSFER, &request.request_id, &request).await? {
        return Ok(reply);
    }
    let (card, to_card, moved) =
        give::transfer(app, &mut tx, &ctx, from, to, request.amount_minor).await?;
    let reply = TransferValueResponse {
        card: Some(card),
        to_card: Some(to_card),
        principal_minor: moved.principal,
        bonus_minor: moved.bonus,
    };
    replay::keep(&mut tx, TRANSFER, &request.request_id, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}

async fn create(
    app: &App,
    ctx: Ctx,
    request: CreateValueGiftRequest,
) -> Result<CreateValueGiftResponse, Fault> {
    let from = parse::id("card_id", &request.card_id)?;
    let keys = vault::keys(app, ctx.merchant()?).await?;
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    if let Some(reply) = replay::find(&mut tx, CREATE, &request.request_id, &request).await? {
        return with_code(&keys, reply);
    }
    let id = Id::from_uuid(app.ids.uuid());
    let digest = keys.digest(CODE, &domain::code(&keys, id));
    let size = (request.amount_minor, request.valid_hours);
    let gift = give::create(app, &mut tx, &ctx, (id, &digest), from, size).await?;
    // The code is money: it is kept nowhere, and computed again for a repeat.
    let reply = CreateValueGiftResponse { gift: Some(gift), code: String::new() };
    replay::keep(&mut tx, CREATE, &request.request_id, &reply).await?;
    tx.commit().await?;
    with_code(&keys, reply)
}

/// The reply with the code of its gift. Replies that were kept with one keep theirs.
fn with_code(
    keys: &Keys,
    mut reply: CreateValueGiftResponse,
) -> Result<CreateValueGiftResponse, Fault> {
    if reply.code.is_empty() {
        let gift = reply.gift.as_ref().map_or("", |gift| &gift.id);
        reply.code = domain::code(keys, parse::id("gift.id", gift)?);
    }
    Ok(reply)
}

async fn accept(
    app: &App,
    ctx: Ctx,
    request: AcceptValueGiftRequest,
) -> Result<AcceptValueGiftResponse, Fault> {
    let asked = parse::id("person_id", &request.person_id)?;
    let digest = vault::keys(app, ctx.merchant()?).await?.digest(CODE, &request.code);
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    if let Some(reply) = replay::find(&mut tx, ACCEPT, &request.request_id, &request).await? {
        return Ok(reply);
    }
    let person = person::hold(&mut tx, asked).await?;
    let (gift, card) = give::accept(app, &mut tx, &ctx, &digest, person).await?;
    let reply = AcceptValueGiftResponse { gift: Some(gift), card: Some(card) };
    replay::keep(&mut tx, ACCEPT, &request.request_id, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}

async fn cancel(
    app: &App,
    ctx: Ctx,
    request: CancelValueGiftRequest,
) -> Result<CancelValueGiftResponse, Fault> {
    let id = parse::id("gift_id", &request.gift_id)?;
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    if let Some(reply) = replay::find(&mut tx, CANCEL, &request.request_id, &request).await? {
        return Ok(reply);
    }
    let gift = give::give_back(app, &mut tx, &ctx, id, State::Cancelled).await?;
    let reply = CancelValueGiftResponse { gift: Some(gift) };
    replay::keep(&mut tx, CANCEL, &request.request_id, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}

async fn get(
    app: &App,
    ctx: Ctx,
    request: GetValueGiftRequest,
) -> Result<GetValueGiftResponse, Fault> {
    let id = parse::id("gift_id", &request.gift_id)?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let terms = policy::terms(&mut tx, ctx.now).await?;
    let gift = store::find(&mut tx, id).await?.ok_or_else(|| Fault::not_found("gift"))?;
    Ok(GetValueGiftResponse { gift: Some(gift.show(terms.currency)) })
}
