//! The RPCs of the blacklist.

use std::collections::{BTreeSet, HashSet};

use siyu_grpc::{Ctx, parse, serve};
use siyu_kernel::{Fault, Id};
use siyu_pg::{page, replay};
use siyu_proto::member::v1::{
    self as proto, BlacklistScope, CheckBlacklistRequest, CheckBlacklistResponse,
    CreateBlacklistEntryRequest, CreateBlacklistEntryResponse, DeleteBlacklistEntryRequest,
    DeleteBlacklistEntryResponse, ListBlacklistEntriesRequest, ListBlacklistEntriesResponse,
    blacklist_service_server::BlacklistService,
};
use tonic::{Request, Response, Status, async_trait};
use uuid::Uuid;

use super::{Entry, EntryId, Scope, Target, store};
use crate::{
    App, limits,
    person::{self, PersonId, address, domain::Identity},
    vault::{self, Keys, Place},
};

const CREATE: &str = "siyu.member.v1.BlacklistService/CreateBlacklistEntry";

#[async_trait]
impl BlacklistService for App {
    async fn create_blacklist_entry(
        &self,
        request: Request<CreateBlacklistEntryRequest>,
    ) -> Result<Response<CreateBlacklistEntryResponse>, Status> {
        serve(request, |ctx, message| create(self, ctx, message)).await
    }

    async fn delete_blacklist_entry(
        &self,
        request: Request<DeleteBlacklistEntryRequest>,
    ) -> Result<Response<DeleteBlacklistEntryResponse>, Status> {
        serve(request, |ctx, message| delete(self, ctx, message)).await
    }

    async fn list_blacklist_entries(
        &self,
        request: Request<ListBlacklistEntriesRequest>,
    ) -> Result<Response<ListBlacklistEntriesResponse>, Status> {
        serve(request, |ctx, message| list(self, ctx, message)).await
    }

    async fn check_blacklist(
        &self,
        request: Request<CheckBlacklistRequest>,
    ) -> Result<Response<CheckBlacklistResponse>, Status> {
        serve(request, |ctx, message| check(self, ctx, message)).await
    }
}

async fn create(
    app: &App,
    ctx: Ctx,
    request: CreateBlacklistEntryRequest,
) -> Result<CreateBlacklistEntryResponse, Fault> {
    let asked = request.entry.clone().unwrap_or_default();
    let keys = vault::keys(app, ctx.merchant()?).await?;
    let (target, scope, expires_at) = read(&ctx, &keys, &asked)?;
    let print = keys.fingerprint(&request);
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    let first =
        replay::find::<CreateBlacklistEntryResponse>(&mut tx, CREATE, &request.request_id, &print);
    if let Some(reply) = first.await? {
        // Only the id was kept: a reply holds what must not stand in clear.
        let id = parse::id("entry.id", &reply.entry.unwrap_or_default().id)?;
        let entry = store::find(&mut tx, id).await?.ok_or_else(|| Fault::not_found("entry"))?;
        return Ok(CreateBlacklistEntryResponse { entry: Some(show(&keys, &entry)?) });
    }
    let target = match target {
        Target::Person(person) => Target::Person(person::hold(&mut tx, person).await?),
        Target::Key(key) => Target::Key(key),
    };
    let id: EntryId = Id::from_uuid(app.ids.uuid());
    let row = id.to_string();
    let reason = Some(keys.seal(place(&row), &asked.reason));
    let created_by = ctx.subject.to_string();
    let entry = Entry { id, target, scope, reason, expires_at, created_by, created_at: ctx.now };
    store::insert(&mut tx, &entry).await?;
    let kept = proto::BlacklistEntry { id: row, ..Default::default() };
    let kept = CreateBlacklistEntryResponse { entry: Some(kept) };
    replay::keep(&mut tx, CREATE, &request.request_id, &kept).await?;
    tx.commit().await?;
    Ok(CreateBlacklistEntryResponse { entry: Some(show(&keys, &entry)?) })
}

type Read = (Target, Scope, Option<chrono::DateTime<chrono::Utc>>);

fn read(ctx: &Ctx, keys: &Keys, entry: &proto::BlacklistEntry) -> Result<Read, Fault> {
    let scope = Scope::read(entry.scope)
        .ok_or_else(|| Fault::field("entry.scope", "is not a known value"))?;
    let target = match (entry.person_id.is_empty(), &entry.key) {
        (false, None) => Target::Person(parse::id("entry.person_id", &entry.person_id)?),
        (true, Some(key)) => Target::Key(address::conceal(keys, Identity::read("entry.key", key)?)),
        (_, _) => return Err(Fault::field("entry.person_id", "is given, or the key, not both")),
    };
    let expires_at = parse::optional_instant("entry.expire_time", entry.expire_time)?;
    if expires_at.is_some_and(|at| at <= ctx.now) {
        return Err(Fault::field("entry.expire_time", "must be in the future"));
    }
    Ok((target, scope, expires_at))
}

async fn delete(
    app: &App,
    ctx: Ctx,
    request: DeleteBlacklistEntryRequest,
) -> Result<DeleteBlacklistEntryResponse, Fault> {
    let id = parse::id("entry_id", &request.entry_id)?;
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    if !store::delete(&mut tx, id, ctx.now).await? {
        return Err(Fault::not_found("entry"));
    }
    tx.commit().await?;
    Ok(DeleteBlacklistEntryResponse {})
}

async fn list(
    app: &App,
    ctx: Ctx,
    request: ListBlacklistEntriesRequest,
) -> Result<ListBlacklistEntriesResponse, Fault> {
    let asked = parse::optional_id("person_id", &request.person_id)?;
    let page = page::Request::<Uuid>::parse(
        request.page_size,
        &request.page_token,
        limits::PAGE,
        request.person_id.as_bytes(),
    )?;
    let keys = vault::keys(app, ctx.merchant()?).await?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let rows = match asked {
        None => store::list(&mut tx, ctx.now, page.after, page.fetch()).await?,
        Some(id) => {
            let id = person::canonical(&mut tx, id).await?;
            let mut rows = of_person(&mut tx, id, ctx.now).await?;
            rows.retain(|entry| page.after.is_none_or(|after| entry.id.uuid() < after));
            rows.truncate(usize::try_from(page.fetch()).expect("pages have a bound"));
            rows
        }
    };
    let page = page.page(rows, |entry| entry.id.uuid());
    Ok(ListBlacklistEntriesResponse {
        entries: page.items.iter().map(|entry| show(&keys, entry)).collect::<Result<_, _>>()?,
        next_page_token: page.next_token,
    })
}

/// The entries in force that concern a person, newest first.
pub(crate) async fn of_person(
    tx: &mut siyu_pg::Tx,
    id: PersonId,
    now: chrono::DateTime<chrono::Utc>,
) -> Result<Vec<Entry>, Fault> {
    let mut entries = Vec::new();
    for (_, entry, _) in store::concerning(tx, &[id], now).await? {
        entries.extend(store::find(tx, entry).await?);
    }
    Ok(entries)
}

/// An entry as it is shown.
pub(crate) fn show(keys: &Keys, entry: &Entry) -> Result<proto::BlacklistEntry, Fault> {
    let row = entry.id.to_string();
    let reason = match &entry.reason {
        Some(sealed) => keys.open(place(&row), sealed)?,
        None => String::new(),
    };
    let (person_id, key) = match &entry.target {
        Target::Person(person) => (person.to_string(), None),
        Target::Key(key) => (String::new(), Some(key.masked(None))),
    };
    Ok(proto::BlacklistEntry {
        id: entry.id.to_string(),
        person_id,
        key,
        scope: BlacklistScope::from(entry.scope).into(),
        reason,
        expire_time: entry.expires_at.map(parse::timestamp),
        create_time: Some(parse::timestamp(entry.created_at)),
        created_by: entry.created_by.clone(),
    })
}

fn place(row: &str) -> Place<'_> {
    Place { kind: "blacklist.reason", row }
}

async fn check(
    app: &App,
    ctx: Ctx,
    request: CheckBlacklistRequest,
) -> Result<CheckBlacklistResponse, Fault> {
    let scope =
        Scope::read(request.scope).ok_or_else(|| Fault::field("scope", "is not a known value"))?;
    let read = |(i, id): (usize, &String)| parse::id(&format!("person_ids[{i}]"), id);
    let asked: Vec<PersonId> =
        request.person_ids.iter().enumerate().map(read).collect::<Result<_, _>>()?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let known = person::canonical_all(&mut tx, &asked).await?;
    let persons: BTreeSet<PersonId> = known.values().copied().collect();
    let persons: Vec<PersonId> = persons.into_iter().collect();
    let listed: HashSet<PersonId> = store::concerning(&mut tx, &persons, ctx.now)
        .await?
        .into_iter()
        .filter(|(_, _, of)| *of == scope || *of == Scope::All)
        .map(|(person, _, _)| person)
        .collect();
    let is_listed = |id: &PersonId| known.get(id).is_some_and(|person| listed.contains(person));
    Ok(CheckBlacklistResponse { listed: asked.iter().map(is_listed).collect() })
}
