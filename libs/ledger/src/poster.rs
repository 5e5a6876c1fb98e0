//! Concurrent callers share a transaction: one lock, one write, one commit for many of them.

use std::{collections::BTreeMap, sync::Arc};

use chrono::{DateTime, Utc};
use siyu_pg::{
    Db,
    coalesce::{Coalescer, Limits},
};

use crate::{
    Error, MAX_BATCH, MerchantId, Outcome, Transfer,
    post::{Call, post_calls},
};

/// Posts the transfers of concurrent callers in shared transactions. Clones share them.
///
/// For transfers that stand on their own. Where the transfer and a change of the service's own tables belong together,
/// call [`post`](crate::post) in the service's transaction.
#[derive(Debug, Clone)]
pub struct Poster {
    coalescer: Coalescer<Request, Vec<Outcome>, Error>,
}

#[derive(Debug)]
struct Request {
    merchant: MerchantId,
    transfers: Vec<Transfer>,
    now: DateTime<Utc>,
}

impl Poster {
    /// A poster, and its worker that the owner runs as a named task.
    pub fn new(db: Db, limits: Limits) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let (coalescer, worker) = Coalescer::new(limits, move |requests| {
            let db = db.clone();
            async move { post_shared(&db, &requests).await }
        });
        (Self { coalescer }, worker)
    }

    /// Posts transfers and commits; what other callers want does not change the outcome, nor do their errors.
    ///
    /// # Errors
    /// As [`post`](crate::post); [`Error::NotRun`] when it had no effect, [`Error::Lost`] when a repeat tells whether
    /// it had.
    pub async fn post(
        &self,
        merchant: MerchantId,
        transfers: Vec<Transfer>,
        now: DateTime<Utc>,
    ) -> Result<Vec<Outcome>, Error> {
        if transfers.len() > MAX_BATCH {
            return Err(Error::TooMany { given: transfers.len(), most: MAX_BATCH });
        }
        self.coalescer.call(Request { merchant, transfers, now }).await
    }
}

async fn post_shared(db: &Db, requests: &[Request]) -> Vec<Result<Vec<Outcome>, Error>> {
    let mut results = Vec::with_capacity(requests.len());
    for share in shares(requests) {
        match post_share(db, share).await {
            Ok(outcomes) => results.extend(outcomes.into_iter().map(Ok)),
            Err(Error::Store(err)) if is_lost(&err) => {
                let err = Arc::new(err);
                results.extend(share.iter().map(|_| Err(Error::Lost(Arc::clone(&err)))));
            }
            Err(err) if share.len() == 1 => results.push(Err(err)),
            // One of them spoils it for the others: each for itself, so that only that one fails.
            Err(_) => {
                for alone in share {
                    let outcomes = post_share(db, std::slice::from_ref(alone)).await;
                    results.push(outcomes.map(|mut outcomes| outcomes.remove(0)));
                }
            }
        }
    }
    results
}

/// Cuts the requests so that no transaction posts more than [`MAX_BATCH`] transfers.
fn shares(requests: &[Request]) -> Vec<&[Request]> {
    let (mut shares, mut start, mut size) = (Vec::new(), 0, 0);
    for (i, request) in requests.iter().enumerate() {
        if size + request.transfers.len() > MAX_BATCH {
            shares.push(&requests[start..i]);
            (start, size) = (i, 0);
        }
        size += request.transfers.len();
    }
    shares.push(&requests[start..]);
    shares
}

/// Posts in one transaction, merchant by merchant in the order of their ids, and answers in the order of the requests.
async fn post_share(db: &Db, requests: &[Request]) -> Result<Vec<Vec<Outcome>>, Error> {
    let mut by_merchant: BTreeMap<MerchantId, Vec<usize>> = BTreeMap::new();
    for (i, request) in requests.iter().enumerate() {
        by_merchant.entry(request.merchant).or_default().push(i);
    }
    let calls = |positions: &[usize]| -> Vec<Call<'_>> {
        let requests = positions.iter().map(|&i| &requests[i]);
        requests.map(|request| Call { transfers: &request.transfers, now: request.now }).collect()
    };
    if let (1, Some((merchant, positions))) = (by_merchant.len(), by_merchant.first_key_value()) {
        let mut tx = db.tenant(*merchant).await?;
        let answers = post_calls(&mut tx, &calls(positions)).await?;
        tx.commit().await?;
        return Ok(answers);
    }
    let mut answers = vec![Vec::new(); requests.len()];
    let mut tx = db.system("ledger poster").await?;
    for (merchant, positions) in by_merchant {
        let tenant = tx.become_tenant(merchant).await?;
        let outcomes = post_calls(tenant, &calls(&positions)).await?;
        for (i, outcomes) in positions.into_iter().zip(outcomes) {
            answers[i] = outcomes;
        }
    }
    tx.commit().await?;
    Ok(answers)
}

/// Whether the database went away: then every repeat would wait for it in vain.
const fn is_lost(err: &siyu_pg::Error) -> bool {
    match err {
        siyu_pg::Error::Unavailable(_) | siyu_pg::Error::Timeout(_) => true,
        siyu_pg::Error::Constraint { .. }
        | siyu_pg::Error::Conflict(_)
        | siyu_pg::Error::Other(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use siyu_kernel::Id;
    use uuid::Uuid;

    use super::*;
    use crate::TransferCode;

    #[test]
    fn no_transaction_posts_more_than_a_call_may() {
        let request = |len: usize| {
            let id = Id::from_uuid(Uuid::nil());
            let transfer = Transfer::void_pending(id, TransferCode::new(1), id);
            let merchant = Id::from_uuid(Uuid::nil());
            Request { merchant, transfers: vec![transfer; len], now: DateTime::UNIX_EPOCH }
        };
        let sizes = |lens: &[usize]| -> Vec<usize> {
            let requests: Vec<_> = lens.iter().map(|&len| request(len)).collect();
            shares(&requests).iter().map(|share| share.len()).collect()
        };
        assert_eq!(sizes(&[1, 2, 3]), [3]);
        assert_eq!(sizes(&[MAX_BATCH, 1, MAX_BATCH]), [1, 1, 1]);
        assert_eq!(sizes(&[MAX_BATCH - 1, 1, 1, MAX_BATCH - 1]), [2, 2]);
    }
}
