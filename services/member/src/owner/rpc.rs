//! The RPCs of owners.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use siyu_grpc::{Ctx, parse, serve};
use siyu_kernel::{Fault, Id};
use siyu_pg::{Tx, page, replay};
use siyu_proto::member::v1::{
    AssignByRuleRequest, AssignByRuleResponse, AssignOwnersRequest, AssignOwnersResponse,
    GetOwnerAtRequest, GetOwnerAtResponse, ListOwnedPersonsRequest, ListOwnedPersonsResponse,
    ListOwnerSpansRequest, ListOwnerSpansResponse, RecordInteractionsRequest,
    RecordInteractionsResponse, owner_service_server::OwnerService,
};
use tonic::{Request, Response, Status, async_trait};
use uuid::Uuid;

use super::{
    assign::{self, Change},
    domain::{Source, Span},
    interaction, rule, store,
};
use crate::{
    App, limits,
    person::{self, PersonId},
    shop::{self, StoreId},
    staff::{self, Staff, StaffId},
};

const ASSIGN: &str = "siyu.member.v1.OwnerService/AssignOwners";
const BY_RULE: &str = "siyu.member.v1.OwnerService/AssignByRule";

#[async_trait]
impl OwnerService for App {
    async fn assign_owners(
        &self,
        request: Request<AssignOwnersRequest>,
    ) -> Result<Response<AssignOwnersResponse>, Status> {
        serve(request, |ctx, message| assign(self, ctx, message)).await
    }

    async fn assign_by_rule(
        &self,
        request: Request<AssignByRuleRequest>,
    ) -> Result<Response<AssignByRuleResponse>, Status> {
        serve(request, |ctx, message| by_rule(self, ctx, message)).await
    }

    async fn record_interactions(
        &self,
        request: Request<RecordInteractionsRequest>,
    ) -> Result<Response<RecordInteractionsResponse>, Status> {
        serve(request, |ctx, message| interaction::record(self, ctx, message)).await
    }

    async fn get_owner_at(
        &self,
        request: Request<GetOwnerAtRequest>,
    ) -> Result<Response<GetOwnerAtResponse>, Status> {
        serve(request, |ctx, message| get_at(self, ctx, message)).await
    }

    async fn list_owner_spans(
        &self,
        request: Request<ListOwnerSpansRequest>,
    ) -> Result<Response<ListOwnerSpansResponse>, Status> {
        serve(request, |ctx, message| list_spans(self, ctx, message)).await
    }

    async fn list_owned_persons(
        &self,
        request: Request<ListOwnedPersonsRequest>,
    ) -> Result<Response<ListOwnedPersonsResponse>, Status> {
        serve(request, |ctx, message| list_owned(self, ctx, message)).await
    }
}

/// One assignment, read.
struct Wanted {
    person_id: PersonId,
    staff_id: StaffId,
    store_id: Option<StoreId>,
    since: Option<DateTime<Utc>>,
}

async fn assign(
    app: &App,
    ctx: Ctx,
    request: AssignOwnersRequest,
) -> Result<AssignOwnersResponse, Fault> {
    let wanted = read(&request, ctx.now)?;
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    if let Some(reply) = replay::find(&mut tx, ASSIGN, &request.request_id, &request).await? {
        return Ok(reply);
    }
    let asked: Vec<PersonId> = wanted.iter().map(|wanted| wanted.person_id).collect();
    let persons = person::hold_all(&mut tx, &asked).await?;
    let staff = employees(&mut tx, wanted.iter().map(|wanted| wanted.staff_id)).await?;
    for store in wanted.iter().filter_map(|wanted| wanted.store_id) {
        shop::store::find(&mut tx, store).await?.ok_or_else(|| Fault::not_found("store"))?;
    }
    let standing = assign::lock(&mut tx, persons.values().copied()).await?;
    let mut changes = BTreeMap::new();
    for (i, wanted) in wanted.iter().enumerate() {
        let person = persons.get(&wanted.person_id).ok_or_else(|| Fault::not_found("person"))?;
        let standing = standing[person].clone();
        let store = wanted.store_id.or(staff[&wanted.staff_id].store_id);
        // Clocks of two processes differ a little: "now" is never before what stands.
        let now = standing.since_at.map_or(ctx.now, |held| held.max(ctx.now));
        let since = wanted.since.unwrap_or(now);
        let to = Some((wanted.staff_id, store));
        let change = Change { standing, to, source: Source::Manual, since };
        if changes.insert(*person, change).is_some() {
            return Err(Fault::field(format!("assignments[{i}].person_id"), "stands twice"));
        }
    }
    let changed = assign::apply(app, &mut tx, &ctx, changes.into_values().collect()).await?;
    let changed = i32::try_from(changed).expect("at most 1000");
    let reply = AssignOwnersResponse { changed };
    replay::keep(&mut tx, ASSIGN, &request.request_id, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}

fn read(request: &AssignOwnersRequest, now: DateTime<Utc>) -> Result<Vec<Wanted>, Fault> {
    let mut read = Vec::with_capacity(request.assignments.len());
    for (i, wanted) in request.assignments.iter().enumerate() {
        let at = |name: &str| format!("assignments[{i}].{name}");
        let since = parse::optional_instant(&at("since_time"), wanted.since_time)?;
        if since.is_some_and(|since| since > now) {
            return Err(Fault::field(at("since_time"), "must not be in the future"));
        }
        read.push(Wanted {
            person_id: parse::id(&at("person_id"), &wanted.person_id)?,
            staff_id: parse::id(&at("staff_id"), &wanted.staff_id)?,
            store_id: parse::optional_id(&at("store_id"), &wanted.store_id)?,
            since,
        });
    }
    Ok(read)
}

/// Employees who work here, by id.
async fn employees(
    tx: &mut Tx,
    ids: impl Iterator<Item = StaffId>,
) -> Result<BTreeMap<StaffId, Staff>, Fault> {
    let mut found = BTreeMap::new();
    for id in ids {
        if found.contains_key(&id) {
            continue;
        }
        let staff = staff::known(tx, id).await?;
        if staff.left_at.is_some() {
            return Err(staff::Error::Left.into());
        }
        found.insert(id, staff);
    }
    Ok(found)
}

async fn by_rule(
    app: &App,
    ctx: Ctx,
    request: AssignByRuleRequest,
) -> Result<AssignByRuleResponse, Fault> {
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    if let Some(reply) = replay::find(&mut tx, BY_RULE, &request.request_id, &request).await? {
        return Ok(reply);
    }
    let answers = rule::apply(app, &mut tx, &ctx, &request.cases).await?;
    let reply = AssignByRuleResponse { answers };
    replay::keep(&mut tx, BY_RULE, &request.request_id, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}

async fn get_at(
    app: &App,
    ctx: Ctx,
    request: GetOwnerAtRequest,
) -> Result<GetOwnerAtResponse, Fault> {
    let asked: PersonId = parse::id("person_id", &request.person_id)?;
    let at = parse::optional_instant("at_time", request.at_time)?.unwrap_or(ctx.now);
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let person = person::canonical(&mut tx, asked).await?;
    let span = owner_at(&mut tx, asked, person, at).await?;
    let span = span.ok_or_else(|| Fault::not_found("owner"))?;
    Ok(GetOwnerAtResponse { span: Some(span.into()) })
}

/// The owner of a person at an instant. An id that became an alias later is looked up as it was then: an order of that day
/// was of the person that it was believed to be of.
async fn owner_at(
    tx: &mut Tx,
    asked: PersonId,
    person: PersonId,
    at: DateTime<Utc>,
) -> Result<Option<Span>, siyu_pg::Error> {
    if asked != person
        && let Some(span) = store::at(tx, asked, at).await?
    {
        return Ok(Some(span));
    }
    store::at(tx, person, at).await
}

async fn list_spans(
    app: &App,
    ctx: Ctx,
    request: ListOwnerSpansRequest,
) -> Result<ListOwnerSpansResponse, Fault> {
    let asked = parse::id("person_id", &request.person_id)?;
    let page = page::Request::<i32>::parse(
        request.page_size,
        &request.page_token,
        limits::PAGE,
        request.person_id.as_bytes(),
    )?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let person = person::canonical(&mut tx, asked).await?;
    let rows = store::spans(&mut tx, person, page.after, page.fetch()).await?;
    let page = page.page(rows, |span| span.number);
    Ok(ListOwnerSpansResponse {
        spans: page.items.into_iter().map(Into::into).collect(),
        next_page_token: page.next_token,
    })
}

async fn list_owned(
    app: &App,
    ctx: Ctx,
    request: ListOwnedPersonsRequest,
) -> Result<ListOwnedPersonsResponse, Fault> {
    let staff = parse::id("staff_id", &request.staff_id)?;
    let page = page::Request::<Uuid>::parse(
        request.page_size,
        &request.page_token,
        limits::PAGE,
        request.staff_id.as_bytes(),
    )?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    staff::known(&mut tx, staff).await?;
    let after = page.after.map(Id::from_uuid);
    let rows = store::of_staff(&mut tx, staff, after, page.fetch()).await?;
    let page = page.page(rows, |span| span.person_id.uuid());
    Ok(ListOwnedPersonsResponse {
        spans: page.items.into_iter().map(Into::into).collect(),
        next_page_token: page.next_token,
    })
}
