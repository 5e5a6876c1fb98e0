//! Every statement is prepared against the schema that it is for: a misspelled column fails here, not at a customer's.

use siyu::host::services::Service;
use sqlx::{AssertSqlSafe, Executor, PgConnection, postgres::PgDatabaseError};

use crate::{
    database,
    migrations::without_words,
    statements::{self, Statement},
};

/// Statements whose text is not in the source, with the reason.
const ELSEWHERE: &[(&str, &str)] = &[
    (
        "libs/pg/src/catalogue.rs",
        "a loop over its constants, which runs on every schema in these tests",
    ),
    (
        "services/member/src/filter/store.rs",
        "put together of fixed pieces; its own tests ask every field with every operator",
    ),
    (
        "services/member/src/person/store/merging/moving.rs",
        "two updates for each table of constants; the tests of merges run all of them",
    ),
];

#[test]
fn sql_stands_in_stores_only() {
    let is_store = |path: &str| path.ends_with("/store.rs") || path.contains("/store/");
    let is_library = |path: &str| path.starts_with("libs/pg/src/");
    let wrong: Vec<String> = statements::all()
        .iter()
        .filter(|s| {
            !is_store(s.path) && !is_library(s.path) && !s.path.starts_with("libs/testkit/")
        })
        .map(|s| format!("{}:{}", s.path, s.line))
        .collect();
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn every_statement_is_a_text_in_lower_case() {
    for statement in statements::all() {
        let Statement { path, line, sql } = &statement;
        let Some(sql) = sql else {
            assert!(ELSEWHERE.iter().any(|(known, _)| known == path), "{path}:{line}");
            continue;
        };
        let bare = without_words(sql);
        assert!(!bare.contains(char::is_uppercase), "{path}:{line}: {bare}");
    }
}

#[tokio::test]
async fn every_statement_can_be_prepared_as_the_service_that_uses_it() {
    let statements = statements::all();
    let mut wrong = Vec::new();
    for service in Service::ALL {
        let mut app = database::app(service).await;
        let own = format!("services/{}/", service.name());
        let of = |s: &&Statement| s.path.starts_with(&own) || is_library_of(service, s.path);
        let mut count = 0;
        for Statement { path, line, sql } in statements.iter().filter(of) {
            let Some(sql) = sql.as_ref().filter(|sql| can_be_prepared(sql)) else { continue };
            count += 1;
            if let Err(error) = prepare(&mut app, sql).await {
                wrong.push(format!("{path}:{line} in {}: {error}", service.name()));
            }
        }
        assert!(count >= 4, "{}: {count} statements", service.name());
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert!(statements.len() > 120, "{} statements were found", statements.len());
}

/// Libraries' tables are the same in every database; the ledger's stand in three.
fn is_library_of(service: Service, path: &str) -> bool {
    let has_events = service != Service::Gateway;
    let has_vault = matches!(service, Service::Member | Service::Order);
    let has_ledger = matches!(service, Service::Member | Service::Order | Service::Distribution);
    path.starts_with("libs/pg/src/")
        || (has_events && path.starts_with("libs/events/"))
        || (has_ledger && path.starts_with("libs/ledger/"))
        || (has_vault && path.starts_with("libs/vault/"))
}

/// Commands of transactions name nothing of the schema.
fn can_be_prepared(sql: &str) -> bool {
    !["savepoint", "rollback", "release", "begin", "set"].iter().any(|verb| sql.starts_with(verb))
}

/// Prepares a statement. Drivers tell the types of parameters, PostgreSQL alone takes those that nothing shows for texts: where
/// it then finds another type wanted, the parameter gets that one.
async fn prepare(conn: &mut PgConnection, sql: &str) -> Result<(), String> {
    let mut types = vec!["unknown".to_owned(); parameters(sql)];
    loop {
        let list = if types.is_empty() { String::new() } else { format!("({})", types.join(", ")) };
        let head = format!("prepare checked {list} as ");
        let done = conn.execute(AssertSqlSafe(format!("{head}{sql}"))).await;
        let error = match done {
            Ok(_) => break,
            Err(error) => error.into_database_error().ok_or("no answer")?,
        };
        let error = error.downcast::<PgDatabaseError>();
        let (parameter, wanted) = mismatch(&error, &head, sql).ok_or_else(|| error.to_string())?;
        if types[parameter - 1] != "unknown" {
            return Err(error.to_string());
        }
        types[parameter - 1] = wanted;
    }
    conn.execute("deallocate checked").await.map_err(|error| error.to_string())?;
    Ok(())
}

/// The number of parameters of a statement.
fn parameters(sql: &str) -> usize {
    let numbers = sql.split('$').skip(1).filter_map(|after| {
        let digits: String = after.chars().take_while(char::is_ascii_digit).collect();
        digits.parse::<usize>().ok()
    });
    numbers.max().unwrap_or(0)
}

/// The parameter that should have been of another type, and of which.
fn mismatch(error: &PgDatabaseError, head: &str, sql: &str) -> Option<(usize, String)> {
    const WANTED: &str = " is of type ";
    let sqlx::postgres::PgErrorPosition::Original(position) = error.position()? else {
        return None;
    };
    // Positions count characters, from 1.
    let at: String = format!("{head}{sql}").chars().skip(position - 1).collect();
    let digits: String = at.strip_prefix('$')?.chars().take_while(char::is_ascii_digit).collect();
    let message = error.message();
    let wanted = &message[message.find(WANTED)? + WANTED.len()..message.find(" but expression")?];
    Some((digits.parse().ok()?, wanted.to_owned()))
}

#[tokio::test]
async fn a_misspelled_column_or_table_is_found() {
    let mut app = database::app(Service::Order).await;
    for sql in [
        "select paid_mino from orders where merchant_id = $1",
        "insert into ordrs (merchant_id) select $1",
        "update orders set state = $2 where merchant_id = $1 returning nothing_like_it",
    ] {
        assert!(prepare(&mut app, sql).await.is_err(), "{sql}");
    }
    let sound =
        "insert into status_mappings (merchant_id, platform, status, state) select $1, $2, 'x', $3";
    assert_eq!(prepare(&mut app, sound).await, Ok(()));
}
