//! Who gets a campaign, asked of the member service page by page, so that memory stays flat however many there are.

use futures::{StreamExt, TryStreamExt, stream};
use siyu_grpc::{Call, fault, parse};
use siyu_kernel::{Code, Fault, Id, kind::Merchant};
use siyu_proto::member::v1::{
    GetAudienceRequest, GetPersonRequest, ListAudienceMembersRequest, ListPersonsRequest, Person,
    audience_service_client::AudienceServiceClient, person_service_client::PersonServiceClient,
};

use super::{
    domain::{AudienceId, PersonId},
    store::{self, Claim},
};
use crate::{App, limits};

/// A page of an audience.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Who gets the campaign.
    pub persons: Vec<PersonId>,
    /// Where the next page begins; none after the last.
    pub next: Option<String>,
}

/// Asks for the page of a claim.
///
/// # Errors
/// What the member service or the database failed with.
pub async fn page(app: &App, claim: &Claim) -> Result<Page, Fault> {
    let member = app.member.as_service(Some(claim.merchant_id));
    if let Some(audience) = claim.audience_id {
        return members(AudienceServiceClient::new(member), claim, audience).await;
    }
    let member = PersonServiceClient::new(member);
    if claim.listed { listed(app, member, claim).await } else { everyone(member, claim).await }
}

/// Asks whether an audience is there.
///
/// # Errors
/// `NOT_FOUND` when it is not.
pub async fn check(app: &App, merchant: Id<Merchant>, id: AudienceId) -> Result<(), Fault> {
    let mut member = AudienceServiceClient::new(app.member.as_service(Some(merchant)));
    let request = GetAudienceRequest { audience_id: id.to_string() };
    member.get_audience(request).await.map_err(fault)?;
    Ok(())
}

/// The members of an audience; none when it was deleted since the campaign was drafted.
async fn members(
    mut member: AudienceServiceClient<Call>,
    claim: &Claim,
    audience: AudienceId,
) -> Result<Page, Fault> {
    let request = ListAudienceMembersRequest {
        audience_id: audience.to_string(),
        page_size: limits::AUDIENCE_PAGE.into(),
        page_token: claim.cursor.clone().unwrap_or_default(),
        ..Default::default()
    };
    let reply = match member.list_audience_members(request).await.map_err(fault) {
        Ok(reply) => reply.into_inner(),
        Err(fault) if fault.code() == Code::NotFound => {
            tracing::warn!(campaign = %claim.id, %audience, "the audience is gone: nobody else gets the campaign");
            return Ok(Page { persons: Vec::new(), next: None });
        }
        Err(fault) => return Err(fault),
    };
    let read = |id: &String| parse::id("person_ids", id).map_err(Fault::internal);
    let persons = reply.person_ids.iter().map(read).collect::<Result<_, _>>()?;
    let next = Some(reply.next_page_token).filter(|token| !token.is_empty());
    Ok(Page { persons, next })
}

async fn everyone(mut member: PersonServiceClient<Call>, claim: &Claim) -> Result<Page, Fault> {
    let request = ListPersonsRequest {
        page_size: limits::AUDIENCE_PAGE.into(),
        page_token: claim.cursor.clone().unwrap_or_default(),
        growth_min: claim.growth_min,
        ..ListPersonsRequest::default()
    };
    let reply = member.list_persons(request).await.map_err(fault)?.into_inner();
    let persons = reply.persons.iter().map(id).collect::<Result<_, _>>()?;
    let next = Some(reply.next_page_token).filter(|token| !token.is_empty());
    Ok(Page { persons, next })
}

/// Looks each person of a page of the list up: one who does not exist is skipped.
async fn listed(
    app: &App,
    member: PersonServiceClient<Call>,
    claim: &Claim,
) -> Result<Page, Fault> {
    let after = claim.cursor.as_deref().map(str::parse).transpose().map_err(Fault::internal)?;
    let mut tx = app.db.tenant_read(claim.merchant_id).await?;
    let ids = store::listed(&mut tx, claim.id, after, limits::AUDIENCE_PAGE.into()).await?;
    drop(tx);
    let is_last = ids.len() < limits::AUDIENCE_PAGE.into();
    let next = ids.last().filter(|_| !is_last).map(ToString::to_string);
    let persons = stream::iter(ids)
        .map(|id| get(member.clone(), id))
        .buffered(limits::LOOKUPS_IN_FLIGHT)
        .try_filter_map(async |person| Ok(person.filter(|p| p.growth >= claim.growth_min)))
        .and_then(async |person| id(&person))
        .try_collect()
        .await?;
    Ok(Page { persons, next })
}

async fn get(mut member: PersonServiceClient<Call>, id: PersonId) -> Result<Option<Person>, Fault> {
    let request = GetPersonRequest { person_id: id.to_string(), brief: true };
    match member.get_person(request).await.map_err(fault) {
        Ok(reply) => Ok(reply.into_inner().person),
        Err(fault) if fault.code() == Code::NotFound => Ok(None),
        Err(fault) => Err(fault),
    }
}

fn id(person: &Person) -> Result<PersonId, Fault> {
    parse::id("person.id", &person.id).map_err(Fault::internal)
}
