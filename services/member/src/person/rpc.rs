//! The RPCs of persons.

use std::collections::{BTreeSet, HashMap};

use siyu_grpc::{Ctx, parse, serve};
use siyu_kernel::{Code, Fault, Id, kind::Merchant};
use siyu_pg::{Tx, page};
use siyu_proto::member::v1::{
    self as proto, FindPersonRequest, FindPersonResponse, GetPersonRequest, GetPersonResponse,
    ListPersonsRequest, ListPersonsResponse, PersonCreated, ResolvePersonsRequest,
    ResolvePersonsResponse, person_service_server::PersonService,
};
use tonic::{Request, Response, Status, async_trait};
use uuid::Uuid;

use super::{
    Person, PersonId,
    address::{self, Addresses},
    canonical,
    domain::{self, Identity, Plan},
    store,
};
use crate::{
    App, account, limits, publish_all, rights, stage,
    vault::{self, Keys},
};

#[async_trait]
impl PersonService for App {
    async fn resolve_persons(
        &self,
        request: Request<ResolvePersonsRequest>,
    ) -> Result<Response<ResolvePersonsResponse>, Status> {
        serve(request, |ctx, message| resolve(self, ctx, message)).await
    }

    async fn get_person(
        &self,
        request: Request<GetPersonRequest>,
    ) -> Result<Response<GetPersonResponse>, Status> {
        serve(request, |ctx, message| get(self, ctx, message)).await
    }

    async fn find_person(
        &self,
        request: Request<FindPersonRequest>,
    ) -> Result<Response<FindPersonResponse>, Status> {
        serve(request, |ctx, message| find(self, ctx, message)).await
    }

    async fn list_persons(
        &self,
        request: Request<ListPersonsRequest>,
    ) -> Result<Response<ListPersonsResponse>, Status> {
        serve(request, |ctx, message| list(self, ctx, message)).await
    }
}

async fn resolve(
    app: &App,
    ctx: Ctx,
    request: ResolvePersonsRequest,
) -> Result<ResolvePersonsResponse, Fault> {
    let merchant = ctx.merchant()?;
    let mut addresses = Addresses::new(vault::keys(app, merchant).await?);
    let mut sets = Vec::with_capacity(request.sets.len());
    for (i, set) in request.sets.iter().enumerate() {
        let read = |(j, key)| {
            let identity = Identity::read(&format!("sets[{i}].identities[{j}]"), key)?;
            Ok(addresses.conceal(identity))
        };
        sets.push(set.identities.iter().enumerate().map(read).collect::<Result<Vec<_>, Fault>>()?);
    }
    for _ in 0..limits::RACE_ATTEMPTS_MAX {
        if let Some(plan) = try_resolve(app, &ctx, merchant, &sets, &addresses).await? {
            let answer = |answer: domain::Resolved| proto::ResolvedPerson {
                person_id: answer.person_id.to_string(),
                created: answer.created,
                conflict: answer.conflict,
            };
            return Ok(ResolvePersonsResponse {
                persons: plan.answers.into_iter().map(answer).collect(),
            });
        }
    }
    Err(Fault::new(
        Code::Aborted,
        "IDENTITIES_CONTENDED",
        "other calls store the same keys at this moment",
    ))
}

/// One try; `None` when another resolution stored one of the keys meanwhile.
async fn try_resolve(
    app: &App,
    ctx: &Ctx,
    merchant: Id<Merchant>,
    sets: &[Vec<Identity>],
    addresses: &Addresses,
) -> Result<Option<Plan>, Fault> {
    let mut tx = app.db.tenant(merchant).await?;
    let keys: Vec<&Identity> = sets.iter().flatten().collect::<BTreeSet<_>>().into_iter().collect();
    let holders = store::holders(&mut tx, &keys).await?;
    let plan = domain::resolve(sets, holders, || Id::from_uuid(app.ids.uuid()));
    if plan.identities.is_empty() {
        return Ok(Some(plan));
    }
    if store::insert(&mut tx, &plan, ctx.now).await? < plan.identities.len() as u64 {
        return Ok(None);
    }
    let new: Vec<&Identity> = plan.identities.iter().map(|(key, _)| key).collect();
    addresses.keep(&mut tx, &new, app).await?;
    // The new keys hold their persons from here on; who was erased just before gets none.
    let known: Vec<PersonId> = plan.identities.iter().map(|(_, person)| *person).collect();
    if rights::store::first_erased(&mut tx, &known).await?.is_some() {
        return Ok(None);
    }
    let facts: Vec<(String, PersonCreated)> = plan
        .persons
        .iter()
        .map(|id| (id.to_string(), PersonCreated { person_id: id.to_string() }))
        .collect();
    publish_all(app, &mut tx, ctx, &facts).await?;
    let of_member = |(key, _): &&(Identity, PersonId)| key.makes_member();
    let members = plan.identities.iter().filter(of_member).map(|(_, person)| *person);
    stage::refresh(app, &mut tx, members, ctx.now).await?;
    tx.commit().await?;
    Ok(Some(plan))
}

async fn get(app: &App, ctx: Ctx, request: GetPersonRequest) -> Result<GetPersonResponse, Fault> {
    let id = parse::id("person_id", &request.person_id)?;
    let keys = vault::keys(app, ctx.merchant()?).await?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let id = canonical(&mut tx, id).await?;
    Ok(GetPersonResponse { person: Some(load(&mut tx, &ctx, &keys, id).await?) })
}

async fn find(
    app: &App,
    ctx: Ctx,
    request: FindPersonRequest,
) -> Result<FindPersonResponse, Fault> {
    let key = Identity::read("identity", &request.identity.unwrap_or_default())?;
    let keys = vault::keys(app, ctx.merchant()?).await?;
    let key = address::conceal(&keys, key);
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let holders = store::holders(&mut tx, &[&key]).await?;
    let id = *holders.get(&key).ok_or_else(|| Fault::not_found("person"))?;
    Ok(FindPersonResponse { person: Some(load(&mut tx, &ctx, &keys, id).await?) })
}

async fn list(
    app: &App,
    ctx: Ctx,
    request: ListPersonsRequest,
) -> Result<ListPersonsResponse, Fault> {
    let filter = request.growth_min.to_be_bytes();
    let page = page::Request::<Uuid>::parse(
        request.page_size,
        &request.page_token,
        limits::PAGE,
        &filter,
    )?;
    let keys = vault::keys(app, ctx.merchant()?).await?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let rows = store::list(&mut tx, request.growth_min, page.after, page.fetch()).await?;
    let page = page.page(rows, |person| person.id.uuid());
    Ok(ListPersonsResponse {
        persons: show(&mut tx, &ctx, &keys, page.items).await?,
        next_page_token: page.next_token,
    })
}

async fn load(tx: &mut Tx, ctx: &Ctx, keys: &Keys, id: PersonId) -> Result<proto::Person, Fault> {
    let person = store::find(tx, id).await?.ok_or_else(|| Fault::not_found("person"))?;
    Ok(show(tx, ctx, keys, vec![person]).await?.remove(0))
}

async fn show(
    tx: &mut Tx,
    ctx: &Ctx,
    keys: &Keys,
    persons: Vec<Person>,
) -> Result<Vec<proto::Person>, Fault> {
    let ids: Vec<PersonId> = persons.iter().map(|person| person.id).collect();
    let mut identities = store::identities(tx, &ids).await?;
    let addresses = address::open(tx, keys, identities.values().flatten()).await?;
    let points: HashMap<PersonId, account::Points> = account::points(tx, &ids, ctx.now).await?;
    let show_one = |person: Person| {
        let points = points.get(&person.id).copied().unwrap_or_default();
        proto::Person {
            id: person.id.to_string(),
            create_time: Some(parse::timestamp(person.created_at)),
            identities: identities
                .remove(&person.id)
                .unwrap_or_default()
                .iter()
                .map(|key| key.masked(addresses.get(key).map(String::as_str)))
                .collect(),
            growth: person.growth,
            tier: person.tier,
            points_available: points.available,
            points_total: points.total,
        }
    };
    Ok(persons.into_iter().map(show_one).collect())
}
