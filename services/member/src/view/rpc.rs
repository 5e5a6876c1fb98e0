//! The RPC of the view.

use std::collections::BTreeSet;

use siyu_grpc::{Ctx, parse, serve};
use siyu_kernel::{Code, Fault};
use siyu_pg::Tx;
use siyu_proto::{
    member::v1::{
        BlacklistScope, GetMemberViewRequest, GetMemberViewResponse, MemberSection, PointsBalance,
        PurchaseBrief, PurchaseSummary, ValueCard, view_service_server::ViewService,
    },
    r#type::v1::Money,
};
use tonic::{Request, Response, Status, async_trait};

use super::section;
use crate::{
    App, blacklist, connection, consent, household, limits, merchant,
    owner::{self, Span},
    person::{self, PersonId},
    profile, purchase,
    staff::{self, Role, StaffId, StaffScope},
    stage, tag,
    value::{books, card, policy},
    vault,
};

#[async_trait]
impl ViewService for App {
    async fn get_member_view(
        &self,
        request: Request<GetMemberViewRequest>,
    ) -> Result<Response<GetMemberViewResponse>, Status> {
        serve(request, |ctx, message| get(self, ctx, message)).await
    }
}

async fn get(
    app: &App,
    ctx: Ctx,
    request: GetMemberViewRequest,
) -> Result<GetMemberViewResponse, Fault> {
    let asked = parse::id("person_id", &request.person_id)?;
    let viewer = parse::optional_id("viewer_staff_id", &request.viewer_staff_id)?;
    let keys = vault::keys(app, ctx.merchant()?).await?;
    let withheld = section::withheld(&ctx.scopes);
    let shows = |section: MemberSection| !withheld.contains(&section);

    let mut tx = app.db.tenant_lookup(ctx.merchant()?).await?;
    let person = person::canonical(&mut tx, asked).await?;
    let owner = owner::store::current(&mut tx, person).await?;
    if let Some(viewer) = viewer {
        check_reach(&mut tx, viewer, owner.as_ref()).await?;
    }
    let known = person::rpc::load(&mut tx, &ctx, &keys, person).await?;
    let mut view = GetMemberViewResponse {
        person_id: person.to_string(),
        create_time: known.create_time,
        identities: known.identities,
        tier: known.tier,
        stage: Some(stage::rpc::show(&mut tx, &ctx, person).await?),
        profile: profile::load(&mut tx, &keys, person).await?.map(profile::domain::masked),
        withheld: withheld.iter().map(|section| i32::from(*section)).collect(),
        ..Default::default()
    };
    if shows(MemberSection::Points) {
        view.points = Some(PointsBalance {
            available: known.points_available,
            total: known.points_total,
            growth: known.growth,
        });
    }
    if shows(MemberSection::Owner) {
        view.owner = owner.map(Into::into);
    }
    if shows(MemberSection::Connections) {
        let edges = connection::store::list(&mut tx, person, None, limits::VIEW_ROWS_MAX).await?;
        view.connections = edges.into_iter().map(Into::into).collect();
        let points = known.points_available;
        view.kinds = connection::kind::held(&mut tx, &ctx, person, points).await?;
    }
    if shows(MemberSection::Purchases) {
        view.purchases = Some(purchases(&mut tx, person).await?);
    }
    if shows(MemberSection::Household) {
        let relations =
            household::store::list(&mut tx, person, None, None, limits::VIEW_ROWS_MAX).await?;
        view.household = relations.into_iter().map(Into::into).collect();
    }
    if shows(MemberSection::Value) {
        view.value_cards = value_cards(&mut tx, &ctx, person).await?;
    }
    if shows(MemberSection::Consents) {
        let decisions = consent::store::in_force(&mut tx, person).await?;
        view.consents = consent::show::effective(&decisions);
    }
    if shows(MemberSection::Tags) {
        let tags =
            tag::store::persons::list(&mut tx, person, ctx.now, None, limits::PERSON_TAGS_MAX);
        view.tags = tags.await?.into_iter().map(Into::into).collect();
    }
    if shows(MemberSection::Blacklist) {
        view.blacklisted = blacklisted(&mut tx, &ctx, person).await?;
    }
    Ok(view)
}

/// What a person is shut out of now, each once.
async fn blacklisted(tx: &mut Tx, ctx: &Ctx, person: PersonId) -> Result<Vec<i32>, Fault> {
    let entries = blacklist::store::concerning(tx, &[person], ctx.now).await?;
    let scope = |scope| i32::from(BlacklistScope::from(scope));
    let scopes: BTreeSet<i32> = entries.into_iter().map(|(_, _, of)| scope(of)).collect();
    Ok(scopes.into_iter().collect())
}

/// Whether an employee may see a person: headquarters everybody, managers those of the stores that they reach, everybody
/// their own.
async fn check_reach(tx: &mut Tx, viewer: StaffId, owner: Option<&Span>) -> Result<(), Fault> {
    let viewer = staff::known(tx, viewer).await?;
    let scope = StaffScope::of(tx, &viewer).await?;
    let is_own = viewer.left_at.is_none() && owner.is_some_and(|span| span.staff_id == viewer.id);
    let reaches = match viewer.role {
        Role::Guide => is_own,
        Role::StoreManager | Role::RegionManager | Role::Headquarters => {
            is_own || scope.reaches(owner.and_then(|span| span.store_id))
        }
    };
    if reaches {
        return Ok(());
    }
    let message = "the person is out of the reach of the employee";
    Err(Fault::new(Code::PermissionDenied, "PERSON_OUT_OF_REACH", message))
}

async fn value_cards(tx: &mut Tx, ctx: &Ctx, person: PersonId) -> Result<Vec<ValueCard>, Fault> {
    let cards = card::store::list(tx, person, None, limits::VIEW_ROWS_MAX).await?;
    if cards.is_empty() {
        return Ok(Vec::new());
    }
    let currency = policy::terms(tx, ctx.now).await?.currency;
    let purses: Vec<_> = cards.iter().map(|card| card.purse).collect();
    let balances = books::balances(tx, &purses, ctx.now).await?;
    Ok(cards.iter().zip(balances).map(|(card, balance)| card.show(balance, currency)).collect())
}

pub(crate) async fn purchases(tx: &mut Tx, person: PersonId) -> Result<PurchaseSummary, Fault> {
    let currency_code = merchant::currency(tx).await?;
    let money = |minor_units: i64| Money { currency_code: currency_code.clone(), minor_units };
    let Some(totals) = purchase::store::totals(tx, &[person]).await?.pop() else {
        return Ok(PurchaseSummary { paid: Some(money(0)), ..Default::default() });
    };
    let latest = purchase::store::latest(tx, person, limits::VIEW_ORDERS_MAX).await?;
    Ok(PurchaseSummary {
        orders: totals.orders,
        purchase_days: totals.purchase_days,
        paid: Some(money(totals.paid_minor)),
        first_pay_time: Some(parse::timestamp(totals.first_paid_at)),
        last_pay_time: Some(parse::timestamp(totals.last_paid_at)),
        latest: latest.into_iter().map(|order| brief(order, &currency_code)).collect(),
    })
}

/// An order in few words.
pub(crate) fn brief(order: purchase::Brief, currency_code: &str) -> PurchaseBrief {
    PurchaseBrief {
        order_id: order.order_id.to_string(),
        store_id: order.store_id.map(|id| id.to_string()).unwrap_or_default(),
        platform: order.platform,
        pay_time: Some(parse::timestamp(order.paid_at)),
        paid: Some(Money {
            currency_code: currency_code.to_owned(),
            minor_units: order.paid_minor,
        }),
    }
}
