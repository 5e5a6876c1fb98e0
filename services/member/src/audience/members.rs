//! Who is in an audience, in the order of ids: read stretch by stretch, so that neither memory nor a transaction grows with
//! the audience, and there is no ceiling.

use futures::{Stream, stream};
use siyu_grpc::{Ctx, parse};
use siyu_kernel::{Fault, Id, kind::Merchant};
use siyu_pg::Tx;
use siyu_proto::member::v1::StreamAudienceMembersResponse;

use super::{Audience, SnapshotId, node, store};
use crate::{
    App,
    filter::{
        Node,
        store::{Chunk, Whom, chunk_end, members},
    },
    limits,
    person::PersonId,
    vault::Keys,
};

/// What is read.
#[derive(Debug, Clone)]
pub enum Source {
    /// An audience as it is.
    Live(Node),
    /// A snapshot of one.
    Frozen(SnapshotId),
}

/// Some members, and where to go on.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stretch {
    persons: Vec<PersonId>,
    /// After whom the next one begins; none: this was the last.
    next: Option<PersonId>,
}

/// Finds what a request names: an audience or a snapshot, one of both.
pub async fn find(
    tx: &mut Tx,
    ctx: &Ctx,
    keys: &Keys,
    audience_id: &str,
    snapshot_id: &str,
) -> Result<Source, Fault> {
    let snapshot = parse::optional_id("snapshot_id", snapshot_id)?;
    let Some(id) = snapshot else {
        let id = parse::id("audience_id", audience_id)?;
        let found: Option<Audience> = store::find(tx, id).await?;
        let audience = found.ok_or_else(|| Fault::not_found("audience"))?;
        return Ok(Source::Live(node(tx, keys, &audience, ctx.now).await?));
    };
    if !audience_id.is_empty() {
        return Err(Fault::field("snapshot_id", "must be empty where an audience is named"));
    }
    let found = store::find_snapshot(tx, id).await?;
    Ok(Source::Frozen(found.ok_or_else(|| Fault::not_found("snapshot"))?.id))
}

/// So many members after one, fewer at the end only.
pub async fn page(
    tx: &mut Tx,
    source: &Source,
    after: Option<PersonId>,
    size: usize,
) -> Result<Vec<PersonId>, Fault> {
    let (mut persons, mut next) = (Vec::new(), after);
    // A page of many is likely to fill in a few stretches of its own size; who is rare is looked for in larger and larger ones.
    let mut chunk =
        i64::try_from(size).unwrap_or(limits::CHUNK).saturating_mul(4).min(limits::CHUNK);
    loop {
        let stretch = stretch(tx, source, next, chunk).await?;
        persons.extend(stretch.persons);
        next = stretch.next;
        if persons.len() >= size || next.is_none() {
            persons.truncate(size);
            return Ok(persons);
        }
        chunk = chunk.saturating_mul(4).min(limits::CHUNK);
    }
}

async fn stretch(
    tx: &mut Tx,
    source: &Source,
    after: Option<PersonId>,
    chunk: i64,
) -> Result<Stretch, Fault> {
    match source {
        Source::Live(node) => {
            let until = chunk_end(tx, after, chunk).await?;
            let persons = members(tx, node, Whom::Chunk(Chunk { after, until })).await?;
            Ok(Stretch { persons, next: until })
        }
        Source::Frozen(id) => {
            let persons = store::snapshot_page(tx, *id, after).await?;
            let next = persons.last().copied();
            Ok(Stretch { persons, next })
        }
    }
}

/// All members after one, in many messages. Each stretch is a transaction of its own, and is read when the one before is sent.
pub fn stream(
    app: App,
    merchant: Id<Merchant>,
    source: Source,
    after: Option<PersonId>,
) -> impl Stream<Item = Result<StreamAudienceMembersResponse, Fault>> {
    let start = Some((Vec::new().into_iter(), Some(Begin(after))));
    stream::unfold(start, move |state| {
        let (app, source) = (app.clone(), source.clone());
        async move {
            let (mut ready, mut begin): (std::vec::IntoIter<PersonId>, Option<Begin>) = state?;
            while ready.len() == 0 {
                let Begin(after) = begin?;
                let read = async {
                    let mut tx = app.db.tenant_read(merchant).await?;
                    stretch(&mut tx, &source, after, limits::CHUNK).await
                };
                let stretch = match read.await {
                    Ok(stretch) => stretch,
                    Err(fault) => return Some((Err(fault), None)),
                };
                begin = stretch.next.map(|next| Begin(Some(next)));
                ready = stretch.persons.into_iter();
            }
            let some = ready.by_ref().take(limits::STREAM_PAGE);
            let person_ids = some.map(|person| person.to_string()).collect();
            Some((Ok(StreamAudienceMembersResponse { person_ids }), Some((ready, begin))))
        }
    })
}

/// After whom to go on; none: from the first.
#[derive(Debug, Clone, Copy)]
struct Begin(Option<PersonId>);
