//! The RPCs of cards and of the plans they are bought by.

use siyu_grpc::{Ctx, parse, serve};
use siyu_kernel::{Fault, Id};
use siyu_pg::{Tx, page, replay};
use siyu_proto::member::v1::{
    self as proto, CreateCardPlanRequest, CreateCardPlanResponse, ListCardPlansRequest,
    ListCardPlansResponse, ListCardsRequest, ListCardsResponse, MoveCardRequest, MoveCardResponse,
    PurchaseCardRequest, PurchaseCardResponse, SetCardRenewalRequest, SetCardRenewalResponse,
    card_service_server::CardService,
};
use tonic::{Request, Response, Status, async_trait};
use uuid::Uuid;

use super::{
    Error,
    card::{Card, CardId, NOTICE, PlanId, Step, go_on},
    domain, store,
};
use crate::{
    App, limits, merchant,
    person::{self, PersonId},
};

const CREATE_PLAN: &str = "siyu.member.v1.CardService/CreateCardPlan";
const PURCHASE: &str = "siyu.member.v1.CardService/PurchaseCard";
const MOVE: &str = "siyu.member.v1.CardService/MoveCard";
const SET_RENEWAL: &str = "siyu.member.v1.CardService/SetCardRenewal";

#[async_trait]
impl CardService for App {
    async fn create_card_plan(
        &self,
        request: Request<CreateCardPlanRequest>,
    ) -> Result<Response<CreateCardPlanResponse>, Status> {
        serve(request, |ctx, message| create_plan(self, ctx, message)).await
    }

    async fn list_card_plans(
        &self,
        request: Request<ListCardPlansRequest>,
    ) -> Result<Response<ListCardPlansResponse>, Status> {
        serve(request, |ctx, message| list_plans(self, ctx, message)).await
    }

    async fn purchase_card(
        &self,
        request: Request<PurchaseCardRequest>,
    ) -> Result<Response<PurchaseCardResponse>, Status> {
        serve(request, |ctx, message| purchase(self, ctx, message)).await
    }

    async fn move_card(
        &self,
        request: Request<MoveCardRequest>,
    ) -> Result<Response<MoveCardResponse>, Status> {
        serve(request, |ctx, message| move_on(self, ctx, message)).await
    }

    async fn set_card_renewal(
        &self,
        request: Request<SetCardRenewalRequest>,
    ) -> Result<Response<SetCardRenewalResponse>, Status> {
        serve(request, |ctx, message| set_renewal(self, ctx, message)).await
    }

    async fn list_cards(
        &self,
        request: Request<ListCardsRequest>,
    ) -> Result<Response<ListCardsResponse>, Status> {
        serve(request, |ctx, message| list(self, ctx, message)).await
    }
}

async fn create_plan(
    app: &App,
    ctx: Ctx,
    request: CreateCardPlanRequest,
) -> Result<CreateCardPlanResponse, Fault> {
    let mut plan = request.plan.clone().unwrap_or_default();
    domain::check("plan.benefits", &plan.benefits)?;
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    let price = plan.price.clone().unwrap_or_default();
    if price.currency_code != merchant::currency(&mut tx).await? {
        return Err(Fault::field("plan.price.currency_code", "must be that of the merchant"));
    }
    if !(0..=1_000_000_000_000).contains(&price.minor_units) {
        return Err(Fault::field("plan.price.minor_units", "must be from 0 to 1000000000000"));
    }
    if let Some(reply) = replay::find(&mut tx, CREATE_PLAN, &request.request_id, &request).await? {
        return Ok(reply);
    }
    let id: PlanId = Id::from_uuid(app.ids.uuid());
    plan.id = id.to_string();
    store::insert_plan(&mut tx, id, &plan, ctx.now).await?;
    let reply = CreateCardPlanResponse { plan: Some(plan) };
    replay::keep(&mut tx, CREATE_PLAN, &request.request_id, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}

async fn list_plans(
    app: &App,
    ctx: Ctx,
    request: ListCardPlansRequest,
) -> Result<ListCardPlansResponse, Fault> {
    let page =
        page::Request::<Uuid>::parse(request.page_size, &request.page_token, limits::PAGE, b"")?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let rows = store::list_plans(&mut tx, page.after, page.fetch()).await?;
    let page = page.page(rows, |(id, _)| id.uuid());
    Ok(ListCardPlansResponse {
        plans: page.items.into_iter().map(|(_, plan)| plan).collect(),
        next_page_token: page.next_token,
    })
}

async fn purchase(
    app: &App,
    ctx: Ctx,
    request: PurchaseCardRequest,
) -> Result<PurchaseCardResponse, Fault> {
    let asked = parse::id("person_id", &request.person_id)?;
    let plan_id: PlanId = parse::id("plan_id", &request.plan_id)?;
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    let person = person::hold(&mut tx, asked).await?;
    if let Some(reply) = replay::find(&mut tx, PURCHASE, &request.request_id, &request).await? {
        return Ok(reply);
    }
    let plan = store::find_plan(&mut tx, plan_id).await?;
    let plan = plan.ok_or_else(|| Fault::not_found("plan"))?;
    let card = Card::purchase(Id::from_uuid(app.ids.uuid()), person, plan);
    store::insert_card(&mut tx, &card, plan_id, ctx.now).await?;
    let reply = PurchaseCardResponse { card: Some(card.show(ctx.now)) };
    replay::keep(&mut tx, PURCHASE, &request.request_id, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}

/// Locks the cards of whom a card belongs to; gives that one and when the others of its plan end.
async fn lock(tx: &mut Tx, id: CardId) -> Result<(Card, Vec<Card>), Fault> {
    let nothing = || Fault::not_found("card");
    let owner = store::owner(tx, id).await?.ok_or_else(nothing)?;
    let person = person::hold(tx, owner).await?;
    let mut cards = store::lock_cards(tx, person).await?;
    let at = cards.iter().position(|card| card.id == id).ok_or_else(nothing)?;
    Ok((cards.remove(at), cards))
}

async fn move_on(app: &App, ctx: Ctx, request: MoveCardRequest) -> Result<MoveCardResponse, Fault> {
    let id: CardId = parse::id("card_id", &request.card_id)?;
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    let (card, mut others) = lock(&mut tx, id).await?;
    if let Some(reply) = replay::find(&mut tx, MOVE, &request.request_id, &request).await? {
        return Ok(reply);
    }
    others.retain(|other| {
        other.plan.id == card.plan.id && other.refund_minor == 0 && !is_refunded(other)
    });
    let step = match proto::CardStep::try_from(request.step) {
        Ok(proto::CardStep::Pay) => {
            // Overlap extends: it begins when the last of the same plan ends (rule 55).
            let ends = others.iter().filter_map(|other| other.term.map(|(_, end)| end));
            Step::Pay { after: ends.max() }
        }
        Ok(proto::CardStep::Freeze) => Step::Freeze,
        Ok(proto::CardStep::Unfreeze) => Step::Unfreeze,
        Ok(proto::CardStep::Refund) => Step::Refund,
        Ok(proto::CardStep::Unspecified) | Err(_) => {
            return Err(Fault::field("step", "is not a known value"));
        }
    };
    let mut card = card.after(step, ctx.now)?;
    if step == Step::Unfreeze {
        // Its end is later by as long as it rested: those that were to follow it still do.
        let (goes_on, moved) = go_on(card, others, ctx.now);
        card = goes_on;
        for other in moved {
            store::save_card(&mut tx, &other).await?;
        }
    }
    store::save_card(&mut tx, &card).await?;
    let reply = MoveCardResponse { card: Some(card.show(ctx.now)) };
    replay::keep(&mut tx, MOVE, &request.request_id, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}

fn is_refunded(card: &Card) -> bool {
    card.state == super::card::State::Refunded
}

async fn set_renewal(
    app: &App,
    ctx: Ctx,
    request: SetCardRenewalRequest,
) -> Result<SetCardRenewalResponse, Fault> {
    let id: CardId = parse::id("card_id", &request.card_id)?;
    let charge_at = parse::optional_instant("charge_time", request.charge_time)?;
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    let (mut card, _) = lock(&mut tx, id).await?;
    if let Some(reply) = replay::find(&mut tx, SET_RENEWAL, &request.request_id, &request).await? {
        return Ok(reply);
    }
    card.consent_at = request.agreed.then(|| card.consent_at.unwrap_or(ctx.now));
    if let Some(charge_at) = charge_at {
        if card.consent_at.is_none() {
            return Err(Error::NotAgreed.into());
        }
        if charge_at < ctx.now + NOTICE {
            return Err(Error::NoticeTooShort.into());
        }
        card.notice_at = Some(ctx.now);
    }
    store::save_card(&mut tx, &card).await?;
    let reply = SetCardRenewalResponse { card: Some(card.show(ctx.now)) };
    replay::keep(&mut tx, SET_RENEWAL, &request.request_id, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}

async fn list(app: &App, ctx: Ctx, request: ListCardsRequest) -> Result<ListCardsResponse, Fault> {
    let asked: PersonId = parse::id("person_id", &request.person_id)?;
    let page = page::Request::<Uuid>::parse(
        request.page_size,
        &request.page_token,
        limits::PAGE,
        asked.to_string().as_bytes(),
    )?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let person = person::canonical(&mut tx, asked).await?;
    let rows = store::list_cards(&mut tx, person, page.after, page.fetch()).await?;
    let page = page.page(rows, |card| card.id.uuid());
    Ok(ListCardsResponse {
        cards: page.items.iter().map(|card| card.show(ctx.now)).collect(),
        next_page_token: page.next_token,
    })
}
