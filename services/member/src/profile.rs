//! Profiles (客户资料): what is known of persons besides keys. All of it is sealed; a few fields stand beside it in clear, to be
//! searched by. A merge moves nothing: gaps are filled from the rows of aliases, so undoing it needs nothing either; only what
//! persons are searched by is computed anew. A birthday is searched by the keyed digest of its month and day.

pub mod domain;
pub mod rpc;
pub mod store;

use prost::Message;
use siyu_kernel::Fault;
use siyu_pg::Tx;
use siyu_proto::member::v1 as proto;

use crate::{
    App,
    person::{Merge, PersonId, Unmerge},
    vault::{self, Keys, Place},
};

const KIND: &str = "profile";

/// The profile of a person in clear; none where nothing was ever said.
pub async fn load(tx: &mut Tx, keys: &Keys, id: PersonId) -> Result<Option<proto::Profile>, Fault> {
    merged(keys, id, &store::list(tx, id).await?)
}

/// What the survivor is searched by has the words of both; an alias is not searched for.
pub(crate) async fn on_merge(_app: &App, tx: &mut Tx, merge: &Merge) -> Result<(), Fault> {
    Ok(store::traits::refresh(tx, &[merge.survivor, merge.loser]).await?)
}

/// Each has its own words again.
pub(crate) async fn on_unmerge(_app: &App, tx: &mut Tx, unmerge: &Unmerge) -> Result<(), Fault> {
    Ok(store::traits::refresh(tx, &[unmerge.survivor, unmerge.loser]).await?)
}

/// By what a birthday is found: month and day, whatever the year.
pub fn birth_digest(keys: &Keys, (month, day): (u32, u32)) -> String {
    keys.digest("profile.birthday", &format!("{month:02}-{day:02}"))
}

/// Computes what persons are searched by where an earlier version did not. Safe to be stopped at any point, and to be run by
/// several processes.
pub(crate) async fn digest_all(app: &App) -> Result<(), Fault> {
    let mut all = app.db.system("member.digest_profiles").await?;
    let merchants = store::traits::undigested(&mut all).await?;
    all.commit().await?;
    for merchant in merchants {
        let keys = vault::keys(app, merchant).await?;
        loop {
            let mut tx = app.db.tenant(merchant).await?;
            let rows = store::traits::lock_undigested(&mut tx).await?;
            if rows.is_empty() {
                break;
            }
            for row in &rows {
                let born = domain::birthday(&open(&keys, row)?.birthday);
                let digest = born.map(|day| birth_digest(&keys, day)).unwrap_or_default();
                store::traits::save_digest(&mut tx, row.person_id, &digest).await?;
            }
            let ids: Vec<PersonId> = rows.iter().map(|row| row.person_id).collect();
            let known = crate::person::canonical_all(&mut tx, &ids).await?;
            let mut persons: Vec<PersonId> = known.into_values().collect();
            persons.sort_unstable();
            persons.dedup();
            store::traits::refresh(&mut tx, &persons).await?;
            tx.commit().await?;
        }
    }
    Ok(())
}

/// One profile out of what was said of a person and of its aliases, newest first.
fn merged(keys: &Keys, id: PersonId, rows: &[store::Row]) -> Result<Option<proto::Profile>, Fault> {
    let own = rows.iter().find(|row| row.person_id == id);
    let is_folded = |row: &store::Row| own.is_some_and(|own| own.folded.contains(&row.person_id));
    let mut known: Option<proto::Profile> = None;
    for row in rows.iter().filter(|row| !is_folded(row)) {
        let older = open(keys, row)?;
        match &mut known {
            Some(profile) => domain::fill(profile, &older),
            None => known = Some(older),
        }
    }
    Ok(known)
}

fn open(keys: &Keys, row: &store::Row) -> Result<proto::Profile, Fault> {
    let person = row.person_id.to_string();
    let clear = keys.open_bytes(Place { kind: KIND, row: &person }, &row.sealed)?;
    let profile = proto::Profile::decode(clear.as_slice()).map_err(Fault::internal)?;
    Ok(proto::Profile { update_time: Some(siyu_grpc::parse::timestamp(row.updated_at)), ..profile })
}

fn seal(keys: &Keys, id: PersonId, profile: &proto::Profile) -> Vec<u8> {
    let bare = proto::Profile { update_time: None, ..profile.clone() };
    let person = id.to_string();
    keys.seal_bytes(Place { kind: KIND, row: &person }, &bare.encode_to_vec())
}
