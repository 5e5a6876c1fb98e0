//! The RPCs of group-buys.

use siyu_grpc::{Ctx, parse, serve};
use siyu_kernel::Fault;
use siyu_pg::page;
use siyu_proto::order::v1::{
    self as proto, GetGroupRequest, GetGroupResponse, GroupActivity, ListGroupActivitiesRequest,
    ListGroupActivitiesResponse, ListGroupsRequest, ListGroupsResponse,
    UpsertGroupActivitiesRequest, UpsertGroupActivitiesResponse,
    group_buy_service_server::GroupBuyService,
};
use tonic::{Request, Response, Status, async_trait};
use uuid::Uuid;

use super::{
    domain::{Group, SeatRow, SeatState, State},
    store,
};
use crate::{App, limits, market::activity};

#[async_trait]
impl GroupBuyService for App {
    async fn upsert_group_activities(
        &self,
        request: Request<UpsertGroupActivitiesRequest>,
    ) -> Result<Response<UpsertGroupActivitiesResponse>, Status> {
        serve(request, async |ctx, message: UpsertGroupActivitiesRequest| {
            activity::upsert(self, &ctx, "activities", &message.activities).await?;
            Ok::<_, Fault>(UpsertGroupActivitiesResponse { activities: message.activities })
        })
        .await
    }

    async fn list_group_activities(
        &self,
        request: Request<ListGroupActivitiesRequest>,
    ) -> Result<Response<ListGroupActivitiesResponse>, Status> {
        serve(request, async |ctx, message: ListGroupActivitiesRequest| {
            let (activities, next_page_token) =
                activity::list(self, &ctx, message.page_size, &message.page_token).await?;
            Ok::<_, Fault>(ListGroupActivitiesResponse { activities, next_page_token })
        })
        .await
    }

    async fn get_group(
        &self,
        request: Request<GetGroupRequest>,
    ) -> Result<Response<GetGroupResponse>, Status> {
        serve(request, async |ctx, message: GetGroupRequest| {
            let id = parse::id("group_id", &message.group_id)?;
            let mut tx = self.db.tenant_read(ctx.merchant()?).await?;
            let group = store::find(&mut tx, id).await?;
            let group = group.ok_or_else(|| Fault::not_found("group"))?;
            let seats = store::seats(&mut tx, id).await?;
            Ok::<_, Fault>(GetGroupResponse { group: Some(show(&group, &seats)?) })
        })
        .await
    }

    async fn list_groups(
        &self,
        request: Request<ListGroupsRequest>,
    ) -> Result<Response<ListGroupsResponse>, Status> {
        serve(request, |ctx, message| list(self, ctx, message)).await
    }
}

async fn list(
    app: &App,
    ctx: Ctx,
    request: ListGroupsRequest,
) -> Result<ListGroupsResponse, Fault> {
    let state = proto::GroupState::try_from(request.state)
        .map_err(|_| Fault::field("state", "is not a known value"))?;
    let state = match state {
        proto::GroupState::Unspecified => None,
        proto::GroupState::Pending => Some(State::Pending),
        proto::GroupState::Open => Some(State::Open),
        proto::GroupState::Formed => Some(State::Formed),
        proto::GroupState::Failed => Some(State::Failed),
        proto::GroupState::Cancelled => Some(State::Cancelled),
    };
    let filter = format!("{} {state:?}", request.activity_code);
    let page = page::Request::<Uuid>::parse(
        request.page_size,
        &request.page_token,
        limits::PAGE,
        filter.as_bytes(),
    )?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let activity: GroupActivity = activity::get(&mut tx, &request.activity_code).await?;
    let rows = store::list(&mut tx, &activity.code, state, page.after, page.fetch()).await?;
    let page = page.page(rows, |group| group.id.uuid());
    Ok(ListGroupsResponse {
        groups: page.items.iter().map(|group| show(group, &[])).collect::<Result<_, _>>()?,
        next_page_token: page.next_token,
    })
}

/// A group as it is shown.
pub(crate) fn show(group: &Group, seats: &[SeatRow]) -> Result<proto::Group, Fault> {
    let state = match group.state {
        State::Pending => proto::GroupState::Pending,
        State::Open => proto::GroupState::Open,
        State::Formed => proto::GroupState::Formed,
        State::Failed => proto::GroupState::Failed,
        State::Cancelled => proto::GroupState::Cancelled,
    };
    Ok(proto::Group {
        id: group.id.to_string(),
        activity: Some(activity::decode(&group.definition)?),
        state: state.into(),
        taken: group.taken,
        paid: group.paid,
        simulated: group.simulated,
        deadline_time: group.deadline.map(parse::timestamp),
        seats: seats.iter().map(show_seat).collect(),
        create_time: Some(parse::timestamp(group.created_at)),
    })
}

fn show_seat(seat: &SeatRow) -> proto::GroupSeat {
    let state = match seat.state {
        SeatState::Reserved => proto::GroupSeatState::Reserved,
        SeatState::Paid => proto::GroupSeatState::Paid,
        SeatState::Forming | SeatState::Formed => proto::GroupSeatState::Formed,
        SeatState::Refunding => proto::GroupSeatState::Refunding,
        SeatState::Refunded => proto::GroupSeatState::Refunded,
        SeatState::Released => proto::GroupSeatState::Released,
    };
    proto::GroupSeat {
        order_id: seat.order_id.to_string(),
        person_id: seat.person_id.to_string(),
        opener: seat.opener,
        state: state.into(),
        create_time: Some(parse::timestamp(seat.created_at)),
    }
}
