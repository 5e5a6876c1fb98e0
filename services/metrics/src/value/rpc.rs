//! The RPCs of customer value.

use siyu_grpc::{Ctx, parse, serve};
use siyu_kernel::{Code, Currency, Fault};
use siyu_proto::metrics::v1::{
    GetLifetimeValueRequest, GetLifetimeValueResponse, GetPersonRfmRequest, GetPersonRfmResponse,
    GetPurchaseModelRequest, GetPurchaseModelResponse, GetRfmRequest, GetRfmResponse, RfmSegment,
    RfmSegmentCount, RfmValues, value_service_server::ValueService,
};
use tonic::{Request, Response, Status, async_trait};

use crate::{
    App,
    engine::{
        History, Look as Window, Rfm, RfmRow, Segment,
        model::{BgNbd, Customer, GammaGamma, ModelError, Spender, Unit},
    },
    fact::{self, PersonId},
    limits,
    look::{self, count, ratio},
};

#[async_trait]
impl ValueService for App {
    async fn get_rfm(
        &self,
        request: Request<GetRfmRequest>,
    ) -> Result<Response<GetRfmResponse>, Status> {
        serve(request, |ctx, message| rfm(self, ctx, message)).await
    }

    async fn get_person_rfm(
        &self,
        request: Request<GetPersonRfmRequest>,
    ) -> Result<Response<GetPersonRfmResponse>, Status> {
        serve(request, |ctx, message| person_rfm(self, ctx, message)).await
    }

    async fn get_lifetime_value(
        &self,
        request: Request<GetLifetimeValueRequest>,
    ) -> Result<Response<GetLifetimeValueResponse>, Status> {
        serve(request, |ctx, message| lifetime_value(self, ctx, message)).await
    }

    async fn get_purchase_model(
        &self,
        request: Request<GetPurchaseModelRequest>,
    ) -> Result<Response<GetPurchaseModelResponse>, Status> {
        serve(request, |ctx, message| purchase_model(self, ctx, message)).await
    }
}

fn window(days: i32) -> Window {
    match days {
        0 => Window::Days(365),
        -1 => Window::Whole,
        days => Window::Days(days),
    }
}

async fn rfm(app: &App, ctx: Ctx, request: GetRfmRequest) -> Result<GetRfmResponse, Fault> {
    let current = app.cache.current(ctx.merchant()?).await?;
    let cube = &current.cubes.all;
    let as_of = look::day(cube, "as_of_day", &request.as_of_day, current.zone.day(ctx.now))?;
    let rfm = cube
        .rfm(as_of, window(request.window_days))
        .map_err(|error| Fault::field("window_days", error))?;
    let scores = |which: usize| {
        let mut counts = vec![0_i64; 5];
        rfm.rows.iter().for_each(|row| counts[usize::from(row.scores[which]) - 1] += 1);
        counts
    };
    Ok(GetRfmResponse {
        basis: Some(look::basis_of_day(&current, as_of)?),
        persons: i64::try_from(rfm.rows.len()).expect("persons have 32 bits"),
        segments: Segment::EVERY.iter().map(|&segment| segment_count(&rfm, segment)).collect(),
        r_scores: scores(0),
        f_scores: scores(1),
        m_scores: scores(2),
    })
}

fn segment_count(rfm: &Rfm, segment: Segment) -> RfmSegmentCount {
    let spent = rfm.rows.iter().filter(|row| row.segment == segment).map(|row| row.monetary_minor);
    RfmSegmentCount {
        segment: wire(segment).into(),
        persons: count(rfm.count(segment)),
        monetary_minor: spent.sum(),
    }
}

const fn wire(segment: Segment) -> RfmSegment {
    match segment {
        Segment::ImportantValue => RfmSegment::KeyValue,
        Segment::ImportantDevelop => RfmSegment::KeyDevelop,
        Segment::ImportantKeep => RfmSegment::KeyKeep,
        Segment::ImportantWinBack => RfmSegment::KeyWinBack,
        Segment::GeneralValue => RfmSegment::Value,
        Segment::GeneralDevelop => RfmSegment::Develop,
        Segment::GeneralKeep => RfmSegment::Keep,
        Segment::GeneralWinBack => RfmSegment::WinBack,
    }
}

async fn person_rfm(
    app: &App,
    ctx: Ctx,
    request: GetPersonRfmRequest,
) -> Result<GetPersonRfmResponse, Fault> {
    let person_id: PersonId = parse::id("person_id", &request.person_id)?;
    let merchant = ctx.merchant()?;
    let current = app.cache.current(merchant).await?;
    let cube = &current.cubes.all;
    let as_of = look::day(cube, "as_of_day", &request.as_of_day, current.zone.day(ctx.now))?;
    let mut tx = app.db.tenant_read(merchant).await?;
    let unknown = || Fault::not_found("person");
    let number = *fact::store::find_numbers(&mut tx, &[person_id])
        .await?
        .get(&person_id)
        .ok_or_else(unknown)?;
    let rfm = cube
        .rfm(as_of, window(request.window_days))
        .map_err(|error| Fault::field("window_days", error))?;
    let row = rfm.find(number).ok_or_else(unknown)?;
    Ok(GetPersonRfmResponse {
        basis: Some(look::basis_of_day(&current, as_of)?),
        rfm: Some(values(row)),
    })
}

fn values(row: &RfmRow) -> RfmValues {
    let days = |days: u32| i32::try_from(days).expect("days of the calendar");
    let [r, f, m] = row.scores.map(i32::from);
    RfmValues {
        recency_days: days(row.recency_days),
        frequency_days: days(row.frequency_days),
        monetary_minor: row.monetary_minor,
        r_score: r,
        f_score: f,
        m_score: m,
        segment: wire(row.segment).into(),
    }
}

async fn lifetime_value(
    app: &App,
    ctx: Ctx,
    request: GetLifetimeValueRequest,
) -> Result<GetLifetimeValueResponse, Fault> {
    let current = app.cache.current(ctx.merchant()?).await?;
    let cube = &current.cubes.all;
    let today = current.zone.day(ctx.now);
    let look = look::look(cube, &request.from_day, &request.to_day, "", today)?;
    let value = cube.simple_clv(look.as_of).map_err(|error| Fault::field("to_day", error))?;
    Ok(GetLifetimeValueResponse {
        basis: Some(look::basis(&current, look)),
        annual_churn: value.churn.value(),
        lifetime_years: value.lifetime_years.value(),
        frequency_per_year: value.frequency.value(),
        aov: Some(ratio(value.aov)),
        lifetime_value_minor: value.value_minor,
    })
}

async fn purchase_model(
    app: &App,
    ctx: Ctx,
    request: GetPurchaseModelRequest,
) -> Result<GetPurchaseModelResponse, Fault> {
    let current = app.cache.current(ctx.merchant()?).await?;
    let cube = &current.cubes.all;
    let end = look::day(
        cube,
        "calibration_end_day",
        &request.calibration_end_day,
        current.zone.day(ctx.now),
    )?;
    let currency = current.merchant.currency.as_deref().unwrap_or_default();
    let currency = Currency::parse(currency).map_err(Fault::internal)?;
    let horizon =
        if request.horizon_days == 0 { limits::HORIZON_DAYS } else { request.horizon_days };
    let histories = cube.histories(end);
    let basis = look::basis_of_day(&current, end)?;
    drop(current);
    // Seconds of arithmetic for a large merchant: not on a thread that serves others.
    let fitted = app.compute(move || fit(&histories, currency, horizon)).await?;
    let mut reply = fitted.map_err(not_fitted)?;
    reply.basis = Some(basis);
    Ok(reply)
}

fn fit(
    histories: &[History],
    currency: Currency,
    horizon: i32,
) -> Result<GetPurchaseModelResponse, ModelError> {
    let customers: Vec<Customer> =
        histories.iter().map(|history| history.customer(Unit::WEEK)).collect();
    let fitted = BgNbd::fit(&customers)?;
    let weeks = weeks(horizon);
    let mut expected_purchases = 0.0;
    for customer in &customers {
        expected_purchases = sum(expected_purchases, fitted.model.expected(customer, weeks)?);
    }
    let spenders: Vec<Spender> =
        histories.iter().map(|history| history.spender(currency.minor_per_major())).collect();
    let spend = GammaGamma::fit(&spenders).ok();
    let size = |n: usize| i64::try_from(n).expect("persons have 32 bits");
    Ok(GetPurchaseModelResponse {
        basis: None,
        persons: size(fitted.persons),
        r: fitted.model.r,
        alpha: fitted.model.alpha,
        a: fitted.model.a,
        b: fitted.model.b,
        log_likelihood: fitted.log_likelihood,
        expected_purchases,
        repeat_persons: spend.as_ref().map_or(0, |spend| size(spend.persons)),
        p: spend.as_ref().map(|spend| spend.model.p),
        q: spend.as_ref().map(|spend| spend.model.q),
        gamma: spend.as_ref().map(|spend| spend.model.gamma),
        gamma_log_likelihood: spend.as_ref().map(|spend| spend.log_likelihood),
    })
}

#[expect(clippy::float_arithmetic, reason = "the unit of time of the model")]
fn weeks(days: i32) -> f64 {
    f64::from(days) / 7.0
}

#[expect(clippy::float_arithmetic, reason = "a sum of expectations")]
fn sum(a: f64, b: f64) -> f64 {
    a + b
}

fn not_fitted(error: ModelError) -> Fault {
    Fault::new(Code::FailedPrecondition, "MODEL_NOT_FITTED", error.to_string())
}
