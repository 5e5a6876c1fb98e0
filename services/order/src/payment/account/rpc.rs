//! The methods that keep accounts with payment companies.

use siyu_grpc::Ctx;
use siyu_kernel::Fault;
use siyu_pg::page;
use siyu_proto::order::v1::{
    ListProviderAccountsRequest, ListProviderAccountsResponse, UpsertProviderAccountsRequest,
    UpsertProviderAccountsResponse,
};

use super::{Account, merged, repeated, store};
use crate::{App, limits};

pub(crate) async fn upsert(
    app: &App,
    ctx: Ctx,
    request: UpsertProviderAccountsRequest,
) -> Result<UpsertProviderAccountsResponse, Fault> {
    let merchant = ctx.merchant()?;
    let mut wrong = repeated(&request.accounts);
    let keys = app.vault.keys(&app.db, merchant, ctx.now).await?;
    // Locked by code, so that two calls never wait for each other.
    let mut order: Vec<usize> = (0..request.accounts.len()).collect();
    order.sort_by_key(|&i| &request.accounts[i].code);
    let mut tx = app.db.tenant(merchant).await?;
    let mut accounts: Vec<(usize, Account)> = Vec::new();
    for i in order {
        let given = &request.accounts[i];
        let known = store::lock(&mut tx, &given.code).await?;
        match merged(app, &format!("accounts[{i}]"), given, known.as_ref(), &keys) {
            Err(violations) => wrong.extend(violations),
            Ok(account) => {
                if known.as_ref() != Some(&account) {
                    store::upsert(&mut tx, &account, ctx.now).await?;
                }
                accounts.push((i, account));
            }
        }
    }
    if !wrong.is_empty() {
        return Err(Fault::invalid(wrong));
    }
    tx.commit().await?;
    accounts.sort_by_key(|(i, _)| *i);
    let accounts = accounts.iter().map(|(_, account)| account.show()).collect::<Result<_, _>>()?;
    Ok(UpsertProviderAccountsResponse { accounts })
}

pub(crate) async fn list(
    app: &App,
    ctx: Ctx,
    request: ListProviderAccountsRequest,
) -> Result<ListProviderAccountsResponse, Fault> {
    let page =
        page::Request::<String>::parse(request.page_size, &request.page_token, limits::PAGE, b"")?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let rows = store::list(&mut tx, page.after.as_deref(), page.fetch()).await?;
    let page = page.page(rows, |account| account.code.clone());
    Ok(ListProviderAccountsResponse {
        accounts: page.items.iter().map(Account::show).collect::<Result<_, _>>()?,
        next_page_token: page.next_token,
    })
}
