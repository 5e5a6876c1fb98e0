//! The RPCs of red packets.

use std::collections::BTreeSet;

use chrono::{DateTime, SecondsFormat, Utc};
use prost::Message;
use siyu_grpc::{Ctx, parse, serve};
use siyu_kernel::{Fault, Violation};
use siyu_pg::page;
use siyu_proto::order::v1::{
    self as proto, ExportRedPacketsRequest, ExportRedPacketsResponse, GetRedPacketPolicyRequest,
    GetRedPacketPolicyResponse, GetRedPacketRequest, GetRedPacketResponse,
    GetRedPacketTotalsRequest, GetRedPacketTotalsResponse, ListRedPacketBudgetsRequest,
    ListRedPacketBudgetsResponse, RedPacketBudget, RedPacketState, SendRedPacketRequest,
    SendRedPacketResponse, SetRedPacketPolicyRequest, SetRedPacketPolicyResponse,
    UpsertRedPacketBudgetsRequest, UpsertRedPacketBudgetsResponse,
    red_packet_service_server::RedPacketService,
};
use tonic::{Request, Response, Status, async_trait};

use super::{
    domain::{Packet, State, effective},
    send,
    store::{
        self, Cursor,
        limit::{self, Budget, BudgetError},
    },
};
use crate::{App, limits};

#[async_trait]
impl RedPacketService for App {
    async fn set_red_packet_policy(
        &self,
        request: Request<SetRedPacketPolicyRequest>,
    ) -> Result<Response<SetRedPacketPolicyResponse>, Status> {
        serve(request, |ctx, message| set_policy(self, ctx, message)).await
    }

    async fn get_red_packet_policy(
        &self,
        request: Request<GetRedPacketPolicyRequest>,
    ) -> Result<Response<GetRedPacketPolicyResponse>, Status> {
        serve(request, async |ctx: Ctx, _: GetRedPacketPolicyRequest| {
            let mut tx = self.db.tenant_read(ctx.merchant()?).await?;
            let policy = Some(send::policy(&mut tx).await?);
            Ok::<_, Fault>(GetRedPacketPolicyResponse { policy })
        })
        .await
    }

    async fn upsert_red_packet_budgets(
        &self,
        request: Request<UpsertRedPacketBudgetsRequest>,
    ) -> Result<Response<UpsertRedPacketBudgetsResponse>, Status> {
        serve(request, |ctx, message| upsert_budgets(self, ctx, message)).await
    }

    async fn list_red_packet_budgets(
        &self,
        request: Request<ListRedPacketBudgetsRequest>,
    ) -> Result<Response<ListRedPacketBudgetsResponse>, Status> {
        serve(request, |ctx, message| list_budgets(self, ctx, message)).await
    }

    async fn send_red_packet(
        &self,
        request: Request<SendRedPacketRequest>,
    ) -> Result<Response<SendRedPacketResponse>, Status> {
        serve(request, |ctx, message| send::send(self, ctx, message)).await
    }

    async fn get_red_packet(
        &self,
        request: Request<GetRedPacketRequest>,
    ) -> Result<Response<GetRedPacketResponse>, Status> {
        serve(request, async |ctx: Ctx, message: GetRedPacketRequest| {
            let id = parse::id("red_packet_id", &message.red_packet_id)?;
            let mut tx = self.db.tenant_read(ctx.merchant()?).await?;
            let packet = store::find(&mut tx, id).await?;
            let packet = packet.ok_or_else(|| Fault::not_found("red packet"))?;
            Ok::<_, Fault>(GetRedPacketResponse { red_packet: Some(show(&packet)) })
        })
        .await
    }

    async fn export_red_packets(
        &self,
        request: Request<ExportRedPacketsRequest>,
    ) -> Result<Response<ExportRedPacketsResponse>, Status> {
        serve(request, |ctx, message| export(self, ctx, message)).await
    }

    async fn get_red_packet_totals(
        &self,
        request: Request<GetRedPacketTotalsRequest>,
    ) -> Result<Response<GetRedPacketTotalsResponse>, Status> {
        serve(request, async |ctx: Ctx, message: GetRedPacketTotalsRequest| {
            let span = span(message.create_time_from, message.create_time_to)?;
            let mut tx = self.db.tenant_read(ctx.merchant()?).await?;
            let totals = store::totals(&mut tx, span).await?;
            Ok::<_, Fault>(GetRedPacketTotalsResponse {
                sent_minor: totals.sent_minor,
                returned_minor: totals.returned_minor,
                packets: totals.packets,
            })
        })
        .await
    }
}

async fn set_policy(
    app: &App,
    ctx: Ctx,
    request: SetRedPacketPolicyRequest,
) -> Result<SetRedPacketPolicyResponse, Fault> {
    let given = request.policy.unwrap_or_default();
    let policy = effective(given);
    if policy.min_minor > policy.max_minor {
        return Err(Fault::field("policy.max_minor", "is less than min_minor"));
    }
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    limit::save_policy(&mut tx, &given.encode_to_vec(), ctx.now).await?;
    tx.commit().await?;
    Ok(SetRedPacketPolicyResponse { policy: Some(policy) })
}

async fn upsert_budgets(
    app: &App,
    ctx: Ctx,
    request: UpsertRedPacketBudgetsRequest,
) -> Result<UpsertRedPacketBudgetsResponse, Fault> {
    let (mut rows, mut wrong, mut seen) = (Vec::new(), Vec::new(), BTreeSet::new());
    for (i, budget) in request.budgets.iter().enumerate() {
        if !seen.insert(&budget.code) {
            let description = format!("\"{}\" stands twice", budget.code);
            wrong.push(Violation { field: format!("budgets[{i}].code"), description });
        }
        let (code, total_minor) = (budget.code.clone(), budget.total_minor);
        rows.push(Budget { code, total_minor, spent_minor: 0 });
    }
    if !wrong.is_empty() {
        return Err(Fault::invalid(wrong));
    }
    rows.sort_by(|a, b| a.code.cmp(&b.code));
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    match limit::upsert_budgets(&mut tx, &rows, ctx.now).await {
        Ok(()) => {}
        Err(BudgetError::Below) => return Err(Fault::field("budgets", "is less than is sent")),
        Err(BudgetError::Store(error)) => return Err(error.into()),
    }
    tx.commit().await?;
    Ok(UpsertRedPacketBudgetsResponse { budgets: request.budgets })
}

async fn list_budgets(
    app: &App,
    ctx: Ctx,
    request: ListRedPacketBudgetsRequest,
) -> Result<ListRedPacketBudgetsResponse, Fault> {
    let page =
        page::Request::<String>::parse(request.page_size, &request.page_token, limits::PAGE, b"")?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let rows = limit::budgets(&mut tx, page.after.as_deref(), page.fetch()).await?;
    let page = page.page(rows, |budget| budget.code.clone());
    let show = |budget: Budget| RedPacketBudget {
        code: budget.code,
        total_minor: budget.total_minor,
        spent_minor: budget.spent_minor,
    };
    Ok(ListRedPacketBudgetsResponse {
        budgets: page.items.into_iter().map(show).collect(),
        next_page_token: page.next_token,
    })
}

async fn export(
    app: &App,
    ctx: Ctx,
    request: ExportRedPacketsRequest,
) -> Result<ExportRedPacketsResponse, Fault> {
    let span = span(request.create_time_from, request.create_time_to)?;
    let page = page::Request::<Cursor>::parse(
        request.page_size,
        &request.page_token,
        limits::PAGE,
        format!("{span:?}").as_bytes(),
    )?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let rows = store::list(&mut tx, span, page.after, page.fetch()).await?;
    let page = page.page(rows, |packet| (packet.created_at, packet.id.uuid()));
    let mut csv = COLUMNS.to_owned();
    for packet in &page.items {
        csv.push_str(&row(packet));
    }
    Ok(ExportRedPacketsResponse { csv, next_page_token: page.next_token })
}

/// The names of the columns of an export (reference §3.5).
const COLUMNS: &str = "bill_no,order_no,person,employee,amount,state,sent_at,received_at,\
    refunded_at,channel_no\r\n";

fn row(packet: &Packet) -> String {
    let at = |instant: Option<DateTime<Utc>>| {
        instant.map(|at| at.to_rfc3339_opts(SecondsFormat::Secs, true)).unwrap_or_default()
    };
    let cells = [
        packet.bill_no(),
        packet.order_id.map(|id| id.to_string()).unwrap_or_default(),
        packet.person_id.to_string(),
        quoted(&packet.employee),
        packet.amount_minor.to_string(),
        packet.state.as_str().to_owned(),
        at(packet.sent_at),
        at(packet.received_at),
        at(packet.refunded_at),
        quoted(&packet.channel_no),
    ];
    format!("{}\r\n", cells.join(","))
}

/// A text as a cell (RFC 4180). One that a spreadsheet would compute begins with an apostrophe.
fn quoted(text: &str) -> String {
    let computes = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if computes { format!("'{text}") } else { text.to_owned() };
    if text.contains(['"', ',', '\r', '\n']) {
        return format!("\"{}\"", text.replace('"', "\"\""));
    }
    text
}

fn span(
    from: Option<prost_types::Timestamp>,
    to: Option<prost_types::Timestamp>,
) -> Result<(DateTime<Utc>, DateTime<Utc>), Fault> {
    Ok((
        parse::instant("create_time_from", from.unwrap_or_default())?,
        parse::instant("create_time_to", to.unwrap_or_default())?,
    ))
}

/// A packet as it is shown.
pub(super) fn show(packet: &Packet) -> proto::RedPacket {
    let state = match packet.state {
        State::Created => RedPacketState::Created,
        State::Sending => RedPacketState::Sending,
        State::Sent => RedPacketState::Sent,
        State::Received => RedPacketState::Received,
        State::Refunded => RedPacketState::Refunded,
        State::Failed => RedPacketState::Failed,
        State::Unknown => RedPacketState::Unknown,
        State::Stopped => RedPacketState::Stopped,
    };
    proto::RedPacket {
        id: packet.id.to_string(),
        bill_no: packet.bill_no(),
        person_id: packet.person_id.to_string(),
        order_id: packet.order_id.map(|id| id.to_string()).unwrap_or_default(),
        employee: packet.employee.clone(),
        approved_by: packet.approved_by.clone(),
        budget_code: packet.budget_code.clone(),
        amount_minor: packet.amount_minor,
        state: state.into(),
        channel_no: packet.channel_no.clone(),
        failure: packet.failure.clone(),
        create_time: Some(parse::timestamp(packet.created_at)),
        send_time: packet.sent_at.map(parse::timestamp),
        receive_time: packet.received_at.map(parse::timestamp),
        refund_time: packet.refunded_at.map(parse::timestamp),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_quoted_where_it_must_be_and_never_computed() {
        let cases = [
            ("Ning", "Ning"),
            ("Ning, Li", "\"Ning, Li\""),
            ("the \"boss\"", "\"the \"\"boss\"\"\""),
            ("=1+1", "'=1+1"),
            ("-a,b", "\"'-a,b\""),
        ];
        for (text, cell) in cases {
            assert_eq!(quoted(text), cell);
        }
    }
}
