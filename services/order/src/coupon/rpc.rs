//! The RPCs of coupons.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use prost::Message;
use siyu_grpc::{Ctx, parse, serve};
use siyu_kernel::{Code, Fault, Id, Violation};
use siyu_pg::{page, replay};
use siyu_proto::order::v1::{
    self as proto, ClaimCouponRequest, ClaimCouponResponse, ClaimCouponsRequest,
    ClaimCouponsResponse, CouponState, CouponTemplate, IssueRedemptionCodeRequest,
    IssueRedemptionCodeResponse, ListCouponEventsRequest, ListCouponEventsResponse,
    ListCouponTemplatesRequest, ListCouponTemplatesResponse, ListCouponsRequest,
    ListCouponsResponse, RedeemCouponRequest, RedeemCouponResponse, ReverseRedemptionRequest,
    ReverseRedemptionResponse, TransferCouponRequest, TransferCouponResponse,
    UpsertCouponTemplatesRequest, UpsertCouponTemplatesResponse, VoidCouponRequest,
    VoidCouponResponse, coupon_service_server::CouponService,
};
use tonic::{Request, Response, Status, async_trait};
use uuid::Uuid;

use super::{
    domain::{self, Coupon, State},
    history, many, pass, redeem,
    store::{self, TemplateRow},
};
use crate::{App, buyer, limits};

const CLAIM: &str = "siyu.order.v1.CouponService/ClaimCoupon";

#[async_trait]
impl CouponService for App {
    async fn upsert_coupon_templates(
        &self,
        request: Request<UpsertCouponTemplatesRequest>,
    ) -> Result<Response<UpsertCouponTemplatesResponse>, Status> {
        serve(request, |ctx, message| upsert(self, ctx, message)).await
    }

    async fn list_coupon_templates(
        &self,
        request: Request<ListCouponTemplatesRequest>,
    ) -> Result<Response<ListCouponTemplatesResponse>, Status> {
        serve(request, |ctx, message| list_templates(self, ctx, message)).await
    }

    async fn claim_coupon(
        &self,
        request: Request<ClaimCouponRequest>,
    ) -> Result<Response<ClaimCouponResponse>, Status> {
        serve(request, |ctx, message| claim(self, ctx, message)).await
    }

    async fn claim_coupons(
        &self,
        request: Request<ClaimCouponsRequest>,
    ) -> Result<Response<ClaimCouponsResponse>, Status> {
        serve(request, |ctx, message| many::claim(self, ctx, message)).await
    }

    async fn transfer_coupon(
        &self,
        request: Request<TransferCouponRequest>,
    ) -> Result<Response<TransferCouponResponse>, Status> {
        serve(request, |ctx, message| pass::transfer(self, ctx, message)).await
    }

    async fn void_coupon(
        &self,
        request: Request<VoidCouponRequest>,
    ) -> Result<Response<VoidCouponResponse>, Status> {
        serve(request, |ctx, message| pass::void(self, ctx, message)).await
    }

    async fn issue_redemption_code(
        &self,
        request: Request<IssueRedemptionCodeRequest>,
    ) -> Result<Response<IssueRedemptionCodeResponse>, Status> {
        serve(request, |ctx, message| redeem::issue(self, ctx, message)).await
    }

    async fn redeem_coupon(
        &self,
        request: Request<RedeemCouponRequest>,
    ) -> Result<Response<RedeemCouponResponse>, Status> {
        serve(request, |ctx, message| redeem::redeem(self, ctx, message)).await
    }

    async fn reverse_redemption(
        &self,
        request: Request<ReverseRedemptionRequest>,
    ) -> Result<Response<ReverseRedemptionResponse>, Status> {
        serve(request, |ctx, message| redeem::reverse(self, ctx, message)).await
    }

    async fn list_coupon_events(
        &self,
        request: Request<ListCouponEventsRequest>,
    ) -> Result<Response<ListCouponEventsResponse>, Status> {
        serve(request, |ctx, message| history::list(self, ctx, message)).await
    }

    async fn list_coupons(
        &self,
        request: Request<ListCouponsRequest>,
    ) -> Result<Response<ListCouponsResponse>, Status> {
        serve(request, |ctx, message| list(self, ctx, message)).await
    }
}

async fn upsert(
    app: &App,
    ctx: Ctx,
    request: UpsertCouponTemplatesRequest,
) -> Result<UpsertCouponTemplatesResponse, Fault> {
    let (mut rows, mut wrong, mut seen) = (Vec::new(), Vec::new(), BTreeSet::new());
    for (i, template) in request.templates.iter().enumerate() {
        let field = format!("templates[{i}]");
        if !seen.insert(&template.code) {
            let description = format!("\"{}\" stands twice", template.code);
            wrong.push(Violation { field: format!("{field}.code"), description });
        }
        wrong.extend(domain::check(&field, template));
        let kept = CouponTemplate { claimed: 0, ..template.clone() };
        rows.push((template.code.as_str(), kept.encode_to_vec()));
    }
    if !wrong.is_empty() {
        return Err(Fault::invalid(wrong));
    }
    rows.sort();
    let codes: Vec<&str> = request.templates.iter().map(|t| t.code.as_str()).collect();
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    store::upsert_templates(&mut tx, &rows, ctx.now).await?;
    let stand = store::templates(&mut tx, &codes).await?;
    tx.commit().await?;
    Ok(UpsertCouponTemplatesResponse {
        templates: stand.iter().map(show_template).collect::<Result<_, _>>()?,
    })
}

async fn list_templates(
    app: &App,
    ctx: Ctx,
    request: ListCouponTemplatesRequest,
) -> Result<ListCouponTemplatesResponse, Fault> {
    let page =
        page::Request::<String>::parse(request.page_size, &request.page_token, limits::PAGE, b"")?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let rows = store::list_templates(&mut tx, page.after.as_deref(), page.fetch()).await?;
    let page = page.page(rows, |row| row.code.clone());
    Ok(ListCouponTemplatesResponse {
        templates: page.items.iter().map(show_template).collect::<Result<_, _>>()?,
        next_page_token: page.next_token,
    })
}

async fn claim(
    app: &App,
    ctx: Ctx,
    request: ClaimCouponRequest,
) -> Result<ClaimCouponResponse, Fault> {
    let asked = parse::id("person_id", &request.person_id)?;
    // Both ask the member service, so they come before the transaction.
    let zone = app.directory.known(&ctx, &BTreeSet::new()).await?.zone;
    let person_id = app.directory.person(&ctx, asked).await?;
    let mut tx = buyer::store::begin(&app.db, ctx.merchant()?).await?;
    let person_id = buyer::leads(&mut tx, person_id).await?;
    if let Some(reply) = replay::find(&mut tx, CLAIM, &request.request_id, &request).await? {
        return Ok(reply);
    }
    let found = store::templates(&mut tx, &[&request.template_code]).await?.pop();
    let found = found.ok_or_else(|| Fault::not_found("coupon template"))?;
    let template = read(&found.definition)?;
    if !domain::is_claimable(&template, ctx.now) {
        return Err(refused("COUPON_NOT_CLAIMABLE", "the coupon cannot be claimed at present"));
    }
    if !store::take_one(&mut tx, &template.code, template.total).await? {
        return Err(refused("COUPONS_GONE", "all coupons of the template were claimed"));
    }
    if !store::count_one(&mut tx, &template.code, person_id, template.per_person).await? {
        return Err(refused("COUPON_LIMIT_REACHED", "the person has as many as one may have"));
    }
    let valid = domain::validity(&template, ctx.now, zone)
        .ok_or_else(|| Fault::internal("a template was stored without a validity"))?;
    let coupon = Coupon {
        id: Id::from_uuid(app.ids.uuid()),
        template_code: template.code,
        person_id,
        definition: found.definition,
        valid_from: valid.start,
        valid_to: valid.end,
        created_at: ctx.now,
        state: State::Issued,
        transfers: 0,
        redeemed_at: None,
        given_order_id: None,
    };
    store::insert(&mut tx, &coupon).await?;
    let reply = ClaimCouponResponse { coupon: Some(show(&coupon, ctx.now)?) };
    replay::keep(&mut tx, CLAIM, &request.request_id, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}

async fn list(
    app: &App,
    ctx: Ctx,
    request: ListCouponsRequest,
) -> Result<ListCouponsResponse, Fault> {
    let asked = parse::id("person_id", &request.person_id)?;
    let filter = format!("{asked} {}", request.show_expired);
    let page = page::Request::<Uuid>::parse(
        request.page_size,
        &request.page_token,
        limits::PAGE,
        filter.as_bytes(),
    )?;
    let person_id = app.directory.person(&ctx, asked).await?;
    let ends_after = (!request.show_expired).then_some(ctx.now);
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let person_id = buyer::leads(&mut tx, person_id).await?;
    let rows = store::list(&mut tx, person_id, ends_after, page.after, page.fetch()).await?;
    let page = page.page(rows, |coupon| coupon.id.uuid());
    Ok(ListCouponsResponse {
        coupons: page.items.iter().map(|coupon| show(coupon, ctx.now)).collect::<Result<_, _>>()?,
        next_page_token: page.next_token,
    })
}

/// A refusal by the state of things.
pub(super) fn refused(reason: &'static str, message: &'static str) -> Fault {
    Fault::new(Code::FailedPrecondition, reason, message)
}

/// A template from its column.
pub(crate) fn read(definition: &[u8]) -> Result<CouponTemplate, Fault> {
    CouponTemplate::decode(definition).map_err(Fault::internal)
}

fn show_template(row: &TemplateRow) -> Result<CouponTemplate, Fault> {
    Ok(CouponTemplate { claimed: row.claimed, ..read(&row.definition)? })
}

/// A coupon as it is shown at an instant.
pub(crate) fn show(coupon: &Coupon, now: DateTime<Utc>) -> Result<proto::Coupon, Fault> {
    let is_over = coupon.valid_to <= now;
    let state = match coupon.state {
        State::Issued if is_over => CouponState::Expired,
        State::Issued => CouponState::Issued,
        State::Locked => CouponState::Locked,
        State::Used => CouponState::Used,
        State::Void => CouponState::Void,
    };
    Ok(proto::Coupon {
        id: coupon.id.to_string(),
        person_id: coupon.person_id.to_string(),
        template: Some(read(&coupon.definition)?),
        state: state.into(),
        valid_time_from: Some(parse::timestamp(coupon.valid_from)),
        valid_time_to: Some(parse::timestamp(coupon.valid_to)),
        create_time: Some(parse::timestamp(coupon.created_at)),
        order_id: coupon.given_order_id.map(|id| id.to_string()).unwrap_or_default(),
    })
}
