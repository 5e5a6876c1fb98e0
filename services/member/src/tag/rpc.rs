//! The RPCs of tags and their groups.

use prost::Message as _;
use siyu_grpc::{Ctx, parse, serve};
use siyu_kernel::{Fault, Id};
use siyu_pg::{Tx, page, replay};
use siyu_proto::member::v1::{
    self as proto, ComputeTagRequest, ComputeTagResponse, CreateTagGroupRequest,
    CreateTagGroupResponse, CreateTagRequest, CreateTagResponse, DeleteTagRequest,
    DeleteTagResponse, GetTagRequest, GetTagResponse, ListPersonTagsRequest,
    ListPersonTagsResponse, ListTagGroupsRequest, ListTagGroupsResponse, ListTagPersonsRequest,
    ListTagPersonsResponse, ListTagsRequest, ListTagsResponse, TagPersonsRequest,
    TagPersonsResponse, UntagPersonsRequest, UntagPersonsResponse, UpdateTagRequest,
    UpdateTagResponse, tag_service_server::TagService,
};
use tonic::{Request, Response, Status, async_trait};
use uuid::Uuid;

use super::{Error, Tag, TagGroup, TagId, TagKind, persons, store};
use crate::{
    App,
    audience::terms,
    filter, limits,
    vault::{self, Keys},
};

const CREATE: &str = "siyu.member.v1.TagService/CreateTag";
const CREATE_GROUP: &str = "siyu.member.v1.TagService/CreateTagGroup";

#[async_trait]
impl TagService for App {
    async fn create_tag_group(
        &self,
        request: Request<CreateTagGroupRequest>,
    ) -> Result<Response<CreateTagGroupResponse>, Status> {
        serve(request, |ctx, message| create_group(self, ctx, message)).await
    }

    async fn list_tag_groups(
        &self,
        request: Request<ListTagGroupsRequest>,
    ) -> Result<Response<ListTagGroupsResponse>, Status> {
        serve(request, |ctx, message| list_groups(self, ctx, message)).await
    }

    async fn create_tag(
        &self,
        request: Request<CreateTagRequest>,
    ) -> Result<Response<CreateTagResponse>, Status> {
        serve(request, |ctx, message| create(self, ctx, message)).await
    }

    async fn update_tag(
        &self,
        request: Request<UpdateTagRequest>,
    ) -> Result<Response<UpdateTagResponse>, Status> {
        serve(request, |ctx, message| update(self, ctx, message)).await
    }

    async fn delete_tag(
        &self,
        request: Request<DeleteTagRequest>,
    ) -> Result<Response<DeleteTagResponse>, Status> {
        serve(request, |ctx, message| delete(self, ctx, message)).await
    }

    async fn get_tag(
        &self,
        request: Request<GetTagRequest>,
    ) -> Result<Response<GetTagResponse>, Status> {
        serve(request, |ctx, message| get(self, ctx, message)).await
    }

    async fn list_tags(
        &self,
        request: Request<ListTagsRequest>,
    ) -> Result<Response<ListTagsResponse>, Status> {
        serve(request, |ctx, message| list(self, ctx, message)).await
    }

    async fn compute_tag(
        &self,
        request: Request<ComputeTagRequest>,
    ) -> Result<Response<ComputeTagResponse>, Status> {
        serve(request, |ctx, message| compute(self, ctx, message)).await
    }

    async fn tag_persons(
        &self,
        request: Request<TagPersonsRequest>,
    ) -> Result<Response<TagPersonsResponse>, Status> {
        serve(request, |ctx, message| persons::add(self, ctx, message)).await
    }

    async fn untag_persons(
        &self,
        request: Request<UntagPersonsRequest>,
    ) -> Result<Response<UntagPersonsResponse>, Status> {
        serve(request, |ctx, message| persons::remove(self, ctx, message)).await
    }

    async fn list_person_tags(
        &self,
        request: Request<ListPersonTagsRequest>,
    ) -> Result<Response<ListPersonTagsResponse>, Status> {
        serve(request, |ctx, message| persons::list_tags(self, ctx, message)).await
    }

    async fn list_tag_persons(
        &self,
        request: Request<ListTagPersonsRequest>,
    ) -> Result<Response<ListTagPersonsResponse>, Status> {
        serve(request, |ctx, message| persons::list_persons(self, ctx, message)).await
    }
}

async fn create_group(
    app: &App,
    ctx: Ctx,
    request: CreateTagGroupRequest,
) -> Result<CreateTagGroupResponse, Fault> {
    let wanted = request.group.clone().unwrap_or_default();
    let group = TagGroup {
        id: Id::from_uuid(app.ids.uuid()),
        name: wanted.name,
        exclusive: wanted.exclusive,
        created_at: ctx.now,
    };
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    if let Some(reply) = replay::find(&mut tx, CREATE_GROUP, &request.request_id, &request).await? {
        return Ok(reply);
    }
    let (_, groups) = store::lock_counts(&mut tx).await?;
    if groups >= limits::TAG_GROUPS_MAX {
        return Err(Error::TooManyGroups.into());
    }
    store::insert_group(&mut tx, &group).await?;
    let reply = CreateTagGroupResponse { group: Some(group.into()) };
    replay::keep(&mut tx, CREATE_GROUP, &request.request_id, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}

async fn list_groups(
    app: &App,
    ctx: Ctx,
    request: ListTagGroupsRequest,
) -> Result<ListTagGroupsResponse, Fault> {
    let page =
        page::Request::<Uuid>::parse(request.page_size, &request.page_token, limits::PAGE, b"")?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let rows = store::list_groups(&mut tx, page.after, page.fetch()).await?;
    let page = page.page(rows, |group| group.id.uuid());
    Ok(ListTagGroupsResponse {
        groups: page.items.into_iter().map(Into::into).collect(),
        next_page_token: page.next_token,
    })
}

async fn create(
    app: &App,
    ctx: Ctx,
    request: CreateTagRequest,
) -> Result<CreateTagResponse, Fault> {
    let wanted = request.tag.clone().unwrap_or_default();
    let kind = TagKind::read(wanted.kind)
        .ok_or_else(|| Fault::field("tag.kind", "is not a known value"))?;
    let group_id = parse::optional_id("tag.group_id", &wanted.group_id)?;
    let keys = vault::keys(app, ctx.merchant()?).await?;
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    if let Some(reply) = replay::find(&mut tx, CREATE, &request.request_id, &request).await? {
        return Ok(reply);
    }
    let rule = rule(&mut tx, &ctx, &keys, kind, wanted.rule).await?;
    let (tags, _) = store::lock_counts(&mut tx).await?;
    if tags >= limits::TAGS_MAX {
        return Err(Error::TooMany.into());
    }
    if let (Some(group), TagKind::Rule) = (group_id, kind) {
        let group = store::find_group(&mut tx, group).await?;
        if group.ok_or(Error::GroupNotFound)?.exclusive {
            // Two rules may hold for one person, and neither is the later one.
            return Err(Fault::field("tag.group_id", "a tag with a rule has no exclusive group"));
        }
    }
    let tag = Tag {
        id: Id::from_uuid(app.ids.uuid()),
        group_id,
        name: wanted.name,
        kind,
        due_at: rule.is_some().then_some(ctx.now),
        rule,
        computed_at: None,
        created_at: ctx.now,
    };
    store::insert(&mut tx, &tag).await?;
    let reply = CreateTagResponse { tag: Some(tag.show()?) };
    replay::keep(&mut tx, CREATE, &request.request_id, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}

/// The rule of a tag of a kind, encoded after it was read once.
async fn rule(
    tx: &mut Tx,
    ctx: &Ctx,
    keys: &Keys,
    kind: TagKind,
    rule: Option<proto::Filter>,
) -> Result<Option<Vec<u8>>, Fault> {
    match (kind, rule) {
        (TagKind::Rule, Some(rule)) => {
            let terms = terms(tx, keys, ctx.now).await?;
            filter::read(&rule, "tag.rule", &terms)?;
            Ok(Some(rule.encode_to_vec()))
        }
        (TagKind::Rule, None) => Err(Fault::field("tag.rule", "is required for this kind")),
        (TagKind::Manual | TagKind::System, Some(_)) => {
            Err(Fault::field("tag.rule", "must be absent for this kind"))
        }
        (TagKind::Manual | TagKind::System, None) => Ok(None),
    }
}

async fn lock(tx: &mut Tx, id: TagId) -> Result<Tag, Fault> {
    store::lock(tx, &[id]).await?.pop().ok_or_else(|| Fault::not_found("tag"))
}

async fn update(
    app: &App,
    ctx: Ctx,
    request: UpdateTagRequest,
) -> Result<UpdateTagResponse, Fault> {
    let id = parse::id("tag_id", &request.tag_id)?;
    let wanted = request.tag.unwrap_or_default();
    let keys = vault::keys(app, ctx.merchant()?).await?;
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    let mut tag = lock(&mut tx, id).await?;
    let rule = rule(&mut tx, &ctx, &keys, tag.kind, wanted.rule).await?;
    if tag.rule != rule {
        tag.due_at = rule.is_some().then_some(ctx.now);
        tag.rule = rule;
    }
    tag.name = wanted.name;
    store::save(&mut tx, &tag).await?;
    tx.commit().await?;
    Ok(UpdateTagResponse { tag: Some(tag.show()?) })
}

async fn delete(
    app: &App,
    ctx: Ctx,
    request: DeleteTagRequest,
) -> Result<DeleteTagResponse, Fault> {
    let id = parse::id("tag_id", &request.tag_id)?;
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    lock(&mut tx, id).await?;
    store::delete(&mut tx, id).await?;
    tx.commit().await?;
    Ok(DeleteTagResponse {})
}

async fn get(app: &App, ctx: Ctx, request: GetTagRequest) -> Result<GetTagResponse, Fault> {
    let id = parse::id("tag_id", &request.tag_id)?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let tag = store::find(&mut tx, id).await?.ok_or_else(|| Fault::not_found("tag"))?;
    Ok(GetTagResponse { tag: Some(tag.show()?) })
}

async fn list(app: &App, ctx: Ctx, request: ListTagsRequest) -> Result<ListTagsResponse, Fault> {
    let page =
        page::Request::<Uuid>::parse(request.page_size, &request.page_token, limits::PAGE, b"")?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let rows = store::list(&mut tx, page.after, page.fetch()).await?;
    let page = page.page(rows, |tag| tag.id.uuid());
    Ok(ListTagsResponse {
        tags: page.items.into_iter().map(Tag::show).collect::<Result<_, _>>()?,
        next_page_token: page.next_token,
    })
}

async fn compute(
    app: &App,
    ctx: Ctx,
    request: ComputeTagRequest,
) -> Result<ComputeTagResponse, Fault> {
    let id = parse::id("tag_id", &request.tag_id)?;
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    let mut tag = lock(&mut tx, id).await?;
    if tag.rule.is_none() {
        return Err(Error::WithoutRule.into());
    }
    tag.due_at = Some(ctx.now);
    store::save(&mut tx, &tag).await?;
    tx.commit().await?;
    Ok(ComputeTagResponse {})
}
