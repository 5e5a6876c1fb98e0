//! The calls behind a report. All must rest on the same facts, or the report would contradict itself.

use chrono::NaiveDate;
use siyu_proto::{
    member::v1::Merchant,
    metrics::v1::{
        Basis, GetCohortsRequest, GetCohortsResponse, GetDormancyRequest, GetDormancyResponse,
        GetEffectiveCustomersRequest, GetEffectiveCustomersResponse, GetLifetimeValueRequest,
        GetLifetimeValueResponse, GetRepeatRequest, GetRepeatResponse, GetRfmRequest,
        GetRfmResponse, GetSalesRequest, GetSalesResponse, GetTriangleRequest, GetTriangleResponse,
        GetUserArpuRequest, GetUserArpuResponse,
    },
};
use tonic::{Response, Status};

use super::{Report, Window, build};
use crate::client::{Client, Error};

/// Asking again while orders come in makes sense a few times; after that the figures are shown with a remark.
const MOST_ATTEMPTS: usize = 3;

/// Every reply that a report is made of.
pub(super) struct Replies {
    pub(super) sales: GetSalesResponse,
    pub(super) repeat: GetRepeatResponse,
    pub(super) cohorts: GetCohortsResponse,
    pub(super) dormancy: GetDormancyResponse,
    pub(super) rfm: GetRfmResponse,
    pub(super) lifetime: GetLifetimeValueResponse,
    pub(super) effective: GetEffectiveCustomersResponse,
    pub(super) users: GetUserArpuResponse,
    pub(super) triangle: GetTriangleResponse,
}

/// The days that every call is asked about.
#[derive(Clone)]
struct Span {
    from: String,
    to: String,
    as_of: String,
}

/// Asks for every figure of a window.
///
/// # Errors
/// [`Error`] from a call.
pub async fn fetch(client: &Client, merchant: &Merchant, window: Window) -> Result<Report, Error> {
    let mut attempt = 1;
    loop {
        let (replies, as_of) = ask(client, window).await?;
        let consistent = replies.rest_on_one_version();
        if consistent || attempt >= MOST_ATTEMPTS {
            return build::report(merchant, replies, as_of, consistent);
        }
        attempt += 1;
    }
}

async fn ask(client: &Client, window: Window) -> Result<(Replies, String), Error> {
    let day = |day: Option<NaiveDate>| day.map(|day| day.to_string()).unwrap_or_default();
    let request = GetSalesRequest { from_day: day(window.from), to_day: day(window.to) };
    let sales = reply(client, client.sales().get_sales(request).await)?;
    // The window that the suite made of it, so that every figure is of the same days.
    let basis = sales.basis.clone().ok_or(Error::Empty)?;
    let last_day = basis.to_day.parse::<NaiveDate>().ok().and_then(|day| day.pred_opt());
    let as_of = day(window.as_of.or(last_day));
    let span = Span { from: basis.from_day, to: basis.to_day, as_of };
    let (repeat, cohorts, dormancy, rfm, lifetime, effective, users, triangle) = futures::try_join!(
        repeat(client, &span),
        cohorts(client, &span),
        dormancy(client, &span),
        rfm(client, &span),
        lifetime(client, &span),
        effective(client, &span),
        users(client, &span),
        triangle(client, &span),
    )?;
    let replies =
        Replies { sales, repeat, cohorts, dormancy, rfm, lifetime, effective, users, triangle };
    Ok((replies, span.as_of))
}

async fn repeat(client: &Client, span: &Span) -> Result<GetRepeatResponse, Error> {
    let Span { from: from_day, to: to_day, as_of: as_of_day } = span.clone();
    let request = GetRepeatRequest { from_day, to_day, as_of_day, days: Vec::new() };
    reply(client, client.retention().get_repeat(request).await)
}

async fn cohorts(client: &Client, span: &Span) -> Result<GetCohortsResponse, Error> {
    let Span { from: from_day, to: to_day, as_of: as_of_day } = span.clone();
    let request = GetCohortsRequest { from_day, to_day, as_of_day };
    reply(client, client.retention().get_cohorts(request).await)
}

async fn dormancy(client: &Client, span: &Span) -> Result<GetDormancyResponse, Error> {
    let Span { from: from_day, to: to_day, as_of: as_of_day } = span.clone();
    let request = GetDormancyRequest { from_day, to_day, as_of_day };
    reply(client, client.retention().get_dormancy(request).await)
}

async fn rfm(client: &Client, span: &Span) -> Result<GetRfmResponse, Error> {
    let request = GetRfmRequest { as_of_day: span.as_of.clone(), window_days: 0 };
    reply(client, client.value().get_rfm(request).await)
}

async fn lifetime(client: &Client, span: &Span) -> Result<GetLifetimeValueResponse, Error> {
    let Span { from: from_day, to: to_day, .. } = span.clone();
    let request = GetLifetimeValueRequest { from_day, to_day };
    reply(client, client.value().get_lifetime_value(request).await)
}

async fn effective(client: &Client, span: &Span) -> Result<GetEffectiveCustomersResponse, Error> {
    let Span { from: from_day, to: to_day, .. } = span.clone();
    let request = GetEffectiveCustomersRequest { from_day, to_day };
    reply(client, client.sales().get_effective_customers(request).await)
}

async fn users(client: &Client, span: &Span) -> Result<GetUserArpuResponse, Error> {
    let Span { from: from_day, to: to_day, .. } = span.clone();
    let request = GetUserArpuRequest { from_day, to_day, as_of_order: false };
    reply(client, client.sales().get_user_arpu(request).await)
}

async fn triangle(client: &Client, span: &Span) -> Result<GetTriangleResponse, Error> {
    let request = GetTriangleRequest { as_of_day: span.as_of.clone() };
    reply(client, client.triangle().get_triangle(request).await)
}

fn reply<T>(client: &Client, reply: Result<Response<T>, Status>) -> Result<T, Error> {
    reply.map(Response::into_inner).map_err(|status| client.failed(&status))
}

impl Replies {
    fn rest_on_one_version(&self) -> bool {
        let bases = [
            &self.sales.basis,
            &self.repeat.basis,
            &self.cohorts.basis,
            &self.dormancy.basis,
            &self.rfm.basis,
            &self.lifetime.basis,
            &self.effective.basis,
            &self.users.basis,
            &self.triangle.basis,
        ];
        let version = |basis: &Option<Basis>| basis.as_ref().map(|basis| basis.facts_version);
        bases.iter().all(|basis| version(basis) == version(bases[0]))
    }
}
