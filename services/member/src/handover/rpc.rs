//! The RPCs of hand-overs.

use std::collections::{BTreeMap, BTreeSet};

use siyu_grpc::{Ctx, parse, serve};
use siyu_kernel::{Fault, Id};
use siyu_pg::{Tx, page, replay};
use siyu_proto::member::v1::{
    self as proto, AcceptHandoversRequest, AcceptHandoversResponse, GetHandoverRequest,
    GetHandoverResponse, ListHandoversRequest, ListHandoversResponse, RefuseHandoverRequest,
    RefuseHandoverResponse, RequestHandoversRequest, RequestHandoversResponse,
    handover_service_server::HandoverService,
};
use tonic::{Request, Response, Status, async_trait};
use uuid::Uuid;

use super::{
    domain::{self, Event, Failure, Handover, HandoverId, Kind, LIMIT, State, WAIT},
    store, tell,
};
use crate::{
    App, limits, merchant,
    owner::assign,
    person::{self, PersonId},
    rights, shop,
    staff::{self, StaffId},
    vault,
};

const REQUEST: &str = "siyu.member.v1.HandoverService/RequestHandovers";

#[async_trait]
impl HandoverService for App {
    async fn request_handovers(
        &self,
        request: Request<RequestHandoversRequest>,
    ) -> Result<Response<RequestHandoversResponse>, Status> {
        serve(request, |ctx, message| ask(self, ctx, message)).await
    }

    async fn accept_handovers(
        &self,
        request: Request<AcceptHandoversRequest>,
    ) -> Result<Response<AcceptHandoversResponse>, Status> {
        serve(request, |ctx, message| accept(self, ctx, message)).await
    }

    async fn refuse_handover(
        &self,
        request: Request<RefuseHandoverRequest>,
    ) -> Result<Response<RefuseHandoverResponse>, Status> {
        serve(request, |ctx, message| refuse(self, ctx, message)).await
    }

    async fn get_handover(
        &self,
        request: Request<GetHandoverRequest>,
    ) -> Result<Response<GetHandoverResponse>, Status> {
        serve(request, |ctx, message| get(self, ctx, message)).await
    }

    async fn list_handovers(
        &self,
        request: Request<ListHandoversRequest>,
    ) -> Result<Response<ListHandoversResponse>, Status> {
        serve(request, |ctx, message| list(self, ctx, message)).await
    }
}

async fn ask(
    app: &App,
    ctx: Ctx,
    request: RequestHandoversRequest,
) -> Result<RequestHandoversResponse, Fault> {
    domain::check_message(&request.message)?;
    let print = vault::keys(app, ctx.merchant()?).await?.fingerprint(&request);
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    let first: Option<RequestHandoversResponse> =
        replay::find(&mut tx, REQUEST, &request.request_id, &print).await?;
    if let Some(reply) = first {
        return Ok(with_message(reply, &request.message));
    }
    let asked = read_persons(&request.person_ids)?;
    let persons = person::hold_all(&mut tx, &asked).await?;
    let form = form(&mut tx, &ctx, &request).await?;
    let mut customers = Vec::new();
    for (i, id) in asked.iter().enumerate() {
        let person = *persons.get(id).ok_or_else(|| Fault::not_found("person"))?;
        if customers.contains(&person) {
            return Err(Fault::field(format!("person_ids[{i}]"), "stands twice"));
        }
        customers.push(person);
    }
    rights::refuse_any_erased(&mut tx, &customers).await?;
    let standing = assign::lock(&mut tx, customers.iter().copied()).await?;
    let (open, counts) = past(&mut tx, &ctx, &customers).await?;
    let mut handovers = Vec::with_capacity(customers.len());
    for person_id in customers {
        let id = Id::from_uuid(app.ids.uuid());
        let mut handover = Handover { id, person_id, ..form.clone() };
        let is_spent = form.kind == Kind::OnJob && counts.get(&person_id) >= Some(&LIMIT);
        let failure = if standing[&person_id].staff_id != Some(form.from_staff_id) {
            Some(Failure::NotOwner)
        } else if open.contains(&person_id) {
            Some(Failure::UnderWay)
        } else if is_spent {
            Some(Failure::CustomerLimit)
        } else {
            None
        };
        if let Some(failure) = failure {
            handover.take(Event::Fail(failure), ctx.now)?;
        }
        handovers.push(handover);
    }
    store::save(&mut tx, &handovers).await?;
    tell(app, &mut tx, &ctx, &handovers).await?;
    let handovers = handovers.into_iter().map(Into::into).collect();
    // What is kept for repeats does not hold what the customer is told.
    let reply = with_message(RequestHandoversResponse { handovers }, "");
    replay::keep(&mut tx, REQUEST, &request.request_id, &reply).await?;
    tx.commit().await?;
    Ok(with_message(reply, &request.message))
}

fn with_message(mut reply: RequestHandoversResponse, message: &str) -> RequestHandoversResponse {
    reply.handovers.iter_mut().for_each(|handover| message.clone_into(&mut handover.message));
    reply
}

fn read_persons(texts: &[String]) -> Result<Vec<PersonId>, Fault> {
    let read = |(i, text): (usize, &String)| parse::id(&format!("person_ids[{i}]"), text);
    texts.iter().enumerate().map(read).collect()
}

/// What all hand-overs of a request have in common.
async fn form(
    tx: &mut Tx,
    ctx: &Ctx,
    request: &RequestHandoversRequest,
) -> Result<Handover, Fault> {
    let kind =
        Kind::read(request.kind).ok_or_else(|| Fault::field("kind", "is not a known value"))?;
    let from_staff_id: StaffId = parse::id("from_staff_id", &request.from_staff_id)?;
    let to_staff_id: StaffId = parse::id("to_staff_id", &request.to_staff_id)?;
    let to_store_id = parse::optional_id("to_store_id", &request.to_store_id)?;
    if from_staff_id == to_staff_id {
        return Err(Fault::field("to_staff_id", "must be another employee"));
    }
    let from = staff::known(tx, from_staff_id).await?;
    let to = staff::known(tx, to_staff_id).await?;
    domain::check_giver(kind, from.left_at, ctx.now)?;
    if to.left_at.is_some() {
        return Err(staff::Error::Left.into());
    }
    if let Some(store) = to_store_id {
        shop::store::find(tx, store).await?.ok_or_else(|| Fault::not_found("store"))?;
    }
    let nobody = Uuid::nil();
    Ok(Handover {
        id: Id::from_uuid(nobody),
        person_id: Id::from_uuid(nobody),
        from_staff_id,
        to_staff_id,
        to_store_id: to_store_id.or(to.store_id),
        kind,
        state: State::Requested,
        failure: Failure::None,
        message: request.message.clone(),
        requested_at: ctx.now,
        accepted_at: None,
        due_at: Some(ctx.now + WAIT),
        ended_at: None,
    })
}

/// Whose hand-over is under way, and how often each customer changed hands.
async fn past(
    tx: &mut Tx,
    ctx: &Ctx,
    customers: &[PersonId],
) -> Result<(BTreeSet<PersonId>, BTreeMap<PersonId, usize>), Fault> {
    let since = domain::counted_since(merchant::zone(tx).await?, ctx.now);
    let past = store::counted(tx, customers, since).await?;
    let (mut open, mut counts) = (BTreeSet::new(), BTreeMap::new());
    for one in past {
        if matches!(one.state, State::Requested | State::Waiting) {
            open.insert(one.person_id);
        }
        *counts.entry(one.person_id).or_default() += 1;
    }
    Ok((open, counts))
}

async fn accept(
    app: &App,
    ctx: Ctx,
    request: AcceptHandoversRequest,
) -> Result<AcceptHandoversResponse, Fault> {
    let at = parse::optional_instant("accept_time", request.accept_time)?.unwrap_or(ctx.now);
    if at > ctx.now {
        return Err(Fault::field("accept_time", "must not be in the future"));
    }
    let read = |(i, text): (usize, &String)| parse::id(&format!("handover_ids[{i}]"), text);
    let ids: Vec<HandoverId> =
        request.handover_ids.iter().enumerate().map(read).collect::<Result<_, _>>()?;
    let sorted: BTreeSet<HandoverId> = ids.iter().copied().collect();
    let sorted: Vec<HandoverId> = sorted.into_iter().collect();
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    let locked = store::lock(&mut tx, &sorted).await?;
    if locked.len() < sorted.len() {
        return Err(Fault::not_found("handover"));
    }
    let mut stand = BTreeMap::new();
    let mut changed = Vec::new();
    for mut handover in locked {
        let before = handover.state;
        handover.take(Event::Accept(at), ctx.now)?;
        if handover.state != before {
            changed.push(handover.clone());
        }
        stand.insert(handover.id, handover);
    }
    store::save(&mut tx, &changed).await?;
    tell(app, &mut tx, &ctx, &changed).await?;
    tx.commit().await?;
    let handovers = ids.iter().map(|id| stand[id].clone().into()).collect();
    Ok(AcceptHandoversResponse { handovers })
}

async fn refuse(
    app: &App,
    ctx: Ctx,
    request: RefuseHandoverRequest,
) -> Result<RefuseHandoverResponse, Fault> {
    let id: HandoverId = parse::id("handover_id", &request.handover_id)?;
    let event = match proto::HandoverFailure::try_from(request.failure) {
        Ok(proto::HandoverFailure::Unspecified) => Event::Refuse,
        Ok(proto::HandoverFailure::CustomerLimit) => Event::Fail(Failure::CustomerLimit),
        Ok(proto::HandoverFailure::StaffLimit) => Event::Fail(Failure::StaffLimit),
        Ok(proto::HandoverFailure::Platform) => Event::Fail(Failure::Platform),
        Ok(
            proto::HandoverFailure::NotOwner
            | proto::HandoverFailure::UnderWay
            | proto::HandoverFailure::Unanswered
            | proto::HandoverFailure::OwnerChanged,
        )
        | Err(_) => return Err(Fault::field("failure", "is no reason of the platform")),
    };
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    let handover = store::lock(&mut tx, &[id]).await?.pop();
    let mut handover = handover.ok_or_else(|| Fault::not_found("handover"))?;
    let before = handover.clone();
    handover.take(event, ctx.now)?;
    if handover != before {
        store::save(&mut tx, std::slice::from_ref(&handover)).await?;
        tell(app, &mut tx, &ctx, std::slice::from_ref(&handover)).await?;
        tx.commit().await?;
    }
    Ok(RefuseHandoverResponse { handover: Some(handover.into()) })
}

async fn get(
    app: &App,
    ctx: Ctx,
    request: GetHandoverRequest,
) -> Result<GetHandoverResponse, Fault> {
    let id = parse::id("handover_id", &request.handover_id)?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let found = store::find(&mut tx, id).await?.ok_or_else(|| Fault::not_found("handover"))?;
    Ok(GetHandoverResponse { handover: Some(found.into()) })
}

async fn list(
    app: &App,
    ctx: Ctx,
    request: ListHandoversRequest,
) -> Result<ListHandoversResponse, Fault> {
    let state = State::read(request.state);
    if state.is_none() && request.state != 0 {
        return Err(Fault::field("state", "is not a known value"));
    }
    let asked: Option<PersonId> = parse::optional_id("person_id", &request.person_id)?;
    let mut filter = store::Filter {
        person_id: asked,
        from_staff_id: parse::optional_id("from_staff_id", &request.from_staff_id)?,
        to_staff_id: parse::optional_id("to_staff_id", &request.to_staff_id)?,
        state,
    };
    let page = page::Request::<Uuid>::parse(
        request.page_size,
        &request.page_token,
        limits::PAGE,
        format!("{filter:?}").as_bytes(),
    )?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    if let Some(asked) = asked {
        filter.person_id = Some(person::canonical(&mut tx, asked).await?);
    }
    let rows = store::list(&mut tx, filter, page.after, page.fetch()).await?;
    let page = page.page(rows, |handover| handover.id.uuid());
    Ok(ListHandoversResponse {
        handovers: page.items.into_iter().map(Into::into).collect(),
        next_page_token: page.next_token,
    })
}
