//! tonic refuses some requests by itself, without a reason that a machine can read and partly with codes that blame the
//! server. Here such a refusal becomes one of ours.

use http::Response;
use siyu_kernel::{Code, Fault};
use tonic::{Status, body::Body};

use crate::status::status;

/// How tonic's texts about requests that are no messages begin (0.14).
const MALFORMED: [&str; 4] =
    ["failed to decode Protobuf", "Missing request message", "Unexpected EOF", "protocol error"];

/// The response, or what it should have said.
pub(crate) fn mended(response: Response<Body>) -> Response<Body> {
    let headers = response.headers();
    // Replies and our own refusals, which have details, pass untouched.
    if !headers.contains_key("grpc-status") || headers.contains_key("grpc-status-details-bin") {
        return response;
    }
    let theirs = Status::from_header_map(headers);
    theirs.and_then(|theirs| refusal(&theirs)).map_or(response, |ours| status(ours).into_http())
}

/// What ended a stream of messages: a message that is none, or a caller that is gone.
pub(crate) fn fault(theirs: Status) -> Fault {
    refusal(&theirs).unwrap_or_else(|| {
        let message = "the stream of messages broke";
        Fault::new(Code::Unavailable, "STREAM_BROKEN", message).caused_by(theirs)
    })
}

fn refusal(theirs: &Status) -> Option<Fault> {
    let (code, text) = (theirs.code(), theirs.message());
    let is_malformed = MALFORMED.iter().any(|start| text.starts_with(start));
    if code == tonic::Code::OutOfRange && text.contains("message length too large") {
        Some(Fault::new(Code::InvalidArgument, "MESSAGE_TOO_LARGE", text.to_owned()))
    } else if code == tonic::Code::Internal && is_malformed {
        Some(Fault::new(Code::InvalidArgument, "MESSAGE_MALFORMED", text.to_owned()))
    } else if code == tonic::Code::Unimplemented && text.is_empty() {
        Some(Fault::new(Code::Unimplemented, "METHOD_UNKNOWN", "there is no such method"))
    } else if code == tonic::Code::Unimplemented {
        Some(Fault::new(Code::Unimplemented, "ENCODING_UNKNOWN", text.to_owned()))
    } else {
        None
    }
}
