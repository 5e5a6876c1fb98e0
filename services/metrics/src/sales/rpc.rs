//! The RPCs of sales.

use siyu_grpc::{Ctx, serve};
use siyu_kernel::Fault;
use siyu_proto::metrics::v1::{
    GetEffectiveCustomersRequest, GetEffectiveCustomersResponse, GetSalesRequest, GetSalesResponse,
    GetUserArpuRequest, GetUserArpuResponse, SalesFigures, SalesPeriod,
    sales_service_server::SalesService,
};
use tonic::{Request, Response, Status, async_trait};

use crate::{
    App, audience,
    cube::cache::Current,
    engine::{Attribution, Bucket, Connection, Sales, Sums, UserArpu, Window},
    fact,
    look::{self, Look, count, ratio},
};

#[async_trait]
impl SalesService for App {
    async fn get_sales(
        &self,
        request: Request<GetSalesRequest>,
    ) -> Result<Response<GetSalesResponse>, Status> {
        serve(request, |ctx, message| sales(self, ctx, message)).await
    }

    async fn get_user_arpu(
        &self,
        request: Request<GetUserArpuRequest>,
    ) -> Result<Response<GetUserArpuResponse>, Status> {
        serve(request, |ctx, message| user_arpu(self, ctx, message)).await
    }

    async fn get_effective_customers(
        &self,
        request: Request<GetEffectiveCustomersRequest>,
    ) -> Result<Response<GetEffectiveCustomersResponse>, Status> {
        serve(request, |ctx, message| effective(self, ctx, message)).await
    }
}

async fn sales(app: &App, ctx: Ctx, request: GetSalesRequest) -> Result<GetSalesResponse, Fault> {
    let current = app.cache.current(ctx.merchant()?).await?;
    let look = look_at(&ctx, &current, &request.from_day, &request.to_day)?;
    let all = current.cubes.all.sales(look.window);
    let private = current.cubes.private.sales(look.window);
    Ok(GetSalesResponse {
        basis: Some(look::basis(&current, look)),
        total: Some(figures(&all)),
        buyers_two_days: count(all.repeat_buyers),
        arpu: Some(ratio(all.arpu)),
        aov: Some(ratio(all.aov)),
        private_domain: Some(figures(&private)),
        off_hours_orders: count(all.sums.off_hours_orders),
        off_hours_gmv_minor: all.sums.off_hours_gmv_minor,
        months: all.months.iter().map(|bucket| period(bucket, "%Y-%m")).collect(),
        weeks: all.weeks.iter().map(|bucket| period(bucket, "%G-W%V")).collect(),
    })
}

fn look_at(ctx: &Ctx, current: &Current, from_day: &str, to_day: &str) -> Result<Look, Fault> {
    look::look(&current.cubes.all, from_day, to_day, "", current.zone.day(ctx.now))
}

fn figures(sales: &Sales) -> SalesFigures {
    let (buyers, new) = (sales.buyers, sales.new_buyers);
    summed(&sales.sums, buyers, new, buyers - new)
}

fn summed(sums: &Sums, buyers: u64, new_buyers: u64, repeat_buyers: u64) -> SalesFigures {
    SalesFigures {
        gmv_minor: sums.gmv_minor,
        orders: count(sums.orders),
        units: sums.units,
        buyers: count(buyers),
        new_buyers: count(new_buyers),
        repeat_buyers: count(repeat_buyers),
    }
}

fn period(bucket: &Bucket, format: &str) -> SalesPeriod {
    SalesPeriod {
        period: bucket.window.start().date().format(format).to_string(),
        from_day: bucket.window.start().to_string(),
        figures: Some(summed(&bucket.sums, bucket.buyers, bucket.new_buyers, bucket.repeat_buyers)),
    }
}

async fn user_arpu(
    app: &App,
    ctx: Ctx,
    request: GetUserArpuRequest,
) -> Result<GetUserArpuResponse, Fault> {
    let merchant = ctx.merchant()?;
    let current = app.cache.current(merchant).await?;
    let look = look_at(&ctx, &current, &request.from_day, &request.to_day)?;
    let mut tx = app.db.tenant_read(merchant).await?;
    let rows = audience::store::connections(&mut tx).await?;
    let connections_unmeasured = rows.is_empty();
    let connections = rows.into_iter().map(|row| Connection {
        person: fact::number(row.person),
        from: row.connected_at,
        to: row.disconnected_at,
    });
    let attribution = if request.as_of_order { Attribution::Order } else { Attribution::Period };
    let mut counted = UserArpu::new(connections, attribution);
    if !connections_unmeasured {
        count_orders(&mut tx, &mut counted, look.window).await?;
    }
    let figures = counted.figures();
    Ok(GetUserArpuResponse {
        basis: Some(look::basis(&current, look)),
        users: count(figures.users),
        gmv_minor: figures.gmv_minor,
        arpu: Some(ratio(figures.arpu)),
        private_channel_gmv_minor: current.cubes.private.sales(look.window).sums.gmv_minor,
        connections_unmeasured,
    })
}

/// Counts the orders of a window one by one, some days at a time.
async fn count_orders(
    tx: &mut siyu_pg::Tx,
    counted: &mut UserArpu,
    window: Window,
) -> Result<(), Fault> {
    const DAYS: i32 = 31;
    let mut start = window.start();
    while start < window.end() {
        let end = start.plus(DAYS).min(window.end());
        for row in fact::store::of_window(tx, start, end).await? {
            counted.add(&row.fact(false));
        }
        start = end;
    }
    Ok(())
}

async fn effective(
    app: &App,
    ctx: Ctx,
    request: GetEffectiveCustomersRequest,
) -> Result<GetEffectiveCustomersResponse, Fault> {
    let current = app.cache.current(ctx.merchant()?).await?;
    let look = look_at(&ctx, &current, &request.from_day, &request.to_day)?;
    let effective = current.cubes.private.effective(look.window, None);
    let stored_and_other =
        effective.first_and_stored + effective.repeat_and_stored - effective.all_three;
    Ok(GetEffectiveCustomersResponse {
        basis: Some(look::basis(&current, look)),
        first: count(effective.first),
        repeat: count(effective.repeat),
        stored: count(effective.stored.unwrap_or(0)),
        first_and_repeat: count(effective.first_and_repeat),
        stored_and_other: count(stored_and_other),
        effective: count(effective.effective),
        stored_unmeasured: effective.stored.is_none(),
    })
}
