//! Profiles (客户资料): what is known of persons besides keys. All of it is sealed; a few fields stand beside it in clear, to be
//! searched by. A merge moves nothing: gaps are filled from the rows of aliases, so undoing it needs nothing either.

pub mod domain;
pub mod rpc;
pub mod store;

use prost::Message;
use siyu_kernel::Fault;
use siyu_pg::Tx;
use siyu_proto::member::v1 as proto;

use crate::{
    person::PersonId,
    vault::{Keys, Place},
};

const KIND: &str = "profile";

/// The profile of a person in clear; none where nothing was ever said.
pub async fn load(tx: &mut Tx, keys: &Keys, id: PersonId) -> Result<Option<proto::Profile>, Fault> {
    merged(keys, id, &store::list(tx, id).await?)
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
