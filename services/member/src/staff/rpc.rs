//! The RPCs of employees.

use siyu_grpc::{Ctx, parse, serve};
use siyu_kernel::{Fault, Id};
use siyu_pg::{page, replay};
use siyu_proto::member::v1::{
    CreateStaffRequest, CreateStaffResponse, GetStaffRequest, GetStaffResponse, ListStaffRequest,
    ListStaffResponse, staff_service_server::StaffService,
};
use tonic::{Request, Response, Status, async_trait};
use uuid::Uuid;

use super::{Role, Staff, store};
use crate::{App, limits};

const CREATE: &str = "siyu.member.v1.StaffService/CreateStaff";

#[async_trait]
impl StaffService for App {
    async fn create_staff(
        &self,
        request: Request<CreateStaffRequest>,
    ) -> Result<Response<CreateStaffResponse>, Status> {
        serve(request, |ctx, message| create(self, ctx, message)).await
    }

    async fn get_staff(
        &self,
        request: Request<GetStaffRequest>,
    ) -> Result<Response<GetStaffResponse>, Status> {
        serve(request, |ctx, message| get(self, ctx, message)).await
    }

    async fn list_staff(
        &self,
        request: Request<ListStaffRequest>,
    ) -> Result<Response<ListStaffResponse>, Status> {
        serve(request, |ctx, message| list(self, ctx, message)).await
    }
}

async fn create(
    app: &App,
    ctx: Ctx,
    request: CreateStaffRequest,
) -> Result<CreateStaffResponse, Fault> {
    let wanted = request.staff.clone().unwrap_or_default();
    let staff = Staff {
        id: Id::from_uuid(app.ids.uuid()),
        role: Role::read(wanted.role)
            .ok_or_else(|| Fault::field("staff.role", "is not a known value"))?,
        store_id: parse::optional_id("staff.store_id", &wanted.store_id)?,
        code: wanted.code,
        name: wanted.name,
        created_at: ctx.now,
    };
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    if let Some(reply) = replay::find(&mut tx, CREATE, &request.request_id, &request).await? {
        return Ok(reply);
    }
    store::insert(&mut tx, &staff).await?;
    let reply = CreateStaffResponse { staff: Some(staff.into()) };
    replay::keep(&mut tx, CREATE, &request.request_id, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}

async fn get(app: &App, ctx: Ctx, request: GetStaffRequest) -> Result<GetStaffResponse, Fault> {
    let id = parse::id("staff_id", &request.staff_id)?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let staff = store::find(&mut tx, id).await?.ok_or_else(|| Fault::not_found("staff"))?;
    Ok(GetStaffResponse { staff: Some(staff.into()) })
}

async fn list(app: &App, ctx: Ctx, request: ListStaffRequest) -> Result<ListStaffResponse, Fault> {
    let store_id = parse::optional_id("store_id", &request.store_id)?;
    let filter = request.store_id.as_bytes();
    let page =
        page::Request::<Uuid>::parse(request.page_size, &request.page_token, limits::PAGE, filter)?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let rows = store::list(&mut tx, store_id, page.after, page.fetch()).await?;
    let page = page.page(rows, |staff| staff.id.uuid());
    Ok(ListStaffResponse {
        staff: page.items.into_iter().map(Into::into).collect(),
        next_page_token: page.next_token,
    })
}
