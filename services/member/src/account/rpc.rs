//! The RPCs of accounts.

use std::collections::HashMap;

use siyu_grpc::{Ctx, parse, serve};
use siyu_kernel::{Fault, Id, kind::Order};
use siyu_ledger::{Entry, EntryPage, TransferCode, TransferId};
use siyu_pg::page;
use siyu_proto::member::v1::{
    self as proto, CheckLedgerRequest, CheckLedgerResponse, ListEntriesRequest,
    ListEntriesResponse, account_service_server::AccountService,
};
use tonic::{Request, Response, Status, async_trait};

use uuid::Uuid;

use super::{GROWTH, MERGED, POINTS, key, reason};
use crate::{
    App, limits,
    person::{self, MergeId},
    points,
};

#[async_trait]
impl AccountService for App {
    async fn list_entries(
        &self,
        request: Request<ListEntriesRequest>,
    ) -> Result<Response<ListEntriesResponse>, Status> {
        serve(request, |ctx, message| list(self, ctx, message)).await
    }

    async fn check_ledger(
        &self,
        request: Request<CheckLedgerRequest>,
    ) -> Result<Response<CheckLedgerResponse>, Status> {
        serve(request, |ctx, _| check(self, ctx)).await
    }
}

async fn list(
    app: &App,
    ctx: Ctx,
    request: ListEntriesRequest,
) -> Result<ListEntriesResponse, Fault> {
    let asked = parse::id("person_id", &request.person_id)?;
    let asset = match proto::Asset::try_from(request.asset) {
        Ok(proto::Asset::Points) => POINTS,
        Ok(proto::Asset::Growth) => GROWTH,
        Ok(proto::Asset::Unspecified) | Err(_) => {
            return Err(Fault::field("asset", "is not a known value"));
        }
    };
    let filter = format!("{asked} {}", request.asset);
    let page = page::Request::<i64>::parse(
        request.page_size,
        &request.page_token,
        limits::PAGE,
        filter.as_bytes(),
    )?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let person_id = person::canonical(&mut tx, asked).await?;
    let Some(account) = siyu_ledger::find(&mut tx, &[key(person_id, asset)]).await?.remove(0)
    else {
        return Ok(ListEntriesResponse::default());
    };
    let limit = u16::try_from(page.fetch()).expect("pages have a bound");
    let rows =
        siyu_ledger::entries(&mut tx, account.id, EntryPage { before: page.after, limit }).await?;
    let page = page.page(rows, |entry| entry.number);
    let transfers: Vec<_> = page.items.iter().map(|entry| entry.record.id).collect();
    let notes: HashMap<_, _> =
        points::store::notes(&mut tx, &transfers).await?.into_iter().collect();
    Ok(ListEntriesResponse {
        entries: page.items.iter().map(|entry| show(entry, &notes)).collect(),
        next_page_token: page.next_token,
    })
}

fn show(entry: &Entry, notes: &HashMap<TransferId, String>) -> proto::Entry {
    let record = &entry.record;
    proto::Entry {
        transfer_id: record.id.to_string(),
        amount: entry.change,
        balance_after: entry.balance,
        reason: reason(record.code).to_owned(),
        reference: record.reference.map(|id| about(record.code, id)).unwrap_or_default(),
        post_time: Some(parse::timestamp(record.posted_at)),
        note: notes.get(&record.id).cloned().unwrap_or_default(),
    }
}

/// What a posting is about: a merge, or an order.
fn about(code: TransferCode, id: Uuid) -> String {
    if code == MERGED {
        MergeId::from_uuid(id).to_string()
    } else {
        Id::<Order>::from_uuid(id).to_string()
    }
}

async fn check(app: &App, ctx: Ctx) -> Result<CheckLedgerResponse, Fault> {
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let report = siyu_ledger::check(&mut tx).await?;
    Ok(CheckLedgerResponse {
        accounts: report.totals.accounts,
        transfers: report.totals.transfers,
        findings: report.findings.iter().map(ToString::to_string).collect(),
    })
}
