//! How what PostgreSQL says is sorted.

use std::time::Duration;

use siyu_kernel::{Code, Fault};
use siyu_pg::{Db, Error, OnConstraint, Settings};
use siyu_testkit::{Database, merchant};

use crate::{NOTES, write};

#[derive(Debug, PartialEq)]
enum NoteError {
    Twice,
    Empty,
    Store(String),
}

impl From<Error> for NoteError {
    fn from(err: Error) -> Self {
        Self::Store(format!("{err}"))
    }
}

#[tokio::test]
async fn a_constraint_becomes_the_error_that_its_statement_names() {
    let database = Database::fresh(NOTES).await;
    let db = database.db();
    let attempt = async |text: &str| {
        let mut tx = db.tenant(merchant(1)).await?;
        let meaning = |name: &str| match name {
            "notes_merchant_id_text_key" => Some(NoteError::Twice),
            "notes_text_check" => Some(NoteError::Empty),
            _ => None,
        };
        write(&mut tx, text).await.on_constraints(meaning)?;
        tx.commit().await?;
        Ok::<_, NoteError>(())
    };
    assert_eq!(attempt("a").await, Ok(()));
    assert_eq!(attempt("a").await, Err(NoteError::Twice));
    assert_eq!(attempt("").await, Err(NoteError::Empty));
    let mut tx = db.tenant(merchant(1)).await.unwrap();
    let named =
        write(&mut tx, "a").await.on_constraint("notes_merchant_id_text_key", NoteError::Twice);
    assert_eq!(named, Err(NoteError::Twice));
    let mut tx = db.tenant(merchant(1)).await.unwrap();
    let other = write(&mut tx, "a").await.on_constraint("notes_text_check", NoteError::Empty);
    let unnamed = "the constraint \"notes_merchant_id_text_key\" is violated".to_owned();
    assert_eq!(other, Err(NoteError::Store(unnamed)));
}

#[tokio::test]
async fn a_missing_value_is_named_by_its_column() {
    let database = Database::fresh(NOTES).await;
    let mut tx = database.db().tenant(merchant(1)).await.unwrap();
    let sql = "insert into notes (merchant_id, text) values ($1, null)";
    let err = sqlx::query(sql).bind(merchant(1)).execute(&mut *tx).await.unwrap_err();
    let Error::Constraint { name, .. } = Error::from(err) else { panic!("not a constraint") };
    assert_eq!(name, "notes.text");
}

#[tokio::test]
async fn a_deadlock_is_a_conflict() {
    let database = Database::fresh(NOTES).await;
    let db = database.db();
    let mut tx = db.tenant(merchant(1)).await.unwrap();
    for text in ["a", "b"] {
        write(&mut tx, text).await.unwrap();
    }
    tx.commit().await.unwrap();
    let lock = async |tx: &mut siyu_pg::Tx, text: &str| {
        let sql = "select 1 from notes where text = $1 for update";
        sqlx::query(sql).bind(text).execute(&mut **tx).await.map_err(Error::from)
    };
    let mut first = db.tenant(merchant(1)).await.unwrap();
    let mut second = db.tenant(merchant(1)).await.unwrap();
    lock(&mut first, "a").await.unwrap();
    lock(&mut second, "b").await.unwrap();
    // The victim's locks are free only when its transaction ends.
    let crossed = async |mut tx: siyu_pg::Tx, text| lock(&mut tx, text).await.map(|_| ());
    let (one, two) = futures::join!(crossed(first, "b"), crossed(second, "a"));
    let ((Err(err), Ok(())) | (Ok(()), Err(err))) = (one, two) else { panic!("one of them loses") };
    assert!(matches!(err, Error::Conflict(_)), "{err:?}");
    let fault = Fault::from(err);
    assert_eq!((fault.code(), fault.reason()), (Code::Aborted, "STORE_CONFLICT"));
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_ended() {
    let database = Database::fresh(NOTES).await;
    let mut settings = Settings::new(database.app_url());
    settings.statement_timeout = Duration::from_millis(30);
    let db = Db::connect(&settings).await.unwrap();
    let mut tx = db.tenant(merchant(1)).await.unwrap();
    let slow = sqlx::query("select pg_sleep(5)").execute(&mut *tx).await;
    let fault = Fault::from(Error::from(slow.unwrap_err()));
    assert_eq!((fault.code(), fault.reason()), (Code::DeadlineExceeded, "STORE_TIMEOUT"));
}

#[tokio::test]
async fn a_pool_without_a_free_connection_refuses_in_time() {
    let database = Database::fresh(NOTES).await;
    let mut settings = Settings::new(database.app_url());
    settings.max_connections = 1;
    settings.acquire_timeout = Duration::from_millis(50);
    let db = Db::connect(&settings).await.unwrap();
    let _taken = db.tenant(merchant(1)).await.unwrap();
    let fault = Fault::from(db.tenant(merchant(1)).await.unwrap_err());
    assert_eq!((fault.code(), fault.reason()), (Code::Unavailable, "STORE_UNAVAILABLE"));
}

#[tokio::test]
async fn a_statement_that_is_wrong_is_a_fault_of_the_suite_and_tells_the_client_nothing() {
    let database = Database::fresh(NOTES).await;
    let mut tx = database.db().tenant(merchant(1)).await.unwrap();
    let wrong = sqlx::query("select secret from nowhere").execute(&mut *tx).await;
    let fault = Fault::from(Error::from(wrong.unwrap_err()));
    assert_eq!((fault.code(), fault.message()), (Code::Internal, "internal error"));
    assert!(format!("{fault:?}").contains("nowhere"), "the operator sees it");
}
