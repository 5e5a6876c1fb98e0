//! The RPCs of consents.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use siyu_grpc::{Ctx, parse, serve};
use siyu_kernel::{Fault, Id};
use siyu_pg::{
    Tx,
    page::{self, Page},
    replay,
};
use siyu_proto::member::v1::{
    CheckConsentsRequest, CheckConsentsResponse, ConsentRecord, ConsentStatus, GetConsentsRequest,
    GetConsentsResponse, ListConsentRecordsRequest, ListConsentRecordsResponse,
    RecordConsentsRequest, RecordConsentsResponse, WithdrawConsentRequest, WithdrawConsentResponse,
    consent_service_server::ConsentService,
};
use tonic::{Request, Response, Status as GrpcStatus, async_trait};
use uuid::Uuid;

use super::{
    domain::{self, Decision, Purpose, Status},
    show::{effective, facts, open, seal, show_record},
    store::{self, Record},
};
use crate::{
    App, limits,
    person::{self, PersonId},
    publish_all, rights, tag, vault,
};

const WITHDRAW: &str = "siyu.member.v1.ConsentService/WithdrawConsent";

#[async_trait]
impl ConsentService for App {
    async fn record_consents(
        &self,
        request: Request<RecordConsentsRequest>,
    ) -> Result<Response<RecordConsentsResponse>, GrpcStatus> {
        serve(request, |ctx, message| record(self, ctx, message)).await
    }

    async fn withdraw_consent(
        &self,
        request: Request<WithdrawConsentRequest>,
    ) -> Result<Response<WithdrawConsentResponse>, GrpcStatus> {
        serve(request, |ctx, message| withdraw(self, ctx, message)).await
    }

    async fn get_consents(
        &self,
        request: Request<GetConsentsRequest>,
    ) -> Result<Response<GetConsentsResponse>, GrpcStatus> {
        serve(request, |ctx, message| get(self, ctx, message)).await
    }

    async fn list_consent_records(
        &self,
        request: Request<ListConsentRecordsRequest>,
    ) -> Result<Response<ListConsentRecordsResponse>, GrpcStatus> {
        serve(request, |ctx, message| list(self, ctx, message)).await
    }

    async fn check_consents(
        &self,
        request: Request<CheckConsentsRequest>,
    ) -> Result<Response<CheckConsentsResponse>, GrpcStatus> {
        serve(request, |ctx, message| check(self, ctx, message)).await
    }
}

async fn record(
    app: &App,
    ctx: Ctx,
    request: RecordConsentsRequest,
) -> Result<RecordConsentsResponse, Fault> {
    let mut records = Vec::with_capacity(request.records.len());
    for (i, record) in request.records.iter().enumerate() {
        records.push((read(app, &ctx, &format!("records[{i}]"), record)?, &record.evidence));
    }
    let keys = vault::keys(app, ctx.merchant()?).await?;
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    let asked: BTreeSet<PersonId> = records.iter().map(|(r, _)| r.decision.person_id).collect();
    let asked: Vec<PersonId> = asked.into_iter().collect();
    let known = person::hold_all(&mut tx, &asked).await?;
    let persons: Vec<PersonId> = known.values().copied().collect();
    if asked.iter().any(|id| !known.contains_key(id)) {
        return Err(Fault::not_found("person"));
    }
    rights::refuse_any_erased(&mut tx, &persons).await?;
    let sealed = |(mut record, evidence): (Record, &String)| {
        record.decision.person_id = known[&record.decision.person_id];
        record.evidence = seal(&keys, record.id, evidence);
        record
    };
    let mut records: Vec<Record> = records.into_iter().map(sealed).collect();
    // In the order of what they are about, so that two calls never wait for each other.
    let by_subject = |a: &Record, b: &Record| a.decision.subject().cmp(&b.decision.subject());
    records.sort_by(by_subject);
    let recorded = store::insert(&mut tx, &records).await?;
    let decisions = domain::latest(records.into_iter().map(|record| record.decision).collect());
    let news = store::decide(&mut tx, &decisions).await?;
    mark(&mut tx, &news).await?;
    publish_all(app, &mut tx, &ctx, &facts(&news)).await?;
    tx.commit().await?;
    Ok(RecordConsentsResponse {
        recorded: i32::try_from(recorded).expect("at most 1000"),
        changed: i32::try_from(news.len()).expect("at most 1000"),
    })
}

/// Marks for the rules of tags of whom something else is in force now.
async fn mark(tx: &mut Tx, news: &[Decision]) -> Result<(), siyu_pg::Error> {
    let persons: BTreeSet<PersonId> = news.iter().map(|decision| decision.person_id).collect();
    tag::mark(tx, &persons.into_iter().collect::<Vec<_>>()).await
}

fn read(app: &App, ctx: &Ctx, field: &str, record: &ConsentRecord) -> Result<Record, Fault> {
    let wrong = |name: &str, text: &str| Fault::field(format!("{field}.{name}"), text);
    let unknown = "is not a known value";
    let purpose = Purpose::read(record.purpose).ok_or_else(|| wrong("purpose", unknown))?;
    let status = Status::read(record.status).ok_or_else(|| wrong("status", unknown))?;
    if status == Status::Granted && record.text_version.is_empty() {
        return Err(wrong("text_version", "is required for a grant"));
    }
    let time = record.decide_time.ok_or_else(|| wrong("decide_time", "is required"))?;
    let decided_at = parse::instant(&format!("{field}.decide_time"), time)?;
    if decided_at > ctx.now + limits::CLOCK_AHEAD_MAX {
        return Err(wrong("decide_time", "must not be in the future"));
    }
    let decision = Decision {
        person_id: parse::id(&format!("{field}.person_id"), &record.person_id)?,
        purpose,
        channel: record.channel.clone(),
        status,
        text_version: record.text_version.clone(),
        decided_at,
    };
    Ok(fresh(app, ctx, decision, &record.source))
}

fn fresh(app: &App, ctx: &Ctx, decision: Decision, source: &str) -> Record {
    Record {
        id: Id::from_uuid(app.ids.uuid()),
        decision,
        evidence: None,
        source: source.to_owned(),
        recorded_by: ctx.subject.to_string(),
        recorded_at: ctx.now,
    }
}

async fn withdraw(
    app: &App,
    ctx: Ctx,
    request: WithdrawConsentRequest,
) -> Result<WithdrawConsentResponse, Fault> {
    let asked = parse::id("person_id", &request.person_id)?;
    let purpose = Purpose::read(request.purpose)
        .ok_or_else(|| Fault::field("purpose", "is not a known value"))?;
    let keys = vault::keys(app, ctx.merchant()?).await?;
    let print = keys.fingerprint(&request);
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    if let Some(reply) = replay::find(&mut tx, WITHDRAW, &request.request_id, &print).await? {
        return Ok(reply);
    }
    let person_id = person::hold(&mut tx, asked).await?;
    let known = store::in_force(&mut tx, person_id).await?;
    let withdrawn = |d: &&Decision| {
        d.purpose == purpose && (request.channel.is_empty() || d.channel == request.channel)
    };
    let decision = Decision {
        person_id,
        purpose,
        channel: request.channel.clone(),
        status: Status::Withdrawn,
        text_version: String::new(),
        decided_at: domain::withdrawn_at(ctx.now, known.iter().filter(withdrawn)),
    };
    let mut record = fresh(app, &ctx, decision, &request.source);
    record.evidence = seal(&keys, record.id, &request.evidence);
    store::insert(&mut tx, std::slice::from_ref(&record)).await?;
    let news = store::decide(&mut tx, &[record.decision]).await?;
    mark(&mut tx, &news).await?;
    publish_all(app, &mut tx, &ctx, &facts(&news)).await?;
    let reply = WithdrawConsentResponse {};
    replay::keep(&mut tx, WITHDRAW, &request.request_id, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}

async fn get(
    app: &App,
    ctx: Ctx,
    request: GetConsentsRequest,
) -> Result<GetConsentsResponse, Fault> {
    let asked = parse::id("person_id", &request.person_id)?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let id = person::canonical(&mut tx, asked).await?;
    let decisions = store::in_force(&mut tx, id).await?;
    Ok(GetConsentsResponse { consents: effective(&decisions) })
}

async fn list(
    app: &App,
    ctx: Ctx,
    request: ListConsentRecordsRequest,
) -> Result<ListConsentRecordsResponse, Fault> {
    let asked = parse::id("person_id", &request.person_id)?;
    let size = request.page_size;
    let page = page_of(app, &ctx, asked, size, &request.page_token).await?;
    Ok(ListConsentRecordsResponse {
        records: page.items.iter().map(|record| show_record(record, String::new())).collect(),
        next_page_token: page.next_token,
    })
}

async fn page_of(
    app: &App,
    ctx: &Ctx,
    asked: PersonId,
    page_size: i32,
    page_token: &str,
) -> Result<Page<Record>, Fault> {
    let filter = asked.to_string();
    let page = page::Request::<(DateTime<Utc>, Uuid)>::parse(
        page_size,
        page_token,
        limits::PAGE,
        filter.as_bytes(),
    )?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let id = person::canonical(&mut tx, asked).await?;
    let rows = store::list(&mut tx, id, page.after.as_ref(), page.fetch()).await?;
    Ok(page.page(rows, |record| (record.decision.decided_at, record.id.uuid())))
}

/// A page of records in clear, with their evidence.
pub(crate) async fn open_page(
    app: &App,
    ctx: &Ctx,
    id: PersonId,
    page_size: i32,
    page_token: &str,
) -> Result<Page<ConsentRecord>, Fault> {
    let keys = vault::keys(app, ctx.merchant()?).await?;
    let page = page_of(app, ctx, id, page_size, page_token).await?;
    let items = page.items.iter().map(|record| open(&keys, record)).collect::<Result<_, _>>()?;
    Ok(Page { items, next_token: page.next_token })
}

async fn check(
    app: &App,
    ctx: Ctx,
    request: CheckConsentsRequest,
) -> Result<CheckConsentsResponse, Fault> {
    let purpose = Purpose::read(request.purpose)
        .ok_or_else(|| Fault::field("purpose", "is not a known value"))?;
    let read = |(i, id): (usize, &String)| parse::id(&format!("person_ids[{i}]"), id);
    let asked: Vec<PersonId> =
        request.person_ids.iter().enumerate().map(read).collect::<Result<_, _>>()?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let known = person::canonical_all(&mut tx, &asked).await?;
    let persons: BTreeSet<PersonId> = known.values().copied().collect();
    let persons: Vec<PersonId> = persons.into_iter().collect();
    let rows = store::find(&mut tx, &persons, purpose, &request.channel).await?;
    let decided: HashMap<(PersonId, &str), &Decision> =
        rows.iter().map(|d| ((d.person_id, d.channel.as_str()), d)).collect();
    let erased = rights::store::erased(&mut tx, &persons).await?;
    let in_force = |id: &PersonId| {
        let person = known.get(id)?;
        if erased.contains(person) {
            return Some(Status::Withdrawn);
        }
        let of = |channel| decided.get(&(*person, channel)).copied();
        domain::in_force(of(&request.channel), of(""))
    };
    let status: Vec<Option<Status>> = asked.iter().map(in_force).collect();
    let told = |status: &Option<Status>| status.map_or(0, |one| ConsentStatus::from(one).into());
    Ok(CheckConsentsResponse {
        allowed: status.iter().map(|one| *one == Some(Status::Granted)).collect(),
        status: status.iter().map(told).collect(),
    })
}
