//! Decisions and records as they are shown and told, and their evidence sealed and opened.

use siyu_grpc::parse;
use siyu_kernel::{Fault, Id, kind};
use siyu_proto::member::v1::{
    Consent, ConsentChanged, ConsentPurpose, ConsentRecord, ConsentStatus,
};

use super::{
    domain::{self, Decision, Status},
    store::Record,
};
use crate::vault::{Keys, Place};

/// What is in force: a grant that was withdrawn for all channels since is shown as withdrawn.
pub(crate) fn effective(decisions: &[Decision]) -> Vec<Consent> {
    let all = |of: &Decision| {
        decisions.iter().find(|d| d.purpose == of.purpose && d.channel.is_empty()).cloned()
    };
    let show_one = |decision: &Decision| match all(decision) {
        Some(all)
            if decision.status == Status::Granted
                && domain::in_force(Some(decision), Some(&all)) == Some(Status::Withdrawn) =>
        {
            show(&Decision { channel: decision.channel.clone(), ..all })
        }
        Some(_) | None => show(decision),
    };
    decisions.iter().map(show_one).collect()
}

fn show(decision: &Decision) -> Consent {
    Consent {
        purpose: ConsentPurpose::from(decision.purpose).into(),
        channel: decision.channel.clone(),
        status: ConsentStatus::from(decision.status).into(),
        text_version: decision.text_version.clone(),
        decide_time: Some(parse::timestamp(decision.decided_at)),
        separate: decision.purpose.is_separate(),
    }
}

/// What is told of decisions that count from now on.
pub(crate) fn facts(news: &[Decision]) -> Vec<(String, ConsentChanged)> {
    let fact = |decision: &Decision| {
        let person_id = decision.person_id.to_string();
        (person_id.clone(), ConsentChanged { person_id, consent: Some(show(decision)) })
    };
    news.iter().map(fact).collect()
}

/// A record in clear, with its evidence.
pub(super) fn open(keys: &Keys, record: &Record) -> Result<ConsentRecord, Fault> {
    let row = record.id.to_string();
    let place = Place { kind: "consent.evidence", row: &row };
    let evidence = match &record.evidence {
        Some(sealed) => keys.open(place, sealed)?,
        None => String::new(),
    };
    Ok(show_record(record, evidence))
}

/// A record as it is shown.
pub(super) fn show_record(record: &Record, evidence: String) -> ConsentRecord {
    let decision = &record.decision;
    ConsentRecord {
        id: record.id.to_string(),
        person_id: decision.person_id.to_string(),
        purpose: ConsentPurpose::from(decision.purpose).into(),
        channel: decision.channel.clone(),
        status: ConsentStatus::from(decision.status).into(),
        text_version: decision.text_version.clone(),
        decide_time: Some(parse::timestamp(decision.decided_at)),
        evidence,
        source: record.source.clone(),
        record_time: Some(parse::timestamp(record.recorded_at)),
        recorded_by: record.recorded_by.clone(),
    }
}

/// Evidence as it is kept; none where there is none.
pub(super) fn seal(keys: &Keys, id: Id<kind::ConsentRecord>, evidence: &str) -> Option<Vec<u8>> {
    let row = id.to_string();
    let place = Place { kind: "consent.evidence", row: &row };
    (!evidence.is_empty()).then(|| keys.seal(place, evidence))
}
