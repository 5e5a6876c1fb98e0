//! Reconciliation as the contract shows it.

use siyu_grpc::parse::timestamp;
use siyu_kernel::LocalDay;
use siyu_proto::{order::v1 as proto, r#type::v1::Money};

use super::{
    domain::{Difference, RowKind, State, Wrong},
    store::{Day, Suspense},
};

fn money(code: &str, minor_units: i64) -> Money {
    Money { currency_code: code.to_owned(), minor_units }
}

/// The way that a contract's value names; `None` for "not given".
pub(super) const fn kind(asked: proto::StatementKind) -> Option<RowKind> {
    match asked {
        proto::StatementKind::Unspecified => None,
        proto::StatementKind::Payment => Some(RowKind::Payment),
        proto::StatementKind::Refund => Some(RowKind::Refund),
    }
}

/// The state that a contract's value names; `None` for "not given".
pub(super) const fn state(asked: proto::DifferenceState) -> Option<State> {
    match asked {
        proto::DifferenceState::Unspecified => None,
        proto::DifferenceState::Open => Some(State::Open),
        proto::DifferenceState::Resolved => Some(State::Resolved),
    }
}

pub(super) fn difference(found: &Difference) -> proto::Difference {
    let side = |minor: Option<i64>, code: &Option<String>| {
        minor.zip(code.as_deref()).map(|(minor, code)| money(code, minor))
    };
    let kind = match found.kind {
        RowKind::Payment => proto::StatementKind::Payment,
        RowKind::Refund => proto::StatementKind::Refund,
    };
    let difference = match found.difference {
        Wrong::MissingHere => proto::DifferenceKind::MissingHere,
        Wrong::MissingThere => proto::DifferenceKind::MissingThere,
        Wrong::AmountDiffers => proto::DifferenceKind::AmountDiffers,
    };
    let state = match found.state {
        State::Open => proto::DifferenceState::Open,
        State::Resolved => proto::DifferenceState::Resolved,
    };
    proto::Difference {
        id: found.id.to_string(),
        account_code: found.account_code.clone(),
        day: LocalDay(found.day).date().to_string(),
        kind: kind.into(),
        out_no: found.out_no.clone(),
        difference: difference.into(),
        theirs: side(found.theirs_minor, &found.theirs_currency),
        ours: side(found.ours_minor, &found.ours_currency),
        amount: Some(money(&found.currency, found.amount_minor)),
        state: state.into(),
        resolved_by: found.resolved_by.clone(),
        note: found.note.clone(),
        create_time: Some(timestamp(found.created_at)),
        resolve_time: found.resolved_at.map(timestamp),
    }
}

pub(super) fn day(day: &Day) -> proto::StatementDay {
    let sums = day.currencies.iter().zip(&day.paid_minor).zip(&day.refunded_minor);
    let sum = |((code, &paid), &refunded): ((&String, _), _)| proto::StatementSum {
        paid: Some(money(code, paid)),
        refunded: Some(money(code, refunded)),
    };
    // What is in several currencies has no sum.
    let only = |minor: &[i64]| if let [minor] = minor { *minor } else { 0 };
    proto::StatementDay {
        account_code: day.account_code.clone(),
        day: LocalDay(day.day).date().to_string(),
        complete: day.complete,
        rows: day.rows,
        matched: day.rows - day.missing_here - day.amount_differs,
        missing_here: day.missing_here,
        missing_there: day.missing_there,
        amount_differs: day.amount_differs,
        paid_minor: only(&day.paid_minor),
        refunded_minor: only(&day.refunded_minor),
        open: day.open,
        compare_time: Some(timestamp(day.compared_at)),
        sums: sums.map(sum).collect(),
    }
}

pub(super) fn suspense(total: &Suspense) -> proto::SuspenseTotal {
    proto::SuspenseTotal {
        account_code: total.account_code.clone(),
        amount: Some(money(&total.currency, total.amount_minor)),
        differences: total.differences,
    }
}
