//! The RPCs of commissions.

use siyu_grpc::{Ctx, parse, serve};
use siyu_kernel::Fault;
use siyu_pg::page;
use siyu_proto::distribution::v1::{
    CheckCommissionLedgerRequest, CheckCommissionLedgerResponse, GetCommissionRuleRequest,
    GetCommissionRuleResponse, ListCommissionsRequest, ListCommissionsResponse,
    SetCommissionRuleRequest, SetCommissionRuleResponse,
    commission_service_server::CommissionService,
};
use tonic::{Request, Response, Status, async_trait};
use uuid::Uuid;

use super::{domain::Rule, rule_at, store};
use crate::{App, limits};

#[async_trait]
impl CommissionService for App {
    async fn get_commission_rule(
        &self,
        request: Request<GetCommissionRuleRequest>,
    ) -> Result<Response<GetCommissionRuleResponse>, Status> {
        serve(request, |ctx, _| get_rule(self, ctx)).await
    }

    async fn set_commission_rule(
        &self,
        request: Request<SetCommissionRuleRequest>,
    ) -> Result<Response<SetCommissionRuleResponse>, Status> {
        serve(request, |ctx, message| set_rule(self, ctx, message)).await
    }

    async fn list_commissions(
        &self,
        request: Request<ListCommissionsRequest>,
    ) -> Result<Response<ListCommissionsResponse>, Status> {
        serve(request, |ctx, message| list(self, ctx, message)).await
    }

    async fn check_commission_ledger(
        &self,
        request: Request<CheckCommissionLedgerRequest>,
    ) -> Result<Response<CheckCommissionLedgerResponse>, Status> {
        serve(request, |ctx, _| check(self, ctx)).await
    }
}

async fn get_rule(app: &App, ctx: Ctx) -> Result<GetCommissionRuleResponse, Fault> {
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let rule = rule_at(&mut tx, ctx.now).await?;
    Ok(GetCommissionRuleResponse { rule: Some(rule.into()) })
}

async fn set_rule(
    app: &App,
    ctx: Ctx,
    request: SetCommissionRuleRequest,
) -> Result<SetCommissionRuleResponse, Fault> {
    let wanted = request.rule.unwrap_or_default();
    let rule = Rule {
        valid_from: ctx.now,
        level1_bp: wanted.level1_bp,
        level2_bp: wanted.level2_bp,
        binding_valid_days: wanted.binding_valid_days,
        protect_days: wanted.protect_days,
        imported_private_orders: wanted.imported_private_orders,
    };
    if rule.level1_bp + rule.level2_bp > limits::PAYOUT_BP_MAX {
        let text = format!("must be at most {} together with level1_bp", limits::PAYOUT_BP_MAX);
        return Err(Fault::field("rule.level2_bp", text));
    }
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    let standing = rule_at(&mut tx, ctx.now).await?;
    if (Rule { valid_from: ctx.now, ..standing }) != rule {
        store::insert_rule(&mut tx, &rule).await?;
        tx.commit().await?;
    }
    Ok(SetCommissionRuleResponse { rule: Some(rule.into()) })
}

async fn list(
    app: &App,
    ctx: Ctx,
    request: ListCommissionsRequest,
) -> Result<ListCommissionsResponse, Fault> {
    let promoter_id = parse::optional_id("promoter_id", &request.promoter_id)?;
    let order_id = parse::optional_id("order_id", &request.order_id)?;
    let filter = format!("{} {}", request.promoter_id, request.order_id);
    let page = page::Request::<Uuid>::parse(
        request.page_size,
        &request.page_token,
        limits::PAGE,
        filter.as_bytes(),
    )?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let rows = store::list(&mut tx, promoter_id, order_id, page.after, page.fetch()).await?;
    let page = page.page(rows, |commission| commission.id.uuid());
    Ok(ListCommissionsResponse {
        commissions: page.items.into_iter().map(Into::into).collect(),
        next_page_token: page.next_token,
    })
}

async fn check(app: &App, ctx: Ctx) -> Result<CheckCommissionLedgerResponse, Fault> {
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let report = siyu_ledger::check(&mut tx).await?;
    Ok(CheckCommissionLedgerResponse {
        accounts: report.totals.accounts,
        transfers: report.totals.transfers,
        findings: report.findings.iter().map(ToString::to_string).collect(),
    })
}
