//! Compares a day, in the transaction that stores its rows.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use siyu_kernel::{Fault, Id, LocalDay, Zone};
use siyu_pg::Tx;

use super::{
    domain::{BY_STATEMENT, Difference, Ours, Row, RowKind, State, compare},
    store,
};
use crate::App;

/// A movement.
type Key = (RowKind, String);

/// What is compared.
pub(super) struct Compared<'a> {
    pub(super) account: &'a str,
    pub(super) day: LocalDay,
    pub(super) zone: Zone,
    /// Whether all of the statement is here: only then something can be missing there.
    pub(super) complete: bool,
}

/// Compares all rows of a day that is locked with our books, and puts down what differs.
pub(super) async fn day(
    app: &App,
    tx: &mut Tx,
    of: &Compared<'_>,
    now: DateTime<Utc>,
) -> Result<(), Fault> {
    let rows = store::rows_of(tx, of.account, of.day.0).await?;
    let mut sides: BTreeMap<Key, (Option<Row>, Option<Ours>)> = BTreeMap::new();
    for ours in store::ours_by_number(tx, of.account, &rows).await? {
        let key = (ours.kind, ours.out_no.clone());
        sides.entry(key).or_default().1 = Some(ours);
    }
    let mut known = store::of_movements(tx, of.account, &rows).await?;
    for row in rows {
        let key = (row.kind, row.out_no.clone());
        sides.entry(key).or_default().0 = Some(row);
    }
    let mut beside: BTreeSet<Key> = BTreeSet::new();
    if of.complete {
        let next = LocalDay(of.day.0 + 1);
        let (from, to) = (of.zone.start_of(of.day), of.zone.start_of(next));
        let ours = store::ours_between(tx, of.account, from, to).await?;
        // A movement may stand in the statement of another day: a payment near midnight, or a refund that was taken then and
        // ended days later. When its row came we may not have had it yet, so the two are compared now.
        let mut elsewhere = store::rows_by_number(tx, of.account, &ours).await?;
        elsewhere.retain(|row| !sides.contains_key(&(row.kind, row.out_no.clone())));
        known.extend(store::of_movements(tx, of.account, &elsewhere).await?);
        for row in elsewhere {
            let key = (row.kind, row.out_no.clone());
            beside.insert(key.clone());
            sides.entry(key).or_default().0 = Some(row);
        }
        for ours in ours {
            let key = (ours.kind, ours.out_no.clone());
            sides.entry(key).or_default().1 = Some(ours);
        }
    }
    known.extend(store::of_day(tx, of.account, of.day.0).await?);
    let mut known: BTreeMap<Key, Difference> =
        known.into_iter().map(|found| ((found.kind, found.out_no.clone()), found)).collect();
    for (key, (theirs, ours)) in sides {
        let before = known.remove(&key);
        let mut found = finding(app, of, (&key.1, theirs.as_ref(), ours.as_ref()), now);
        if let (Some(found), Some(before), true) = (&mut found, &before, beside.contains(&key)) {
            // It stays with the statement that has the row.
            found.day = before.day;
        }
        put_down(tx, before, found, now).await?;
    }
    // What is left was found under this day before and is no difference any more.
    for before in known.into_values().filter(|found| of.complete && found.day == of.day.0) {
        put_down(tx, Some(before), None, now).await?;
    }
    Ok(())
}

/// What differs between two sides of a movement, if anything does.
fn finding(
    app: &App,
    of: &Compared<'_>,
    (out_no, theirs, ours): (&str, Option<&Row>, Option<&Ours>),
    now: DateTime<Utc>,
) -> Option<Difference> {
    let (difference, kind, amount_minor, currency) = compare(theirs, ours)?;
    Some(Difference {
        id: Id::from_uuid(app.ids.uuid()),
        account_code: of.account.to_owned(),
        kind,
        out_no: out_no.to_owned(),
        day: of.day.0,
        difference,
        theirs_minor: theirs.map(|row| row.amount_minor),
        theirs_currency: theirs.map(|row| row.currency.clone()),
        ours_minor: ours.map(|ours| ours.amount_minor),
        ours_currency: ours.map(|ours| ours.currency.clone()),
        amount_minor,
        currency,
        state: State::Open,
        resolved_by: String::new(),
        note: String::new(),
        created_at: now,
        resolved_at: None,
    })
}

/// Puts a finding down beside what is known of the movement: the same one stays as it is, resolved or not, another one is open
/// again, and one that is gone is resolved.
async fn put_down(
    tx: &mut Tx,
    before: Option<Difference>,
    found: Option<Difference>,
    now: DateTime<Utc>,
) -> Result<(), Fault> {
    match (before, found) {
        (None, None) => {}
        (None, Some(found)) => store::insert(tx, &found).await?,
        (Some(before), None) if before.resolved_by == BY_STATEMENT => {}
        (Some(mut before), None) => {
            let note = [before.note.as_str(), "the books agree now"];
            let note = note.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>();
            before.resolve(BY_STATEMENT, &note.join("; "), now);
            store::save(tx, &before).await?;
        }
        (Some(before), Some(found)) => {
            let stays = before.says_the_same(&found) && before.resolved_by != BY_STATEMENT;
            let saved = if stays {
                Difference { day: found.day, ..before }
            } else {
                Difference { id: before.id, created_at: before.created_at, ..found }
            };
            store::save(tx, &saved).await?;
        }
    }
    Ok(())
}
