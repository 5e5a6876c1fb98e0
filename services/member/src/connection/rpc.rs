//! The RPCs of connections.

use std::collections::{BTreeMap, BTreeSet};

use siyu_grpc::{Ctx, parse, serve};
use siyu_kernel::{Fault, Id};
use siyu_pg::{Tx, page};
use siyu_proto::member::v1::{
    self as proto, ConnectionChanged, GetConnectionKindsRequest, GetConnectionKindsResponse,
    ListAccountConnectionsRequest, ListAccountConnectionsResponse, ListConnectionsRequest,
    ListConnectionsResponse, RecordConnectionsRequest, RecordConnectionsResponse,
    RecordTouchesRequest, RecordTouchesResponse, connection_service_server::ConnectionService,
};
use tonic::{Request, Response, Status, async_trait};
use uuid::Uuid;

use super::{Connection, Reason, State, kind, store, touch};
use crate::{
    App, limits,
    person::{self, PersonId},
    publish_all, rights, stage, tag,
};

#[async_trait]
impl ConnectionService for App {
    async fn record_connections(
        &self,
        request: Request<RecordConnectionsRequest>,
    ) -> Result<Response<RecordConnectionsResponse>, Status> {
        serve(request, |ctx, message| record(self, ctx, message)).await
    }

    async fn list_connections(
        &self,
        request: Request<ListConnectionsRequest>,
    ) -> Result<Response<ListConnectionsResponse>, Status> {
        serve(request, |ctx, message| list(self, ctx, message)).await
    }

    async fn list_account_connections(
        &self,
        request: Request<ListAccountConnectionsRequest>,
    ) -> Result<Response<ListAccountConnectionsResponse>, Status> {
        serve(request, |ctx, message| list_of_account(self, ctx, message)).await
    }

    async fn record_touches(
        &self,
        request: Request<RecordTouchesRequest>,
    ) -> Result<Response<RecordTouchesResponse>, Status> {
        serve(request, |ctx, message| touch::record(self, ctx, message)).await
    }

    async fn get_connection_kinds(
        &self,
        request: Request<GetConnectionKindsRequest>,
    ) -> Result<Response<GetConnectionKindsResponse>, Status> {
        serve(request, |ctx, message| kind::get(self, ctx, message)).await
    }
}

async fn record(
    app: &App,
    ctx: Ctx,
    request: RecordConnectionsRequest,
) -> Result<RecordConnectionsResponse, Fault> {
    let read = |(i, connection)| read(&ctx, &format!("connections[{i}]"), connection);
    let told: Vec<Connection> =
        request.connections.iter().enumerate().map(read).collect::<Result<_, _>>()?;
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    let named: Vec<PersonId> = told.iter().map(|fact| fact.person_id).collect();
    let persons = person::hold_all(&mut tx, &named).await?;
    // The latest fact of each edge; in the order of the edges, so that two calls never wait for each other.
    let mut latest: BTreeMap<(PersonId, String, String), Connection> = BTreeMap::new();
    for fact in told {
        let person_id = *persons.get(&fact.person_id).ok_or_else(|| Fault::not_found("person"))?;
        let fact = Connection { person_id, ..fact };
        let edge = (fact.person_id, fact.channel.clone(), fact.account_id.clone());
        if latest.get(&edge).is_none_or(|known| known.state_at < fact.state_at) {
            latest.insert(edge, fact);
        }
    }
    let mut facts: Vec<Connection> = latest.into_values().collect();
    forget_sources(&mut tx, &mut facts).await?;
    let news = store::record(&mut tx, &facts, ctx.now).await?;
    let events: Vec<(String, ConnectionChanged)> = news
        .iter()
        .map(|c| {
            // A source is for those who may see the person, and the log of facts forgets nothing.
            let told = Connection { source: String::new(), ..c.clone() };
            (c.person_id.to_string(), ConnectionChanged { connection: Some(told.into()) })
        })
        .collect();
    publish_all(app, &mut tx, &ctx, &events).await?;
    let persons: BTreeSet<PersonId> = news.iter().map(|c| c.person_id).collect();
    tag::mark(&mut tx, &persons.iter().copied().collect::<Vec<_>>()).await?;
    stage::refresh(app, &mut tx, persons, ctx.now).await?;
    tx.commit().await?;
    Ok(RecordConnectionsResponse { changed: i32::try_from(news.len()).expect("at most 1000") })
}

/// Of persons whose data were erased it is kept that they come and go, and not where they came from.
async fn forget_sources(tx: &mut Tx, facts: &mut [Connection]) -> Result<(), Fault> {
    let persons: Vec<PersonId> = facts.iter().map(|fact| fact.person_id).collect();
    let erased = rights::store::erased(tx, &persons).await?;
    for fact in facts.iter_mut().filter(|fact| erased.contains(&fact.person_id)) {
        fact.source.clear();
    }
    Ok(())
}

fn read(ctx: &Ctx, field: &str, connection: &proto::Connection) -> Result<Connection, Fault> {
    let at = |name: &str| format!("{field}.{name}");
    let state_time =
        connection.state_time.ok_or_else(|| Fault::field(at("state_time"), "is required"))?;
    let state_at = parse::instant(&at("state_time"), state_time)?;
    // The latest fact of an edge stands: one of the future would refuse all others until then.
    if state_at > ctx.now + limits::CLOCK_AHEAD_MAX {
        return Err(Fault::field(at("state_time"), "must not be in the future"));
    }
    let reason = Reason::read(connection.reason)
        .ok_or_else(|| Fault::field(at("reason"), "is not a known value"))?;
    let is_live = State::read(connection.state) == Some(State::Connected);
    if is_live && reason != Reason::Untold {
        return Err(Fault::field(at("reason"), "is for edges that ended"));
    }
    Ok(Connection {
        person_id: parse::id(&at("person_id"), &connection.person_id)?,
        channel: connection.channel.clone(),
        account_id: connection.account_id.clone(),
        state: State::read(connection.state)
            .ok_or_else(|| Fault::field(at("state"), "is not a known value"))?,
        state_at,
        source: connection.source.clone(),
        reason,
    })
}

async fn list(
    app: &App,
    ctx: Ctx,
    request: ListConnectionsRequest,
) -> Result<ListConnectionsResponse, Fault> {
    let asked = parse::id("person_id", &request.person_id)?;
    let filter = request.person_id.as_bytes();
    let page = page::Request::<(String, String)>::parse(
        request.page_size,
        &request.page_token,
        limits::PAGE,
        filter,
    )?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let person_id = person::canonical(&mut tx, asked).await?;
    let rows = store::list(&mut tx, person_id, page.after.as_ref(), page.fetch()).await?;
    let page = page.page(rows, |c| (c.channel.clone(), c.account_id.clone()));
    Ok(ListConnectionsResponse {
        connections: page.items.into_iter().map(Into::into).collect(),
        next_page_token: page.next_token,
    })
}

async fn list_of_account(
    app: &App,
    ctx: Ctx,
    request: ListAccountConnectionsRequest,
) -> Result<ListAccountConnectionsResponse, Fault> {
    let state = State::read(request.state);
    if state.is_none() && request.state != 0 {
        return Err(Fault::field("state", "is not a known value"));
    }
    let account = (request.channel.as_str(), request.account_id.as_str());
    let page = page::Request::<Uuid>::parse(
        request.page_size,
        &request.page_token,
        limits::PAGE,
        format!("{account:?} {state:?}").as_bytes(),
    )?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let after = page.after.map(Id::from_uuid);
    let rows = store::of_account(&mut tx, account, state, after, page.fetch()).await?;
    let page = page.page(rows, |connection| connection.person_id.uuid());
    Ok(ListAccountConnectionsResponse {
        connections: page.items.into_iter().map(Into::into).collect(),
        next_page_token: page.next_token,
    })
}
