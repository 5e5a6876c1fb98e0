//! The RPCs of signing in.

use chrono::NaiveDate;
use siyu_grpc::{Ctx, parse, serve};
use siyu_kernel::Fault;
use siyu_ledger::{Movement, Transfer};
use siyu_pg::{Tx, page, replay};
use siyu_proto::member::v1::{
    GetSignInPolicyRequest, GetSignInPolicyResponse, ListSignInsRequest, ListSignInsResponse,
    SetSignInPolicyRequest, SetSignInPolicyResponse, SignInPolicy, SignInRequest, SignInResponse,
    sign_in_service_server::SignInService,
};
use tonic::{Request, Response, Status, async_trait};

use super::{SignedDay, points_of, store};
use crate::{
    App,
    account::{self, POINTS, SIGNED_IN},
    limits,
    person::{self, PersonId},
    points::{self, command::transfer_id},
};

const SET: &str = "siyu.member.v1.SignInService/SetSignInPolicy";

#[async_trait]
impl SignInService for App {
    async fn set_sign_in_policy(
        &self,
        request: Request<SetSignInPolicyRequest>,
    ) -> Result<Response<SetSignInPolicyResponse>, Status> {
        serve(request, |ctx, message| set(self, ctx, message)).await
    }

    async fn get_sign_in_policy(
        &self,
        request: Request<GetSignInPolicyRequest>,
    ) -> Result<Response<GetSignInPolicyResponse>, Status> {
        serve(request, |ctx, _| get(self, ctx)).await
    }

    async fn sign_in(
        &self,
        request: Request<SignInRequest>,
    ) -> Result<Response<SignInResponse>, Status> {
        serve(request, |ctx, message| sign_in(self, ctx, message)).await
    }

    async fn list_sign_ins(
        &self,
        request: Request<ListSignInsRequest>,
    ) -> Result<Response<ListSignInsResponse>, Status> {
        serve(request, |ctx, message| list(self, ctx, message)).await
    }
}

async fn set(
    app: &App,
    ctx: Ctx,
    request: SetSignInPolicyRequest,
) -> Result<SetSignInPolicyResponse, Fault> {
    let policy = request.policy.clone().unwrap_or_default();
    let mut days: Vec<i32> = policy.bonuses.iter().map(|bonus| bonus.day).collect();
    days.sort_unstable();
    if days.windows(2).any(|two| two[0] == two[1]) {
        return Err(Fault::field("policy.bonuses", "must name a day once"));
    }
    if policy.cycle_days > 0 && days.last().is_some_and(|last| *last > policy.cycle_days) {
        return Err(Fault::field("policy.bonuses", "must be within the cycle"));
    }
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    if let Some(reply) = replay::find(&mut tx, SET, &request.request_id, &request).await? {
        return Ok(reply);
    }
    store::save_policy(&mut tx, &policy, ctx.now).await?;
    let reply = SetSignInPolicyResponse { policy: Some(policy) };
    replay::keep(&mut tx, SET, &request.request_id, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}

async fn get(app: &App, ctx: Ctx) -> Result<GetSignInPolicyResponse, Fault> {
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    Ok(GetSignInPolicyResponse { policy: Some(store::policy(&mut tx).await?) })
}

async fn sign_in(app: &App, ctx: Ctx, request: SignInRequest) -> Result<SignInResponse, Fault> {
    let asked = parse::id("person_id", &request.person_id)?;
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    let person = person::hold(&mut tx, asked).await?;
    let (rules, zone) = points::policy::current(&mut tx, ctx.now).await?;
    let day = zone.day(ctx.now).date();
    let policy = store::policy(&mut tx).await?;
    let signed = next(&mut tx, person, day, &policy, &ctx).await?;
    // Of two at the same moment the later waits here, and finds the day signed.
    if !store::insert(&mut tx, person, &signed).await? {
        let first = store::find(&mut tx, person, day).await?;
        let first = first.ok_or_else(|| Fault::internal("a signed day stands"))?;
        return Ok(SignInResponse { day: Some(first.into()) });
    }
    if signed.points > 0 {
        let wanted = [
            account::held(app.ids.uuid(), person, POINTS),
            account::issued(app.ids.uuid(), POINTS),
        ];
        let open = siyu_ledger::open(&mut tx, &wanted, ctx.now).await?;
        let movement = Movement::new(open[1].id, open[0].id, signed.points);
        let movement = movement.lot(rules.granted(ctx.now, None, None, zone));
        let id = transfer_id(tx.merchant(), "SignIn", &format!("{person} {day}"));
        siyu_ledger::post_all(&mut tx, &[Transfer::post(id, SIGNED_IN, movement)], ctx.now).await?;
    }
    tx.commit().await?;
    Ok(SignInResponse { day: Some(signed.into()) })
}

/// The day as it is if it is not signed yet: the streak goes on where the day before was signed.
async fn next(
    tx: &mut Tx,
    person: PersonId,
    day: NaiveDate,
    policy: &SignInPolicy,
    ctx: &Ctx,
) -> Result<SignedDay, Fault> {
    let before = match day.pred_opt() {
        Some(before) => store::find(tx, person, before).await?,
        None => None,
    };
    let streak = 1 + before.map_or(0, |before| before.streak);
    Ok(SignedDay { day, streak, points: points_of(policy, streak), signed_at: ctx.now })
}

async fn list(
    app: &App,
    ctx: Ctx,
    request: ListSignInsRequest,
) -> Result<ListSignInsResponse, Fault> {
    let asked: PersonId = parse::id("person_id", &request.person_id)?;
    let page = page::Request::<NaiveDate>::parse(
        request.page_size,
        &request.page_token,
        limits::PAGE,
        asked.to_string().as_bytes(),
    )?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let person = person::canonical(&mut tx, asked).await?;
    let rows = store::list(&mut tx, person, page.after, page.fetch()).await?;
    let page = page.page(rows, |signed| signed.day);
    Ok(ListSignInsResponse {
        days: page.items.into_iter().map(Into::into).collect(),
        next_page_token: page.next_token,
    })
}
