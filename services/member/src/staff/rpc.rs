//! The RPCs of employees.

use siyu_grpc::{Ctx, parse, serve};
use siyu_kernel::{Fault, Id};
use siyu_pg::{Tx, page, replay};
use siyu_proto::member::v1::{
    self as proto, CreateStaffRequest, CreateStaffResponse, EndEmploymentRequest,
    EndEmploymentResponse, GetStaffRequest, GetStaffResponse, ListReachableStoresRequest,
    ListReachableStoresResponse, ListStaffRequest, ListStaffResponse, StaffChanged,
    UpdateStaffRequest, UpdateStaffResponse, staff_service_server::StaffService,
};
use tonic::{Request, Response, Status, async_trait};
use uuid::Uuid;

use super::{Error, Role, Staff, StaffId, StaffScope, known, store};
use crate::{
    App, limits, merchant, publish,
    shop::{self, StoreId},
};

const CREATE: &str = "siyu.member.v1.StaffService/CreateStaff";
const UPDATE: &str = "siyu.member.v1.StaffService/UpdateStaff";
const END: &str = "siyu.member.v1.StaffService/EndEmployment";

#[async_trait]
impl StaffService for App {
    async fn create_staff(
        &self,
        request: Request<CreateStaffRequest>,
    ) -> Result<Response<CreateStaffResponse>, Status> {
        serve(request, |ctx, message| create(self, ctx, message)).await
    }

    async fn update_staff(
        &self,
        request: Request<UpdateStaffRequest>,
    ) -> Result<Response<UpdateStaffResponse>, Status> {
        serve(request, |ctx, message| update(self, ctx, message)).await
    }

    async fn end_employment(
        &self,
        request: Request<EndEmploymentRequest>,
    ) -> Result<Response<EndEmploymentResponse>, Status> {
        serve(request, |ctx, message| end(self, ctx, message)).await
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

    async fn list_reachable_stores(
        &self,
        request: Request<ListReachableStoresRequest>,
    ) -> Result<Response<ListReachableStoresResponse>, Status> {
        serve(request, |ctx, message| list_stores(self, ctx, message)).await
    }
}

async fn create(
    app: &App,
    ctx: Ctx,
    request: CreateStaffRequest,
) -> Result<CreateStaffResponse, Fault> {
    let wanted = request.staff.clone().unwrap_or_default();
    let staff = Staff::read(wanted, Id::from_uuid(app.ids.uuid()), ctx.now)?;
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    if let Some(reply) = replay::find(&mut tx, CREATE, &request.request_id, &request).await? {
        return Ok(reply);
    }
    store::insert(&mut tx, &staff).await?;
    tell(app, &mut tx, &ctx, &staff).await?;
    let reply = CreateStaffResponse { staff: Some(staff.into()) };
    replay::keep(&mut tx, CREATE, &request.request_id, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}

async fn update(
    app: &App,
    ctx: Ctx,
    request: UpdateStaffRequest,
) -> Result<UpdateStaffResponse, Fault> {
    let id: StaffId = parse::id("staff_id", &request.staff_id)?;
    let wanted = Staff::read(request.staff.clone().unwrap_or_default(), id, ctx.now)?;
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    if let Some(reply) = replay::find(&mut tx, UPDATE, &request.request_id, &request).await? {
        return Ok(reply);
    }
    let before = lock(&mut tx, id).await?;
    if before.code != wanted.code {
        return Err(Fault::field("staff.code", "must be the one that the employee has"));
    }
    let staff = Staff { created_at: before.created_at, updated_at: Some(ctx.now), ..wanted };
    store::save(&mut tx, &staff).await?;
    tell(app, &mut tx, &ctx, &staff).await?;
    let reply = UpdateStaffResponse { staff: Some(staff.into()) };
    replay::keep(&mut tx, UPDATE, &request.request_id, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}

async fn end(
    app: &App,
    ctx: Ctx,
    request: EndEmploymentRequest,
) -> Result<EndEmploymentResponse, Fault> {
    let id: StaffId = parse::id("staff_id", &request.staff_id)?;
    let left_at = parse::optional_instant("leave_time", request.leave_time)?.unwrap_or(ctx.now);
    if left_at > ctx.now {
        return Err(Fault::field("leave_time", "must not be in the future"));
    }
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    if let Some(reply) = replay::find(&mut tx, END, &request.request_id, &request).await? {
        return Ok(reply);
    }
    let before = lock(&mut tx, id).await?;
    let staff = Staff { left_at: Some(left_at), updated_at: Some(ctx.now), ..before };
    store::save(&mut tx, &staff).await?;
    tell(app, &mut tx, &ctx, &staff).await?;
    let reply = EndEmploymentResponse { staff: Some(staff.into()) };
    replay::keep(&mut tx, END, &request.request_id, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}

/// An employee who works here, locked.
async fn lock(tx: &mut Tx, id: StaffId) -> Result<Staff, Fault> {
    let staff = store::lock(tx, id).await?.ok_or_else(|| Fault::not_found("staff"))?;
    if staff.left_at.is_some() { Err(Error::Left.into()) } else { Ok(staff) }
}

async fn tell(app: &App, tx: &mut Tx, ctx: &Ctx, staff: &Staff) -> Result<(), siyu_pg::Error> {
    let fact = StaffChanged { staff: Some(staff.clone().into()) };
    publish(app, tx, ctx, staff.id.to_string(), &fact).await
}

async fn get(app: &App, ctx: Ctx, request: GetStaffRequest) -> Result<GetStaffResponse, Fault> {
    let id = parse::id("staff_id", &request.staff_id)?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    Ok(GetStaffResponse { staff: Some(known(&mut tx, id).await?.into()) })
}

async fn list(app: &App, ctx: Ctx, request: ListStaffRequest) -> Result<ListStaffResponse, Fault> {
    let filter = filter(&request)?;
    let page = page::Request::<Uuid>::parse(
        request.page_size,
        &request.page_token,
        limits::PAGE,
        format!("{filter:?}").as_bytes(),
    )?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let rows = store::list(&mut tx, filter, page.after, page.fetch()).await?;
    let page = page.page(rows, |staff| staff.id.uuid());
    Ok(ListStaffResponse {
        staff: page.items.into_iter().map(Into::into).collect(),
        next_page_token: page.next_token,
    })
}

fn filter(request: &ListStaffRequest) -> Result<store::Filter, Fault> {
    let unknown = |field| Fault::field(field, "is not a known value");
    let role = if request.role == 0 {
        None
    } else {
        Some(Role::read(request.role).ok_or_else(|| unknown("role"))?)
    };
    let left = match proto::StaffState::try_from(request.state) {
        Ok(proto::StaffState::Unspecified) => None,
        Ok(proto::StaffState::Active) => Some(false),
        Ok(proto::StaffState::Left) => Some(true),
        Err(_) => return Err(unknown("state")),
    };
    Ok(store::Filter {
        store_id: parse::optional_id("store_id", &request.store_id)?,
        role,
        region_id: parse::optional_id("region_id", &request.region_id)?,
        left,
    })
}

async fn list_stores(
    app: &App,
    ctx: Ctx,
    request: ListReachableStoresRequest,
) -> Result<ListReachableStoresResponse, Fault> {
    let id = parse::id("staff_id", &request.staff_id)?;
    let page = page::Request::<String>::parse(
        request.page_size,
        &request.page_token,
        limits::PAGE,
        request.staff_id.as_bytes(),
    )?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let staff = known(&mut tx, id).await?;
    let after = page.after.as_deref();
    let rows = match StaffScope::of(&mut tx, &staff).await? {
        StaffScope::All => shop::store::list(&mut tx, after, page.fetch()).await?,
        StaffScope::Stores(stores) => {
            let stores: Vec<StoreId> = stores.into_iter().collect();
            shop::store::list_of(&mut tx, &stores, after, page.fetch()).await?
        }
    };
    let page = page.page(rows, |store| store.code.clone());
    let currency = merchant::currency(&mut tx).await?;
    Ok(ListReachableStoresResponse {
        stores: page.items.into_iter().map(|store| store.show(&currency)).collect(),
        next_page_token: page.next_token,
    })
}
