//! One effect per request.

use siyu_kernel::{Code, Fault};
use siyu_pg::{
    Db,
    idempotency::{Claim, PLATFORM, claim, purge, store},
};
use siyu_testkit::{Database, merchant};

use crate::{NOTES, texts, write};

const METHOD: &str = "siyu.test.v1.NoteService/CreateNote";
const ONE: [u8; 32] = [1; 32];
const TWO: [u8; 32] = [2; 32];

/// What a service does: claim, work, store, commit.
async fn create(db: &Db, n: u32, id: &str, fingerprint: [u8; 32]) -> Result<Vec<u8>, Fault> {
    let mut tx = db.tenant(merchant(n)).await?;
    if let Claim::Replay(reply) = claim(&mut tx, METHOD, id, fingerprint).await? {
        return Ok(reply);
    }
    let note: i64 = sqlx::query_scalar(
        "insert into notes (merchant_id, text) values ($1, 'note ' || gen_random_uuid()) returning note_id",
    )
    .bind(merchant(n))
    .fetch_one(&mut *tx)
    .await
    .map_err(siyu_pg::Error::from)?;
    let reply = note.to_be_bytes().to_vec();
    store(&mut tx, METHOD, id, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_calls_at_once_have_one_effect_and_one_answer() {
    let database = Database::fresh(NOTES).await;
    let calls = (0..50).map(|_| {
        let db = database.db().clone();
        tokio::spawn(async move { create(&db, 1, "request", ONE).await })
    });
    let replies = futures::future::join_all(calls).await;
    let replies: Vec<Vec<u8>> = replies.into_iter().map(|r| r.unwrap().unwrap()).collect();
    assert!(replies.iter().all(|reply| *reply == replies[0]), "{replies:?}");
    assert_eq!(texts(&mut database.owner().await).await.len(), 1);
}

#[tokio::test]
async fn a_request_id_with_another_content_is_refused() {
    let database = Database::fresh(NOTES).await;
    create(database.db(), 1, "request", ONE).await.unwrap();
    let fault = create(database.db(), 1, "request", TWO).await.unwrap_err();
    assert_eq!((fault.code(), fault.reason()), (Code::AlreadyExists, "REQUEST_ID_REUSED"));
    assert_eq!(fault.metadata()["request_id"], "request");
}

#[tokio::test]
async fn merchants_and_methods_do_not_share_request_ids() {
    let database = Database::fresh(NOTES).await;
    let db = database.db();
    let first = create(db, 1, "request", ONE).await.unwrap();
    assert_ne!(first, create(db, 2, "request", TWO).await.unwrap());
    let mut tx = db.tenant(merchant(1)).await.unwrap();
    assert_eq!(claim(&mut tx, "other", "request", TWO).await.unwrap(), Claim::Fresh);
}

#[tokio::test]
async fn a_claim_that_was_rolled_back_is_free_for_the_one_that_waits() {
    let database = Database::fresh(NOTES).await;
    let db = database.db();
    let mut first = db.tenant(merchant(1)).await.unwrap();
    assert_eq!(claim(&mut first, METHOD, "request", ONE).await.unwrap(), Claim::Fresh);
    let waiting = create(db, 1, "request", ONE);
    let fail = async {
        tokio::task::yield_now().await;
        write(&mut first, "").await.unwrap_err();
        drop(first);
    };
    let (reply, ()) = futures::join!(waiting, fail);
    reply.unwrap();
    assert_eq!(texts(&mut database.owner().await).await.len(), 1);
}

#[tokio::test]
async fn requests_of_the_platform_replay_too() {
    let database = Database::fresh(NOTES).await;
    for expected in [Claim::Fresh, Claim::Replay(b"reply".to_vec())] {
        let mut job = database.db().system("test").await.unwrap();
        let tx = job.become_tenant(PLATFORM).await.unwrap();
        let claimed = claim(tx, METHOD, "request", ONE).await.unwrap();
        assert_eq!(claimed, expected);
        if claimed == Claim::Fresh {
            store(tx, METHOD, "request", b"reply").await.unwrap();
        }
        job.commit().await.unwrap();
    }
}

#[tokio::test]
async fn old_requests_are_purged_in_portions() {
    let database = Database::fresh(NOTES).await;
    let db = database.db();
    for id in ["a", "b", "c"] {
        create(db, 1, id, ONE).await.unwrap();
    }
    let purge_at = async |instant: &str| {
        let mut tx = db.system("purge").await.unwrap();
        let purged = purge(&mut tx, instant.parse().unwrap(), 2).await.unwrap();
        tx.commit().await.unwrap();
        purged
    };
    assert_eq!(purge_at("2020-01-01T00:00:00Z").await, 0);
    assert_eq!(purge_at("2999-01-01T00:00:00Z").await, 2);
    assert_eq!(purge_at("2999-01-01T00:00:00Z").await, 1);
}

#[tokio::test]
#[should_panic(expected = "stores one reply to a request that it claimed")]
async fn a_reply_without_a_claim_is_a_fault_of_the_program() {
    let database = Database::fresh(NOTES).await;
    let mut tx = database.db().tenant(merchant(1)).await.unwrap();
    let _ = store(&mut tx, METHOD, "request", b"reply").await;
}
