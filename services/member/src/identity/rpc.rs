//! The RPCs of merges.

use siyu_grpc::{Ctx, parse, serve};
use siyu_kernel::{Fault, Id};
use siyu_pg::{page, replay};
use siyu_proto::member::v1::{
    self as proto, DecideMergeReviewRequest, DecideMergeReviewResponse, ListMergeReviewsRequest,
    ListMergeReviewsResponse, ListMergesRequest, ListMergesResponse, MergePersonsRequest,
    MergePersonsResponse, MergeReason, ReleaseIdentityRequest, ReleaseIdentityResponse,
    UnmergePersonsRequest, UnmergePersonsResponse, identity_service_server::IdentityService,
};
use tonic::{Request, Response, Status, async_trait};
use uuid::Uuid;

use super::{Error, Merge, ReviewId, ReviewState, store, unite};
use crate::{
    App, limits,
    person::{
        self, MergeId, PersonId, Unmerge, address,
        domain::Identity,
        merge::{self, Cause},
        resolution::Conflict,
    },
    vault,
};

const MERGE: &str = "siyu.member.v1.IdentityService/MergePersons";
const UNMERGE: &str = "siyu.member.v1.IdentityService/UnmergePersons";
const RELEASE: &str = "siyu.member.v1.IdentityService/ReleaseIdentity";

#[async_trait]
impl IdentityService for App {
    async fn merge_persons(
        &self,
        request: Request<MergePersonsRequest>,
    ) -> Result<Response<MergePersonsResponse>, Status> {
        serve(request, |ctx, message| merge_persons(self, ctx, message)).await
    }

    async fn unmerge_persons(
        &self,
        request: Request<UnmergePersonsRequest>,
    ) -> Result<Response<UnmergePersonsResponse>, Status> {
        serve(request, |ctx, message| unmerge_persons(self, ctx, message)).await
    }

    async fn list_merges(
        &self,
        request: Request<ListMergesRequest>,
    ) -> Result<Response<ListMergesResponse>, Status> {
        serve(request, |ctx, message| list(self, ctx, message)).await
    }

    async fn list_merge_reviews(
        &self,
        request: Request<ListMergeReviewsRequest>,
    ) -> Result<Response<ListMergeReviewsResponse>, Status> {
        serve(request, |ctx, message| list_reviews(self, ctx, message)).await
    }

    async fn decide_merge_review(
        &self,
        request: Request<DecideMergeReviewRequest>,
    ) -> Result<Response<DecideMergeReviewResponse>, Status> {
        serve(request, |ctx, message| decide(self, ctx, message)).await
    }

    async fn release_identity(
        &self,
        request: Request<ReleaseIdentityRequest>,
    ) -> Result<Response<ReleaseIdentityResponse>, Status> {
        serve(request, |ctx, message| release(self, ctx, message)).await
    }
}

async fn merge_persons(
    app: &App,
    ctx: Ctx,
    request: MergePersonsRequest,
) -> Result<MergePersonsResponse, Fault> {
    let mut ids: Vec<PersonId> = Vec::with_capacity(request.person_ids.len());
    for (i, id) in request.person_ids.iter().enumerate() {
        ids.push(parse::id(&format!("person_ids[{i}]"), id)?);
    }
    let print = vault::keys(app, ctx.merchant()?).await?.fingerprint(&request);
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    let first: Option<MergePersonsResponse> =
        replay::find(&mut tx, MERGE, &request.request_id, &print).await?;
    if let Some(reply) = first {
        return Ok(noted(reply, &request.note));
    }
    let (survivor, losers) = unite::lock(&mut tx, &ids).await?;
    if losers.is_empty() {
        return Err(Error::AlreadyOne.into());
    }
    let persons = losers.iter().copied().chain([survivor]).collect();
    let conflict = request.review_conflicts && unite::differ(&mut tx, &persons).await?;
    let merges = if conflict {
        let conflict = Conflict { persons, keys: Vec::new() };
        store::open_reviews(app, &mut tx, &[conflict], ctx.now).await?;
        Vec::new()
    } else {
        let cause = Cause { reason: MergeReason::Manual, note: &request.note, keys: &[] };
        unite::unite(app, &mut tx, &ctx, (survivor, &losers), &cause).await?
    };
    // What is kept for repeats holds nothing that the operator said.
    let reply = MergePersonsResponse {
        survivor_person_id: survivor.to_string(),
        merges: merges.iter().map(Merge::told).collect::<Result<_, _>>()?,
        conflict,
    };
    replay::keep(&mut tx, MERGE, &request.request_id, &reply).await?;
    tx.commit().await?;
    Ok(noted(reply, &request.note))
}

fn noted(mut reply: MergePersonsResponse, note: &str) -> MergePersonsResponse {
    reply.merges.iter_mut().for_each(|merge| note.clone_into(&mut merge.note));
    reply
}

async fn unmerge_persons(
    app: &App,
    ctx: Ctx,
    request: UnmergePersonsRequest,
) -> Result<UnmergePersonsResponse, Fault> {
    let id: MergeId = parse::id("merge_id", &request.merge_id)?;
    let print = vault::keys(app, ctx.merchant()?).await?.fingerprint(&request);
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    let first: Option<UnmergePersonsResponse> =
        replay::find(&mut tx, UNMERGE, &request.request_id, &print).await?;
    let row = store::lock(&mut tx, id).await?.ok_or_else(|| Fault::not_found("merge"))?;
    if first.is_some() {
        return Ok(UnmergePersonsResponse { merge: Some(row.try_into()?) });
    }
    row.check_undo(ctx.now)?;
    let persons = person::lock(&mut tx, &[row.loser_id]).await?;
    unite::refuse_erased(&mut tx, &persons).await?;
    let survivor = persons[0].0;
    let unmerge = Unmerge {
        id,
        survivor,
        loser: row.loser_id,
        origins: store::family(&mut tx, row.loser_id).await?,
        merged_at: row.merged_at,
        at: ctx.now,
    };
    merge::divide(app, &mut tx, &row, &unmerge, &request.note).await?;
    // The same keys would merge them again at once.
    store::keep_apart(&mut tx, &[row.survivor_id, survivor], &[row.loser_id], ctx.now).await?;
    let row = Merge { unmerged_at: Some(ctx.now), ..row };
    // The row stands: it is shown to repeats, as long as it holds something to be shown.
    let kept = UnmergePersonsResponse::default();
    replay::keep(&mut tx, UNMERGE, &request.request_id, &kept).await?;
    tx.commit().await?;
    Ok(UnmergePersonsResponse { merge: Some(row.try_into()?) })
}

async fn list(
    app: &App,
    ctx: Ctx,
    request: ListMergesRequest,
) -> Result<ListMergesResponse, Fault> {
    let asked: Option<PersonId> = parse::optional_id("person_id", &request.person_id)?;
    let page = page::Request::<Uuid>::parse(
        request.page_size,
        &request.page_token,
        limits::PAGE,
        request.person_id.as_bytes(),
    )?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let family = match asked {
        Some(id) => {
            let person = person::canonical(&mut tx, id).await?;
            // An id whose merge was undone has its own history.
            let mut family = store::family(&mut tx, person).await?;
            family.push(id);
            Some(family)
        }
        None => None,
    };
    let rows = store::list(&mut tx, family.as_deref(), page.after, page.fetch()).await?;
    let page = page.page(rows, |merge| merge.id.uuid());
    Ok(ListMergesResponse {
        merges: page.items.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?,
        next_page_token: page.next_token,
    })
}

async fn list_reviews(
    app: &App,
    ctx: Ctx,
    request: ListMergeReviewsRequest,
) -> Result<ListMergeReviewsResponse, Fault> {
    let state = ReviewState::read(request.state)?;
    let page = page::Request::<Uuid>::parse(
        request.page_size,
        &request.page_token,
        limits::PAGE,
        &request.state.to_be_bytes(),
    )?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let rows = store::list_reviews(&mut tx, state, page.after, page.fetch()).await?;
    let page = page.page(rows, |review| review.id.uuid());
    Ok(ListMergeReviewsResponse {
        reviews: page.items.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?,
        next_page_token: page.next_token,
    })
}

async fn decide(
    app: &App,
    ctx: Ctx,
    request: DecideMergeReviewRequest,
) -> Result<DecideMergeReviewResponse, Fault> {
    let id: ReviewId = parse::id("review_id", &request.review_id)?;
    let state = match proto::MergeDecision::try_from(request.decision) {
        Ok(proto::MergeDecision::Merge) => ReviewState::Merged,
        Ok(proto::MergeDecision::KeepApart) => ReviewState::KeptApart,
        Ok(proto::MergeDecision::Unspecified) | Err(_) => {
            return Err(Fault::field("decision", "is not a known value"));
        }
    };
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    let found = store::lock_review(&mut tx, id).await?;
    let mut review = found.ok_or_else(|| Fault::not_found("review"))?;
    if review.state == state {
        return Ok(DecideMergeReviewResponse { review: Some(review.try_into()?) });
    }
    if review.state != ReviewState::Open {
        return Err(Error::Decided.into());
    }
    if state == ReviewState::Merged {
        let cause = Cause { reason: MergeReason::Review, note: &request.note, keys: &[] };
        let (survivor, losers) = unite::lock(&mut tx, &review.person_ids).await?;
        unite::unite(app, &mut tx, &ctx, (survivor, &losers), &cause).await?;
    } else {
        let persons = person::lock(&mut tx, &review.person_ids).await?;
        unite::refuse_erased(&mut tx, &persons).await?;
        let persons = &review.person_ids;
        store::keep_apart(&mut tx, persons, persons, ctx.now).await?;
    }
    (review.state, review.note, review.decided_at) = (state, request.note, Some(ctx.now));
    store::save_review(&mut tx, &review).await?;
    tx.commit().await?;
    Ok(DecideMergeReviewResponse { review: Some(review.try_into()?) })
}

async fn release(
    app: &App,
    ctx: Ctx,
    request: ReleaseIdentityRequest,
) -> Result<ReleaseIdentityResponse, Fault> {
    let key = Identity::read("identity", &request.identity.clone().unwrap_or_default())?;
    let keys = vault::keys(app, ctx.merchant()?).await?;
    let key = address::conceal(&keys, key);
    let print = keys.fingerprint(&request);
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    if let Some(reply) = replay::find(&mut tx, RELEASE, &request.request_id, &print).await? {
        return Ok(reply);
    }
    let id = app.ids.uuid();
    let holder = store::release(&mut tx, id, &key, &request.note, ctx.now).await?;
    let person = holder.ok_or_else(|| Fault::not_found("identity"))?;
    let reply = ReleaseIdentityResponse { person_id: Id::to_string(&person) };
    replay::keep(&mut tx, RELEASE, &request.request_id, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}
