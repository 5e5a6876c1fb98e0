//! Errors between here and the suite: what they say, and how the program ends.

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use super::*;
use crate::exit::{Exit, Failure};

fn connection(server: &str, token: Option<&str>) -> Connection {
    Connection { server: server.to_owned(), token: token.map(Secret::new), ca_file: None }
}

async fn failure(connection: Connection) -> Failure {
    match Client::connect(&connection).await {
        Err(error) => error.into(),
        Ok(_) => panic!("it connected"),
    }
}

#[tokio::test]
async fn a_suite_that_is_not_there_is_named_with_what_to_do() {
    // A port that was free a moment ago.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let server = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let failure = failure(connection(&server, Some("t"))).await;
    assert_eq!(failure.exit, Exit::Unreachable);
    assert!(failure.message.starts_with(&format!("cannot reach {server}: Connection refused")));
    assert!(failure.hint.unwrap().contains("siyu up"));
}

#[tokio::test]
async fn a_connection_that_cannot_be_meant_is_refused_before_it_is_tried() {
    let cases = [
        (connection("http://127.0.0.1:1", None), Exit::Unreachable, "no token"),
        (connection("127.0.0.1:7080", Some("t")), Exit::Usage, "must start with http"),
        (connection("http://", Some("t")), Exit::Usage, "must be like"),
        (connection("https://siyu.example", Some("t")), Exit::Usage, "--ca-file"),
    ];
    for (connection, exit, words) in cases {
        let failure = failure(connection).await;
        assert_eq!(failure.exit, exit, "{failure}");
        assert!(failure.message.contains(words), "{failure}");
    }
    let channel = Endpoint::from_static("http://127.0.0.1:1").connect_lazy();
    let refused = Client::over(channel, &Secret::new("to\nken"), "here").err();
    assert_eq!(refused, Some(Error::Token));
}

#[test]
fn a_refusal_is_told_with_its_fields_and_its_reason() {
    let mut details = ErrorDetails::new();
    details
        .set_error_info("INVALID_FIELD", "siyu", std::collections::HashMap::new())
        .add_bad_request_violation("name", "is required")
        .add_bad_request_violation("zone", "is not known");
    let message = "name: is required (and 1 more)";
    let status = Status::with_error_details(Code::InvalidArgument, message, details);
    assert_eq!(
        words(&status),
        "name: is required (and 1 more)\n  zone: is not known (INVALID_FIELD)"
    );
}

#[test]
fn how_the_program_ends_follows_from_the_code() {
    let cases = [
        (Status::unauthenticated("who?"), Exit::Unreachable),
        (Status::permission_denied("not you"), Exit::Unreachable),
        (Status::unavailable("later"), Exit::Unreachable),
        (Status::invalid_argument("what?"), Exit::Failed),
        (Status::internal("oh"), Exit::Failed),
    ];
    for (status, exit) in cases {
        assert_eq!(Failure::from(Error::of("here", &status)).exit, exit, "{status}");
    }
}
