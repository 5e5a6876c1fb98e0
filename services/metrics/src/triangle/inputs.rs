//! What the pillars are computed from, as of the end of a day.

use roaring::RoaringBitmap;
use siyu_kernel::{Fault, LocalDay};
use siyu_pg::Tx;

use crate::{
    audience::store,
    cube::cache::Current,
    engine::{
        Ratio, Window,
        triangle::{Connections, Influence, Inputs, Share},
    },
    fact,
};

/// How far back reach is looked at, in days.
const REACH_DAYS: i32 = 30;
/// How far back value is looked at.
const VALUE_DAYS: i32 = 365;
/// How far back referral is looked at.
const REFERRAL_DAYS: i32 = 90;

/// Gathers the inputs.
pub async fn gather(tx: &mut Tx, current: &Current, as_of: LocalDay) -> Result<Inputs, Fault> {
    let (connections_known, referrals_known) = store::measured(tx).await?;
    let end = current.zone.start_of(as_of.plus(1));
    let mut inputs = Inputs::default();
    if connections_known {
        let from = current.zone.start_of(as_of.plus(1 - REACH_DAYS));
        let reach = store::reach(tx, from, end).await?;
        inputs.connections = Some(Connections {
            connected: unsigned(reach.connected),
            reachable: unsigned(reach.reachable),
        });
        let share = Share { part: unsigned(reach.delivered), of: unsigned(reach.attempted) };
        inputs.reach = (share.of > 0).then_some(share);
    }
    let cube = &current.cubes.all;
    let year = ending(as_of, VALUE_DAYS)?;
    let sales = cube.sales(year);
    inputs.repurchase = Share { part: sales.repeat_buyers, of: sales.buyers };
    let expected =
        cube.simple_clv(as_of).map_err(|error| Fault::field("as_of_day", error))?.value_minor;
    inputs.lifetime_value = expected.and_then(|expected| plus(cube.realised_value(year), expected));
    referral(tx, current, as_of, referrals_known, &mut inputs).await?;
    Ok(inputs)
}

async fn referral(
    tx: &mut Tx,
    current: &Current,
    as_of: LocalDay,
    known: bool,
    inputs: &mut Inputs,
) -> Result<(), Fault> {
    let cube = &current.cubes.all;
    let window = ending(as_of, REFERRAL_DAYS)?;
    let old = cube.buyers_until(window.start().plus(-1));
    if known && !old.is_empty() {
        let until_now = cube.buyers_until(as_of);
        let new = &until_now - &old;
        let referred = store::referred(tx, &columns(&new), &columns(&old)).await?;
        inputs.referral = Some(Share { part: unsigned(referred), of: old.len() });
    }
    let old_buyers = cube.buyers(window) & &old;
    let fields =
        store::influence(tx, &columns(&old_buyers), window.start().0, window.end().0).await?;
    inputs.influence = match (fields.known_fields, fields.buyers) {
        (0, _) | (_, 0) => Influence::Unmeasured,
        // A shop of one field: there is no other field to buy in.
        (1, buyers) => Influence::Breadth(Ratio::new(fields.fields.max(buyers), buyers)),
        (_, buyers) => Influence::CrossField(Share {
            part: unsigned(fields.other_field),
            of: unsigned(buyers),
        }),
    };
    Ok(())
}

fn ending(as_of: LocalDay, days: i32) -> Result<Window, Fault> {
    Window::ending(as_of, days).map_err(|error| Fault::field("as_of_day", error))
}

/// A ratio plus a whole number; `None` without a value.
fn plus(ratio: Ratio, whole: i64) -> Option<Ratio> {
    let sum = whole.checked_mul(ratio.den)?.checked_add(ratio.num)?;
    (ratio.den > 0).then_some(Ratio::new(sum, ratio.den))
}

fn columns(persons: &RoaringBitmap) -> Vec<i32> {
    persons.iter().map(fact::column).collect()
}

fn unsigned(count: i64) -> u64 {
    u64::try_from(count).expect("counts are not negative")
}
