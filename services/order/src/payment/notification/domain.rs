//! What a payment company told, as it is kept. Pure.

use chrono::{DateTime, Utc};
use prost::Message;
use siyu_grpc::parse::timestamp;
use siyu_kernel::{Fault, Id, kind};
use siyu_proto::order::v1::{self as proto, ReceiveNotificationRequest};

/// The id of a notification.
pub type NotificationId = Id<kind::Notification>;

/// A notification: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Notification {
    /// The notification.
    pub id: NotificationId,
    /// The account that it was sent to.
    pub account_code: String,
    /// The payment company's own id of it; `None` while it is refused.
    pub event_id: Option<String>,
    /// What became of it.
    pub state: State,
    /// Why it was refused.
    pub problem: String,
    /// The encoded headers.
    pub headers: Vec<u8>,
    /// The body, byte for byte.
    pub body: String,
    /// How often it came.
    pub times: i32,
    /// How often it was worked on without an end.
    pub tries: i32,
    /// When it came first.
    pub received_at: DateTime<Utc>,
    /// When it was worked on last.
    pub processed_at: Option<DateTime<Utc>>,
    /// When it is worked on next.
    pub due_at: Option<DateTime<Utc>>,
}

/// What became of a notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum State {
    /// Stored, not worked on yet.
    Received,
    /// Taken in.
    Processed,
    /// It does not fit.
    Refused,
    /// It speaks of something that is not known here.
    Unmatched,
}

impl State {
    /// As the contract shows it.
    pub(crate) const fn show(self) -> proto::NotificationState {
        match self {
            Self::Received => proto::NotificationState::Received,
            Self::Processed => proto::NotificationState::Processed,
            Self::Refused => proto::NotificationState::Refused,
            Self::Unmatched => proto::NotificationState::Unmatched,
        }
    }
}

impl Notification {
    /// As the contract shows it.
    pub(crate) fn show(&self) -> Result<proto::Notification, Fault> {
        let kept = ReceiveNotificationRequest::decode(self.headers.as_slice());
        Ok(proto::Notification {
            id: self.id.to_string(),
            account_code: self.account_code.clone(),
            event_id: self.event_id.clone().unwrap_or_default(),
            state: self.state.show().into(),
            problem: self.problem.clone(),
            headers: kept.map_err(Fault::internal)?.headers,
            body: self.body.clone(),
            times: self.times,
            receive_time: Some(timestamp(self.received_at)),
            process_time: self.processed_at.map(timestamp),
        })
    }
}
