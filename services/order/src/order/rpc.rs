//! The RPCs that read orders.

use siyu_grpc::{Ctx, parse, serve};
use siyu_kernel::Fault;
use siyu_pg::page;
use siyu_proto::{
    order::v1::{
        self as proto, GetOrderRequest, GetOrderResponse, ListOrdersRequest, ListOrdersResponse,
        order_service_server::OrderService,
    },
    r#type::v1::Money,
};
use tonic::{Request, Response, Status, async_trait};

use super::{
    domain::{Domain, Line, Order, State},
    store::{self, Cursor, Filter},
};
use crate::{App, buyer, limits};

#[async_trait]
impl OrderService for App {
    async fn get_order(
        &self,
        request: Request<GetOrderRequest>,
    ) -> Result<Response<GetOrderResponse>, Status> {
        serve(request, |ctx, message| get(self, ctx, message)).await
    }

    async fn list_orders(
        &self,
        request: Request<ListOrdersRequest>,
    ) -> Result<Response<ListOrdersResponse>, Status> {
        serve(request, |ctx, message| list(self, ctx, message)).await
    }
}

async fn get(app: &App, ctx: Ctx, request: GetOrderRequest) -> Result<GetOrderResponse, Fault> {
    let id = parse::id("order_id", &request.order_id)?;
    let mut tx = app.db.tenant_lookup(ctx.merchant()?).await?;
    let order = store::find(&mut tx, id).await?.ok_or_else(|| Fault::not_found("order"))?;
    let lines = store::lines(&mut tx, id).await?;
    let mut shown = show(&order);
    shown.lines = lines.into_iter().map(|line| show_line(line, &order)).collect();
    Ok(GetOrderResponse { order: Some(shown) })
}

async fn list(
    app: &App,
    ctx: Ctx,
    request: ListOrdersRequest,
) -> Result<ListOrdersResponse, Fault> {
    let mut filter = read_filter(&request)?;
    let bound_to = format!("{filter:?}");
    let page = page::Request::<Cursor>::parse(
        request.page_size,
        &request.page_token,
        limits::PAGE,
        bound_to.as_bytes(),
    )?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    if let Some(asked) = filter.person_id {
        let leads = buyer::store::canonical(&mut tx, &[asked]).await?;
        filter.person_id = Some(leads.get(&asked).copied().unwrap_or(asked));
    }
    let rows = store::list(&mut tx, &filter, page.after, page.fetch()).await?;
    let page = page.page(rows, |order| (order.paid_at, order.id.uuid()));
    Ok(ListOrdersResponse {
        orders: page.items.iter().map(show).collect(),
        next_page_token: page.next_token,
    })
}

fn read_filter(request: &ListOrdersRequest) -> Result<Filter, Fault> {
    let unknown = |field| move |_| Fault::field(field, "is not a known value");
    let state = proto::OrderState::try_from(request.state).map_err(unknown("state"))?;
    let domain = proto::Domain::try_from(request.domain).map_err(unknown("domain"))?;
    Ok(Filter {
        person_id: parse::optional_id("person_id", &request.person_id)?,
        platform: (!request.platform.is_empty()).then(|| request.platform.clone()),
        store_id: parse::optional_id("store_id", &request.store_id)?,
        state: State::of_proto(state).map(State::as_str),
        domain: Domain::of_proto(domain).map(Domain::as_str),
        paid_from: parse::optional_instant("pay_time_from", request.pay_time_from)?,
        paid_to: parse::optional_instant("pay_time_to", request.pay_time_to)?,
    })
}

/// An order as it is shown, without its lines.
pub(crate) fn show(order: &Order) -> proto::Order {
    proto::Order {
        id: order.id.to_string(),
        platform: order.platform.clone(),
        shop_id: order.shop_id.clone(),
        platform_order_no: order.platform_order_no.clone(),
        person_id: order.person_id.to_string(),
        state: proto::OrderState::from(order.state).into(),
        domain: proto::Domain::from(order.domain).into(),
        channel: order.channel.clone(),
        store_id: order.store_id.map(|id| id.to_string()).unwrap_or_default(),
        pay_time: order.paid_at.map(parse::timestamp),
        paid: money(order, order.paid_minor),
        quantity: order.quantity,
        lines: Vec::new(),
        revision: order.revision,
        platform_update_time: Some(parse::timestamp(order.version)),
        create_time: Some(parse::timestamp(order.created_at)),
    }
}

/// A line as it is shown.
pub(crate) fn show_line(line: Line, order: &Order) -> proto::OrderLine {
    proto::OrderLine {
        line_no: line.line_no,
        paid: money(order, line.paid_minor),
        sku: line.sku,
        category: line.category,
        quantity: line.quantity,
    }
}

#[expect(clippy::unnecessary_wraps, reason = "a message field is an Option")]
fn money(order: &Order, minor_units: i64) -> Option<Money> {
    Some(Money { currency_code: order.currency.0.code().to_owned(), minor_units })
}
