//! Erasing (PIPL art. 47): what is personal is destroyed, orders and ledgers stay with a person without a face. A key becomes a
//! tombstone: a digest of person and key together, so it finds nobody, and whoever comes with the key again is somebody new.

use chrono::{DateTime, Utc};
use siyu_grpc::{Ctx, parse};
use siyu_kernel::Fault;
use siyu_pg::Tx;
use siyu_proto::member::v1::{ErasePersonRequest, ErasePersonResponse, PersonErased};

use super::{
    reveal,
    store::{self, erasure, traces},
};
use crate::{
    App, consent,
    person::{self, PersonId, domain::Identity},
    profile, publish,
    vault::{self, Keys},
};

/// What the value of a tombstone begins with: no key of a request does, for the rest is a digest that nobody can guess.
const TOMBSTONE: &str = "erased:";

pub(crate) async fn erase(
    app: &App,
    ctx: Ctx,
    request: ErasePersonRequest,
) -> Result<ErasePersonResponse, Fault> {
    let asked = parse::id("person_id", &request.person_id)?;
    let keys = vault::keys(app, ctx.merchant()?).await?;
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    let id = person::canonical(&mut tx, asked).await?;
    if let Some(erased_at) = erasure::lock(&mut tx, id).await? {
        return Ok(ErasePersonResponse { erase_time: Some(parse::timestamp(erased_at)) });
    }
    // It waited for the lock: a merge may have been faster.
    if person::canonical(&mut tx, id).await? != id {
        return Err(Fault::new(
            siyu_kernel::Code::Aborted,
            "PERSON_MERGED",
            "the person was merged at this moment, repeat",
        ));
    }
    let aliases = store::aliases(&mut tx, id).await?;
    let all: Vec<PersonId> = std::iter::once(id).chain(aliases.iter().copied()).collect();
    destroy(&mut tx, &keys, id, &all, ctx.now).await?;
    erasure::mark(&mut tx, &all, ctx.now).await?;
    // Who asked for it, and why, is kept like a look at the data.
    let look =
        reveal::Look { person_id: id, fields: vec!["erased".into()], reason: &request.reason };
    reveal::keep(app, &mut tx, &ctx, &keys, look).await?;
    let erase_time = Some(parse::timestamp(ctx.now));
    let alias_ids = aliases.iter().map(ToString::to_string).collect();
    let fact = PersonErased { person_id: id.to_string(), alias_ids, erase_time };
    publish(app, &mut tx, &ctx, id.to_string(), &fact).await?;
    tx.commit().await?;
    Ok(ErasePersonResponse { erase_time })
}

async fn destroy(
    tx: &mut Tx,
    keys: &Keys,
    id: PersonId,
    all: &[PersonId],
    now: DateTime<Utc>,
) -> Result<(), Fault> {
    // Aliases hold no keys; where one does, it is as personal as the others.
    for (holder, identities) in person::store::identities(tx, all).await? {
        for key in identities {
            erasure::forget_listed_key(tx, id, &key).await?;
            erasure::destroy_address(tx, &key).await?;
            erasure::bury(tx, &key, &tombstone(keys, holder, &key)).await?;
        }
    }
    erasure::forget_profiles(tx, all).await?;
    profile::store::traits::forget(tx, all).await?;
    erasure::forget_evidence(tx, all).await?;
    // What was agreed to stays as a record; nothing of it is in force.
    for person in all {
        consent::store::replace(tx, *person, &[]).await?;
    }
    erasure::forget_reasons(tx, all).await?;
    erasure::forget_merges(tx, all).await?;
    forget_released(tx, keys, all).await?;
    traces::forget_reviews(tx, all, now).await?;
    traces::forget_attributes(tx, all).await?;
    traces::forget_tags(tx, all).await?;
    traces::forget_sources(tx, all).await?;
    traces::forget_notes(tx, all).await?;
    traces::forget_words(tx, all).await?;
    Ok(())
}

/// Keys that the persons once had: those that somebody else has now are not destroyed, only that they had them.
async fn forget_released(tx: &mut Tx, keys: &Keys, all: &[PersonId]) -> Result<(), Fault> {
    for released in traces::released(tx, all).await? {
        let stone = tombstone(keys, released.person_id, &released.identity);
        traces::bury(tx, released.id, &stone).await?;
        traces::destroy_orphan(tx, &released.identity).await?;
    }
    Ok(())
}

fn tombstone(keys: &Keys, holder: PersonId, key: &Identity) -> String {
    let whole = format!("{holder} {} {} {}", key.kind.as_str(), key.scope, key.value);
    format!("{TOMBSTONE}{}", keys.digest("tombstone", &whole))
}
