//! The RPCs of audiences.

use prost::Message as _;
use siyu_grpc::{Ctx, Replies, parse, serve, serve_stream};
use siyu_kernel::{Fault, Id};
use siyu_pg::{page, replay};
use siyu_proto::member::v1::{
    self as proto, CountAudienceRequest, CountAudienceResponse, CreateAudienceRequest,
    CreateAudienceResponse, DeleteAudienceRequest, DeleteAudienceResponse, DescribeFieldsRequest,
    DescribeFieldsResponse, GetAudienceRequest, GetAudienceResponse, ListAudienceMembersRequest,
    ListAudienceMembersResponse, ListAudiencesRequest, ListAudiencesResponse,
    SnapshotAudienceRequest, SnapshotAudienceResponse, StreamAudienceMembersRequest,
    StreamAudienceMembersResponse, UpdateAudienceRequest, UpdateAudienceResponse,
    audience_service_server::AudienceService,
};
use tonic::{Request, Response, Status, async_trait};
use uuid::Uuid;

use super::{Audience, Snapshot, members, node, store, terms};
use crate::{
    App,
    filter::{self, catalogue::FIELDS},
    limits, vault,
};

const CREATE: &str = "siyu.member.v1.AudienceService/CreateAudience";
const SNAPSHOT: &str = "siyu.member.v1.AudienceService/SnapshotAudience";

#[async_trait]
impl AudienceService for App {
    type StreamAudienceMembersStream = Replies<StreamAudienceMembersResponse>;

    async fn create_audience(
        &self,
        request: Request<CreateAudienceRequest>,
    ) -> Result<Response<CreateAudienceResponse>, Status> {
        serve(request, |ctx, message| create(self, ctx, message)).await
    }

    async fn update_audience(
        &self,
        request: Request<UpdateAudienceRequest>,
    ) -> Result<Response<UpdateAudienceResponse>, Status> {
        serve(request, |ctx, message| update(self, ctx, message)).await
    }

    async fn delete_audience(
        &self,
        request: Request<DeleteAudienceRequest>,
    ) -> Result<Response<DeleteAudienceResponse>, Status> {
        serve(request, |ctx, message| delete(self, ctx, message)).await
    }

    async fn get_audience(
        &self,
        request: Request<GetAudienceRequest>,
    ) -> Result<Response<GetAudienceResponse>, Status> {
        serve(request, |ctx, message| get(self, ctx, message)).await
    }

    async fn list_audiences(
        &self,
        request: Request<ListAudiencesRequest>,
    ) -> Result<Response<ListAudiencesResponse>, Status> {
        serve(request, |ctx, message| list(self, ctx, message)).await
    }

    async fn count_audience(
        &self,
        request: Request<CountAudienceRequest>,
    ) -> Result<Response<CountAudienceResponse>, Status> {
        serve(request, |ctx, message| count(self, ctx, message)).await
    }

    async fn list_audience_members(
        &self,
        request: Request<ListAudienceMembersRequest>,
    ) -> Result<Response<ListAudienceMembersResponse>, Status> {
        serve(request, |ctx, message| list_members(self, ctx, message)).await
    }

    async fn stream_audience_members(
        &self,
        request: Request<StreamAudienceMembersRequest>,
    ) -> Result<Response<Self::StreamAudienceMembersStream>, Status> {
        serve_stream(request, |ctx, message| stream_members(self, ctx, message)).await
    }

    async fn snapshot_audience(
        &self,
        request: Request<SnapshotAudienceRequest>,
    ) -> Result<Response<SnapshotAudienceResponse>, Status> {
        serve(request, |ctx, message| snapshot(self, ctx, message)).await
    }

    async fn describe_fields(
        &self,
        request: Request<DescribeFieldsRequest>,
    ) -> Result<Response<DescribeFieldsResponse>, Status> {
        serve(request, |_, _| async { Ok::<_, Fault>(describe()) }).await
    }
}

async fn create(
    app: &App,
    ctx: Ctx,
    request: CreateAudienceRequest,
) -> Result<CreateAudienceResponse, Fault> {
    let wanted = request.audience.clone().unwrap_or_default();
    let filter = wanted.filter.unwrap_or_default();
    let keys = vault::keys(app, ctx.merchant()?).await?;
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    if let Some(reply) = replay::find(&mut tx, CREATE, &request.request_id, &request).await? {
        return Ok(reply);
    }
    let terms = terms(&mut tx, &keys, ctx.now).await?;
    filter::read(&filter, "audience.filter", &terms)?;
    let audience = Audience {
        id: Id::from_uuid(app.ids.uuid()),
        name: wanted.name,
        description: wanted.description,
        filter: filter.encode_to_vec(),
        created_at: ctx.now,
        updated_at: ctx.now,
    };
    store::insert(&mut tx, &audience).await?;
    let reply = CreateAudienceResponse { audience: Some(audience.show()?) };
    replay::keep(&mut tx, CREATE, &request.request_id, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}

async fn update(
    app: &App,
    ctx: Ctx,
    request: UpdateAudienceRequest,
) -> Result<UpdateAudienceResponse, Fault> {
    let id = parse::id("audience_id", &request.audience_id)?;
    let wanted = request.audience.unwrap_or_default();
    let filter = wanted.filter.unwrap_or_default();
    let keys = vault::keys(app, ctx.merchant()?).await?;
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    let found = store::lock(&mut tx, id).await?;
    let before = found.ok_or_else(|| Fault::not_found("audience"))?;
    let terms = terms(&mut tx, &keys, ctx.now).await?;
    filter::read(&filter, "audience.filter", &terms)?;
    let mut audience = Audience {
        name: wanted.name,
        description: wanted.description,
        filter: filter.encode_to_vec(),
        ..before.clone()
    };
    if audience != before {
        audience.updated_at = ctx.now;
        store::save(&mut tx, &audience).await?;
    }
    tx.commit().await?;
    Ok(UpdateAudienceResponse { audience: Some(audience.show()?) })
}

async fn delete(
    app: &App,
    ctx: Ctx,
    request: DeleteAudienceRequest,
) -> Result<DeleteAudienceResponse, Fault> {
    let id = parse::id("audience_id", &request.audience_id)?;
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    if !store::delete(&mut tx, id).await? {
        return Err(Fault::not_found("audience"));
    }
    tx.commit().await?;
    Ok(DeleteAudienceResponse {})
}

async fn get(
    app: &App,
    ctx: Ctx,
    request: GetAudienceRequest,
) -> Result<GetAudienceResponse, Fault> {
    let id = parse::id("audience_id", &request.audience_id)?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let audience = store::find(&mut tx, id).await?.ok_or_else(|| Fault::not_found("audience"))?;
    Ok(GetAudienceResponse { audience: Some(audience.show()?) })
}

async fn list(
    app: &App,
    ctx: Ctx,
    request: ListAudiencesRequest,
) -> Result<ListAudiencesResponse, Fault> {
    let page =
        page::Request::<Uuid>::parse(request.page_size, &request.page_token, limits::PAGE, b"")?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let rows = store::list(&mut tx, page.after, page.fetch()).await?;
    let page = page.page(rows, |audience| audience.id.uuid());
    Ok(ListAudiencesResponse {
        audiences: page.items.into_iter().map(Audience::show).collect::<Result<_, _>>()?,
        next_page_token: page.next_token,
    })
}

async fn count(
    app: &App,
    ctx: Ctx,
    request: CountAudienceRequest,
) -> Result<CountAudienceResponse, Fault> {
    let id = parse::optional_id("audience_id", &request.audience_id)?;
    let keys = vault::keys(app, ctx.merchant()?).await?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let node = if let Some(id) = id {
        let found = store::find(&mut tx, id).await?;
        node(&mut tx, &keys, &found.ok_or_else(|| Fault::not_found("audience"))?, ctx.now).await?
    } else {
        let terms = terms(&mut tx, &keys, ctx.now).await?;
        filter::read(&request.filter.unwrap_or_default(), "filter", &terms)?
    };
    let count = filter::store::count(&mut tx, &node).await?;
    Ok(CountAudienceResponse { count, as_of_time: Some(parse::timestamp(ctx.now)) })
}

async fn list_members(
    app: &App,
    ctx: Ctx,
    request: ListAudienceMembersRequest,
) -> Result<ListAudienceMembersResponse, Fault> {
    let filter = format!("{} {}", request.audience_id, request.snapshot_id);
    let page = page::Request::<Uuid>::parse(
        request.page_size,
        &request.page_token,
        limits::PAGE,
        filter.as_bytes(),
    )?;
    let keys = vault::keys(app, ctx.merchant()?).await?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let source =
        members::find(&mut tx, &ctx, &keys, &request.audience_id, &request.snapshot_id).await?;
    let size = usize::try_from(page.fetch()).expect("pages are small");
    let rows = members::page(&mut tx, &source, page.after.map(Id::from_uuid), size).await?;
    let page = page.page(rows, |person| person.uuid());
    Ok(ListAudienceMembersResponse {
        person_ids: page.items.iter().map(ToString::to_string).collect(),
        next_page_token: page.next_token,
    })
}

async fn stream_members(
    app: &App,
    ctx: Ctx,
    request: StreamAudienceMembersRequest,
) -> Result<impl futures::Stream<Item = Result<StreamAudienceMembersResponse, Fault>> + use<>, Fault>
{
    let after = parse::optional_id("after_person_id", &request.after_person_id)?;
    let merchant = ctx.merchant()?;
    let keys = vault::keys(app, ctx.merchant()?).await?;
    let mut tx = app.db.tenant_read(merchant).await?;
    let source =
        members::find(&mut tx, &ctx, &keys, &request.audience_id, &request.snapshot_id).await?;
    Ok(members::stream(app.clone(), merchant, source, after))
}

async fn snapshot(
    app: &App,
    ctx: Ctx,
    request: SnapshotAudienceRequest,
) -> Result<SnapshotAudienceResponse, Fault> {
    let id = parse::id("audience_id", &request.audience_id)?;
    let keys = vault::keys(app, ctx.merchant()?).await?;
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    if let Some(reply) = replay::find(&mut tx, SNAPSHOT, &request.request_id, &request).await? {
        return Ok(reply);
    }
    let audience = store::find(&mut tx, id).await?.ok_or_else(|| Fault::not_found("audience"))?;
    let node = node(&mut tx, &keys, &audience, ctx.now).await?;
    let mut snapshot = Snapshot {
        id: Id::from_uuid(app.ids.uuid()),
        audience_id: audience.id,
        persons: 0,
        created_at: ctx.now,
    };
    let size = i64::try_from(limits::STREAM_PAGE).expect("pages are small");
    filter::store::freeze(&mut tx, &node, snapshot.id.uuid(), size).await?;
    snapshot.persons = store::insert_snapshot(&mut tx, &snapshot).await?;
    let reply = SnapshotAudienceResponse { snapshot: Some(snapshot.into()) };
    replay::keep(&mut tx, SNAPSHOT, &request.request_id, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}

fn describe() -> DescribeFieldsResponse {
    let show = |field: &filter::catalogue::Field| proto::Field {
        name: field.name.to_owned(),
        argument: field.argument.to_owned(),
        r#type: field.field_type().into(),
        operators: field.operators().into_iter().map(Into::into).collect(),
        choices: field.choices().iter().map(|&word| word.to_owned()).collect(),
        windowed: field.windowed,
        description: field.doc.to_owned(),
    };
    DescribeFieldsResponse { fields: FIELDS.iter().map(show).collect() }
}
