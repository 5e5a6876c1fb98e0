//! Connections (连接): edges between persons and the merchant's channel accounts. The latest fact about an edge wins,
//! whatever order facts arrive in.

pub mod kind;
pub mod rpc;
pub mod store;
pub mod touch;

use chrono::{DateTime, Utc};
use siyu_grpc::parse::timestamp;
use siyu_kernel::Fault;
use siyu_pg::Tx;
use siyu_proto::member::v1 as proto;

use crate::{
    App,
    person::{Merge, PersonId, Unmerge, store::moving},
};

/// An edge: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Connection {
    /// The person.
    pub person_id: PersonId,
    /// The channel.
    pub channel: String,
    /// The merchant's account on it.
    pub account_id: String,
    /// Whether it is live.
    pub state: State,
    /// Since when.
    pub state_at: DateTime<Utc>,
    /// Where it came from.
    pub source: String,
    /// Why it ended.
    pub reason: Reason,
}

/// Whether an edge is live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum State {
    /// The person can be reached.
    Connected,
    /// The person left.
    Disconnected,
}

/// Why an edge ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Reason {
    /// Not told, or it has not.
    #[sqlx(rename = "")]
    Untold,
    /// The person left.
    Left,
    /// The employee removed the person.
    Removed,
    /// The person blocked the account.
    Blocked,
    /// The person was handed over to another account.
    HandedOver,
    /// The address does not exist any more.
    Unreachable,
}

impl Reason {
    /// The word in columns.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Untold => "",
            Self::Left => "left",
            Self::Removed => "removed",
            Self::Blocked => "blocked",
            Self::HandedOver => "handed_over",
            Self::Unreachable => "unreachable",
        }
    }

    /// Reads a value of the contract.
    pub fn read(value: i32) -> Option<Self> {
        Some(match proto::DisconnectReason::try_from(value).ok()? {
            proto::DisconnectReason::Unspecified => Self::Untold,
            proto::DisconnectReason::Left => Self::Left,
            proto::DisconnectReason::Removed => Self::Removed,
            proto::DisconnectReason::Blocked => Self::Blocked,
            proto::DisconnectReason::HandedOver => Self::HandedOver,
            proto::DisconnectReason::Unreachable => Self::Unreachable,
        })
    }
}

impl From<Reason> for proto::DisconnectReason {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::Untold => Self::Unspecified,
            Reason::Left => Self::Left,
            Reason::Removed => Self::Removed,
            Reason::Blocked => Self::Blocked,
            Reason::HandedOver => Self::HandedOver,
            Reason::Unreachable => Self::Unreachable,
        }
    }
}

impl State {
    /// The word in columns.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connected => "connected",
            Self::Disconnected => "disconnected",
        }
    }

    /// Reads a value of the contract.
    pub fn read(value: i32) -> Option<Self> {
        match proto::ConnectionState::try_from(value).ok()? {
            proto::ConnectionState::Unspecified => None,
            proto::ConnectionState::Connected => Some(Self::Connected),
            proto::ConnectionState::Disconnected => Some(Self::Disconnected),
        }
    }
}

impl From<Connection> for proto::Connection {
    fn from(connection: Connection) -> Self {
        let state = match connection.state {
            State::Connected => proto::ConnectionState::Connected,
            State::Disconnected => proto::ConnectionState::Disconnected,
        };
        Self {
            person_id: connection.person_id.to_string(),
            channel: connection.channel,
            account_id: connection.account_id,
            state: state.into(),
            state_time: Some(timestamp(connection.state_at)),
            source: connection.source,
            reason: proto::DisconnectReason::from(connection.reason).into(),
        }
    }
}

/// The edges of the loser go to the survivor. Where both have one to the same account, the later fact counts, and the
/// loser's row stays where it is: nobody asks for it while its person is an alias.
pub(crate) async fn on_merge(_app: &App, tx: &mut Tx, merge: &Merge) -> Result<(), Fault> {
    store::overwrite(tx, merge).await?;
    moving::move_over(tx, &store::EDGES, merge).await?;
    touch::store::merge(tx, merge).await?;
    Ok(())
}

/// The edges that the loser brought in go back, as they are now; what its later facts had overwritten is as it was.
pub(crate) async fn on_unmerge(_app: &App, tx: &mut Tx, unmerge: &Unmerge) -> Result<(), Fault> {
    moving::move_back(tx, &store::EDGES, unmerge).await?;
    store::restore(tx, unmerge).await?;
    Ok(())
}
