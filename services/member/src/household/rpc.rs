//! The RPCs of relations between persons.

use siyu_grpc::{Ctx, parse, serve};
use siyu_kernel::{Fault, Id};
use siyu_pg::{Tx, page};
use siyu_proto::member::v1::{
    ListRelationsRequest, ListRelationsResponse, RelatePersonsRequest, RelatePersonsResponse,
    RelationChanged, UnrelatePersonsRequest, UnrelatePersonsResponse,
    household_service_server::HouseholdService,
};
use tonic::{Request, Response, Status, async_trait};
use uuid::Uuid;

use super::{Kind, Relation, domain::Error, store};
use crate::{
    App, limits,
    person::{self, PersonId},
    publish_all, rights, stage,
};

#[async_trait]
impl HouseholdService for App {
    async fn relate_persons(
        &self,
        request: Request<RelatePersonsRequest>,
    ) -> Result<Response<RelatePersonsResponse>, Status> {
        serve(request, |ctx, message| relate(self, ctx, message)).await
    }

    async fn unrelate_persons(
        &self,
        request: Request<UnrelatePersonsRequest>,
    ) -> Result<Response<UnrelatePersonsResponse>, Status> {
        serve(request, |ctx, message| unrelate(self, ctx, message)).await
    }

    async fn list_relations(
        &self,
        request: Request<ListRelationsRequest>,
    ) -> Result<Response<ListRelationsResponse>, Status> {
        serve(request, |ctx, message| list(self, ctx, message)).await
    }
}

async fn relate(
    app: &App,
    ctx: Ctx,
    request: RelatePersonsRequest,
) -> Result<RelatePersonsResponse, Fault> {
    let asked = read(&request.person_id, &request.other_person_id)?;
    let kind = read_kind(request.kind)?;
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    let (person, other) = hold(&mut tx, asked).await?;
    rights::refuse_any_erased(&mut tx, &[person, other]).await?;
    if let Some(stands) = store::find(&mut tx, person, kind, other).await? {
        return Ok(RelatePersonsResponse { relation: Some(stands.into()) });
    }
    let relation = Relation {
        person_id: person,
        kind,
        other_id: other,
        since_at: ctx.now,
        source: request.source,
    };
    check(&mut tx, &relation).await?;
    store::insert(&mut tx, &relation).await?;
    tell(app, &mut tx, &ctx, &relation, Change::Began).await?;
    stage::refresh(app, &mut tx, [person, other], ctx.now).await?;
    tx.commit().await?;
    Ok(RelatePersonsResponse { relation: Some(relation.into()) })
}

/// Two persons who are held.
async fn hold(
    tx: &mut Tx,
    (person, other): (PersonId, PersonId),
) -> Result<(PersonId, PersonId), Fault> {
    let persons = person::hold_all(tx, &[person, other]).await?;
    let found = |id| persons.get(&id).copied().ok_or_else(|| Fault::not_found("person"));
    let (person, other) = (found(person)?, found(other)?);
    if person == other {
        return Err(Error::WithSelf.into());
    }
    store::lock(tx, [person, other]).await?;
    Ok((person, other))
}

/// Whether a new relation keeps the limits of both sides. A circle of invitations is looked for by one at a time.
async fn check(tx: &mut Tx, relation: &Relation) -> Result<(), Fault> {
    for side in [relation.clone(), relation.inverse()] {
        if store::count(tx, side.person_id, side.kind).await? >= side.kind.max() {
            let error =
                if side.kind == Kind::InvitedBy { Error::InviterTaken } else { Error::TooMany };
            return Err(error.into());
        }
        if side.kind == Kind::InvitedBy {
            store::lock_invitations(tx).await?;
            if store::is_inviter(tx, side.person_id, side.other_id).await? {
                return Err(Error::Cycle.into());
            }
        }
    }
    Ok(())
}

async fn unrelate(
    app: &App,
    ctx: Ctx,
    request: UnrelatePersonsRequest,
) -> Result<UnrelatePersonsResponse, Fault> {
    let asked = read(&request.person_id, &request.other_person_id)?;
    let kind = read_kind(request.kind)?;
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    let (person, other) = hold(&mut tx, asked).await?;
    let Some(stands) = store::find(&mut tx, person, kind, other).await? else {
        return Ok(UnrelatePersonsResponse {});
    };
    store::delete(&mut tx, person, kind, other).await?;
    tell(app, &mut tx, &ctx, &stands, Change::Ended).await?;
    tx.commit().await?;
    Ok(UnrelatePersonsResponse {})
}

fn read(person: &str, other: &str) -> Result<(PersonId, PersonId), Fault> {
    Ok((parse::id("person_id", person)?, parse::id("other_person_id", other)?))
}

fn read_kind(kind: i32) -> Result<Kind, Fault> {
    Kind::read(kind).ok_or_else(|| Fault::field("kind", "is not a known value"))
}

/// What happened to a relation.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Change {
    Began,
    Ended,
}

async fn tell(
    app: &App,
    tx: &mut Tx,
    ctx: &Ctx,
    relation: &Relation,
    change: Change,
) -> Result<(), siyu_pg::Error> {
    let facts = [relation.clone(), relation.inverse()].map(|relation| {
        // What was said about it is for those who may see the persons, and the log of facts forgets nothing.
        let relation = Relation { source: String::new(), ..relation };
        let subject = relation.person_id.to_string();
        let ended = change == Change::Ended;
        (subject, RelationChanged { relation: Some(relation.into()), ended })
    });
    publish_all(app, tx, ctx, &facts).await
}

async fn list(
    app: &App,
    ctx: Ctx,
    request: ListRelationsRequest,
) -> Result<ListRelationsResponse, Fault> {
    let asked: PersonId = parse::id("person_id", &request.person_id)?;
    let kind = if request.kind == 0 { None } else { Some(read_kind(request.kind)?) };
    let page = page::Request::<(String, Uuid)>::parse(
        request.page_size,
        &request.page_token,
        limits::PAGE,
        format!("{asked} {kind:?}").as_bytes(),
    )?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let person = person::canonical(&mut tx, asked).await?;
    let after = page.after.clone().map(|(kind, other)| (kind, Id::from_uuid(other)));
    let rows = store::list(&mut tx, person, kind, after.as_ref(), page.fetch()).await?;
    let page = page.page(rows, |row| (row.kind.as_str().to_owned(), row.other_id.uuid()));
    Ok(ListRelationsResponse {
        relations: page.items.into_iter().map(Into::into).collect(),
        next_page_token: page.next_token,
    })
}
