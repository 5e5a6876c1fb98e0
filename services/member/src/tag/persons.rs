//! The RPCs about who carries which tag.

use std::collections::{BTreeMap, BTreeSet};

use siyu_grpc::{Ctx, parse};
use siyu_kernel::Fault;
use siyu_pg::{Tx, page};
use siyu_proto::member::v1::{
    self as proto, ListPersonTagsRequest, ListPersonTagsResponse, ListTagPersonsRequest,
    ListTagPersonsResponse, PersonTagsChanged, TagPersonsRequest, TagPersonsResponse,
    UntagPersonsRequest, UntagPersonsResponse,
};
use uuid::Uuid;

use super::{
    Error, Tag, TagId, TagKind,
    store::{self, persons as carried},
};
use crate::{
    App, limits,
    person::{self, PersonId},
    publish_all, rights,
};

/// Lets persons carry tags.
pub(super) async fn add(
    app: &App,
    ctx: Ctx,
    request: TagPersonsRequest,
) -> Result<TagPersonsResponse, Fault> {
    let expires_at = parse::optional_instant("expire_time", request.expire_time)?;
    if expires_at.is_some_and(|at| at <= ctx.now) {
        return Err(Fault::field("expire_time", "must be in the future"));
    }
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    let (persons, tags) = named(&mut tx, &request.person_ids, &request.tag_ids).await?;
    let held: Vec<PersonId> = persons.iter().copied().collect();
    rights::refuse_any_erased(&mut tx, &held).await?;
    check_exclusive(&mut tx, &tags).await?;
    let pairs = pairs(&persons, &tags);
    let news: BTreeSet<PersonId> =
        carried::add(&mut tx, &pairs, &request.source, expires_at, ctx.now)
            .await?
            .into_iter()
            .collect();
    let changed: Vec<PersonId> = news.into_iter().collect();
    carried::keep_latest_of_exclusive(&mut tx, &changed, ctx.now).await?;
    let most = limits::PERSON_TAGS_MAX;
    if !carried::full(&mut tx, &changed, most + 1, ctx.now).await?.is_empty() {
        return Err(Error::TooManyOfPerson.into());
    }
    super::mark(&mut tx, &changed).await?;
    tell(app, &mut tx, &ctx, &changed).await?;
    tx.commit().await?;
    Ok(TagPersonsResponse { changed: count(&changed) })
}

/// Takes tags from persons.
pub(super) async fn remove(
    app: &App,
    ctx: Ctx,
    request: UntagPersonsRequest,
) -> Result<UntagPersonsResponse, Fault> {
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    let (persons, tags) = named(&mut tx, &request.person_ids, &request.tag_ids).await?;
    let had: BTreeSet<PersonId> =
        carried::remove(&mut tx, &pairs(&persons, &tags)).await?.into_iter().collect();
    let changed: Vec<PersonId> = had.into_iter().collect();
    super::mark(&mut tx, &changed).await?;
    tell(app, &mut tx, &ctx, &changed).await?;
    tx.commit().await?;
    Ok(UntagPersonsResponse { changed: count(&changed) })
}

/// The persons and the tags that a request names, held until the end of the transaction.
async fn named(
    tx: &mut Tx,
    person_ids: &[String],
    tag_ids: &[String],
) -> Result<(BTreeSet<PersonId>, Vec<Tag>), Fault> {
    let mut ids: Vec<PersonId> = Vec::with_capacity(person_ids.len());
    for (i, id) in person_ids.iter().enumerate() {
        ids.push(parse::id(&format!("person_ids[{i}]"), id)?);
    }
    let mut wanted: BTreeSet<TagId> = BTreeSet::new();
    for (i, id) in tag_ids.iter().enumerate() {
        wanted.insert(parse::id(&format!("tag_ids[{i}]"), id)?);
    }
    let known = person::hold_all(tx, &ids).await?;
    if ids.iter().any(|id| !known.contains_key(id)) {
        return Err(Fault::not_found("person"));
    }
    let wanted: Vec<TagId> = wanted.into_iter().collect();
    let tags = store::share(tx, &wanted).await?;
    if tags.len() < wanted.len() {
        return Err(Fault::not_found("tag"));
    }
    if tags.iter().any(|tag| tag.kind == TagKind::Rule) {
        return Err(Error::ByRule.into());
    }
    Ok((known.into_values().collect(), tags))
}

async fn check_exclusive(tx: &mut Tx, tags: &[Tag]) -> Result<(), Fault> {
    let mut groups = BTreeMap::new();
    for group in tags.iter().filter_map(|tag| tag.group_id) {
        *groups.entry(group).or_insert(0) += 1;
    }
    for (group, _) in groups.into_iter().filter(|(_, tags)| *tags > 1) {
        if store::find_group(tx, group).await?.is_some_and(|group| group.exclusive) {
            return Err(Error::Exclusive.into());
        }
    }
    Ok(())
}

/// Every person with every tag, in the order of the ids.
fn pairs(persons: &BTreeSet<PersonId>, tags: &[Tag]) -> Vec<(PersonId, TagId)> {
    let with = |&person| tags.iter().map(move |tag| (person, tag.id));
    persons.iter().flat_map(with).collect()
}

fn count(persons: &[PersonId]) -> i32 {
    i32::try_from(persons.len()).expect("at most 1000")
}

/// Tells what persons carry now.
async fn tell(app: &App, tx: &mut Tx, ctx: &Ctx, persons: &[PersonId]) -> Result<(), Fault> {
    let mut tags: BTreeMap<PersonId, Vec<String>> =
        persons.iter().map(|&person| (person, Vec::new())).collect();
    for tag in carried::of_persons(tx, persons).await? {
        if tag.expires_at.is_none_or(|at| at > ctx.now)
            && let Some(tags) = tags.get_mut(&tag.person_id)
        {
            tags.push(tag.tag_id.to_string());
        }
    }
    let fact = |(person, tag_ids): (PersonId, Vec<String>)| {
        let person_id = person.to_string();
        (person_id.clone(), PersonTagsChanged { person_id, tag_ids })
    };
    let facts: Vec<(String, PersonTagsChanged)> = tags.into_iter().map(fact).collect();
    Ok(publish_all(app, tx, ctx, &facts).await?)
}

/// Lists the tags of a person.
pub(super) async fn list_tags(
    app: &App,
    ctx: Ctx,
    request: ListPersonTagsRequest,
) -> Result<ListPersonTagsResponse, Fault> {
    let named = parse::id("person_id", &request.person_id)?;
    let filter = request.person_id.as_bytes();
    let page =
        page::Request::<Uuid>::parse(request.page_size, &request.page_token, limits::PAGE, filter)?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let person = person::canonical(&mut tx, named).await?;
    let rows = carried::list(&mut tx, person, ctx.now, page.after, page.fetch()).await?;
    let page = page.page(rows, |tag| tag.tag_id.uuid());
    Ok(ListPersonTagsResponse {
        tags: page.items.into_iter().map(Into::into).collect(),
        next_page_token: page.next_token,
    })
}

impl From<carried::PersonTag> for proto::PersonTag {
    fn from(tag: carried::PersonTag) -> Self {
        Self {
            tag_id: tag.tag_id.to_string(),
            source: tag.source,
            tag_time: Some(parse::timestamp(tag.tagged_at)),
            expire_time: tag.expires_at.map(parse::timestamp),
        }
    }
}

/// Lists the persons of a tag.
pub(super) async fn list_persons(
    app: &App,
    ctx: Ctx,
    request: ListTagPersonsRequest,
) -> Result<ListTagPersonsResponse, Fault> {
    let id = parse::id("tag_id", &request.tag_id)?;
    let filter = request.tag_id.as_bytes();
    let page =
        page::Request::<Uuid>::parse(request.page_size, &request.page_token, limits::PAGE, filter)?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    store::find(&mut tx, id).await?.ok_or_else(|| Fault::not_found("tag"))?;
    let rows = carried::carriers(&mut tx, id, ctx.now, page.after, page.fetch()).await?;
    let page = page.page(rows, |person| person.uuid());
    Ok(ListTagPersonsResponse {
        person_ids: page.items.iter().map(ToString::to_string).collect(),
        next_page_token: page.next_token,
    })
}
