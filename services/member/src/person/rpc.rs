//! The RPCs of persons.

use std::collections::HashMap;

use siyu_grpc::{Ctx, parse, serve, serve_each};
use siyu_kernel::Fault;
use siyu_pg::{Tx, page};
use siyu_proto::member::v1::{
    self as proto, FindPersonRequest, FindPersonResponse, GetPersonRequest, GetPersonResponse,
    IdentitySet, ListPersonsRequest, ListPersonsResponse, PersonSort, ResolvePersonsRequest,
    ResolvePersonsResponse, StreamResolvePersonsRequest, StreamResolvePersonsResponse,
    person_service_server::PersonService,
};
use tonic::{Request, Response, Status, Streaming, async_trait};

use super::{
    Person, PersonId,
    address::{self, Addresses},
    domain::Identity,
    resolution::{Key, Resolved},
    resolve,
    store::{
        self,
        list::{self, Listed, Place, Sort},
    },
};
use crate::{
    App, account, limits,
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

    type StreamResolvePersonsStream = siyu_grpc::Replies<StreamResolvePersonsResponse>;

    async fn stream_resolve_persons(
        &self,
        request: Request<Streaming<StreamResolvePersonsRequest>>,
    ) -> Result<Response<Self::StreamResolvePersonsStream>, Status> {
        let app = self.clone();
        serve_each(request, move |ctx, message: StreamResolvePersonsRequest| {
            let app = app.clone();
            async move {
                let persons = resolve_sets(&app, &ctx, &message.sets).await?;
                Ok::<_, Fault>(StreamResolvePersonsResponse { persons })
            }
        })
        .await
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
    Ok(ResolvePersonsResponse { persons: resolve_sets(app, &ctx, &request.sets).await? })
}

/// Who is behind each set, in their order.
async fn resolve_sets(
    app: &App,
    ctx: &Ctx,
    asked: &[IdentitySet],
) -> Result<Vec<proto::ResolvedPerson>, Fault> {
    let mut addresses = Addresses::new(vault::keys(app, ctx.merchant()?).await?);
    let mut sets = Vec::with_capacity(asked.len());
    for (i, set) in asked.iter().enumerate() {
        let mut keys = Vec::with_capacity(set.identities.len());
        for (j, identity) in set.identities.iter().enumerate() {
            let key = read_key(&format!("sets[{i}].identities[{j}]"), identity)?;
            let conceal = |key: Key| Key { identity: addresses.conceal(key.identity), ..key };
            keys.extend(key.map(conceal));
        }
        if keys.is_empty() {
            let description = "must hold a key that is verified";
            return Err(Fault::field(format!("sets[{i}].identities"), description));
        }
        sets.push(keys);
    }
    let plan = resolve::resolve(app, ctx, &sets, &addresses).await?;
    let answer = |answer: Resolved| proto::ResolvedPerson {
        person_id: answer.person.to_string(),
        created: answer.created,
        conflict: answer.conflict,
        merged_person_ids: answer.merged.iter().map(ToString::to_string).collect(),
    };
    Ok(plan.answers.into_iter().map(answer).collect())
}

/// Reads a key; none for one that nobody verified, which is of no weight.
fn read_key(field: &str, identity: &proto::Identity) -> Result<Option<Key>, Fault> {
    let wrong = |name: &str, text: &str| Fault::field(format!("{field}.{name}"), text);
    let time = identity.verify_time;
    if identity.unverified {
        let kinds = [proto::IdentityKind::Phone, proto::IdentityKind::Email];
        if !kinds.contains(&identity.kind()) {
            return Err(wrong("unverified", "is for phones and addresses only"));
        }
        if time.is_some() {
            return Err(wrong("verify_time", "must not be set for an unverified key"));
        }
        return Ok(None);
    }
    let verified_at = parse::optional_instant(&format!("{field}.verify_time"), time)?;
    Ok(Some(Key { identity: Identity::read(field, identity)?, verified_at }))
}

async fn get(app: &App, ctx: Ctx, request: GetPersonRequest) -> Result<GetPersonResponse, Fault> {
    let id = parse::id("person_id", &request.person_id)?;
    if request.brief {
        let mut tx = app.db.tenant_lookup(ctx.merchant()?).await?;
        let person = store::find(&mut tx, id).await?.ok_or_else(|| Fault::not_found("person"))?;
        return Ok(GetPersonResponse { person: Some(show_brief(&person)) });
    }
    let keys = vault::keys(app, ctx.merchant()?).await?;
    let mut tx = app.db.tenant_lookup(ctx.merchant()?).await?;
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
    let mut tx = app.db.tenant_lookup(ctx.merchant()?).await?;
    let holders = store::holders(&mut tx, &[&key]).await?;
    let id = holders.get(&key).ok_or_else(|| Fault::not_found("person"))?.person;
    Ok(FindPersonResponse { person: Some(load(&mut tx, &ctx, &keys, id).await?) })
}

async fn list(
    app: &App,
    ctx: Ctx,
    request: ListPersonsRequest,
) -> Result<ListPersonsResponse, Fault> {
    let sort = match PersonSort::try_from(request.sort) {
        Ok(PersonSort::Unspecified) => Sort::Oldest,
        Ok(PersonSort::Newest) => Sort::Newest,
        Ok(PersonSort::Growth) => Sort::Growth,
        Err(_) => return Err(Fault::field("sort", "is not a known value")),
    };
    let listed = Listed { sort, growth_min: request.growth_min, tier_min: request.tier_min };
    let filter = format!("{listed:?}");
    let page = page::Request::<Place>::parse(
        request.page_size,
        &request.page_token,
        limits::PAGE,
        filter.as_bytes(),
    )?;
    let keys = vault::keys(app, ctx.merchant()?).await?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let rows = list::list(&mut tx, listed, page.after, page.fetch()).await?;
    let page = page.page(rows, |person| (person.growth, person.id.uuid()));
    Ok(ListPersonsResponse {
        persons: show(&mut tx, &ctx, &keys, page.items).await?,
        next_page_token: page.next_token,
    })
}

/// The person behind an id as it may be shown.
pub(crate) async fn load(
    tx: &mut Tx,
    ctx: &Ctx,
    keys: &Keys,
    id: PersonId,
) -> Result<proto::Person, Fault> {
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
    let mut identities = address::of(tx, keys, &ids).await?;
    let points: HashMap<PersonId, account::Points> = account::points(tx, &ids, ctx.now).await?;
    let show_one = |person: Person| {
        let points = points.get(&person.id).copied().unwrap_or_default();
        proto::Person {
            identities: identities
                .remove(&person.id)
                .unwrap_or_default()
                .iter()
                .map(|(key, address)| key.masked(address.as_deref()))
                .collect(),
            points_available: points.available,
            points_total: points.total,
            ..show_brief(&person)
        }
    };
    Ok(persons.into_iter().map(show_one).collect())
}

/// A person without keys and points.
fn show_brief(person: &Person) -> proto::Person {
    proto::Person {
        id: person.id.to_string(),
        create_time: Some(parse::timestamp(person.created_at)),
        growth: person.growth,
        tier: person.tier,
        ..proto::Person::default()
    }
}
