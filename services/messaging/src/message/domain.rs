//! What a message is and how far it has come. Pure.

use chrono::{DateTime, Utc};
use siyu_grpc::parse::timestamp;
use siyu_kernel::{Id, kind};
use siyu_proto::messaging::v1 as proto;

use crate::{
    campaign::domain::{CampaignId, PersonId},
    limits,
};

/// The id of a message.
pub type MessageId = Id<kind::Message>;

/// How far a message has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum State {
    /// Waiting to be submitted.
    Queued,
    /// Withdrawn before it was submitted.
    Cancelled,
    /// Handed to the channel.
    Submitted,
    /// Accepted by the channel.
    Sent,
    /// Refused for good.
    Failed,
    /// On the person's device.
    Delivered,
    /// Seen.
    Read,
    /// Followed.
    Clicked,
}

/// A message: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Message {
    /// The id.
    pub id: MessageId,
    /// The campaign.
    pub campaign_id: CampaignId,
    /// Who gets it.
    pub person_id: PersonId,
    /// The channel.
    pub channel: String,
    /// How far it has come.
    pub state: State,
    /// Since when.
    pub state_at: DateTime<Utc>,
    /// Why it failed; empty otherwise.
    pub failure: String,
    /// How often a worker took it.
    pub attempt: i32,
}

/// What somebody says of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What was reached.
    pub state: State,
    /// When.
    pub at: DateTime<Utc>,
    /// Why it failed; empty otherwise.
    pub failure: String,
}

impl State {
    /// Every state, by rank.
    pub const ALL: [Self; 8] = [
        Self::Queued,
        Self::Cancelled,
        Self::Submitted,
        Self::Sent,
        Self::Failed,
        Self::Delivered,
        Self::Read,
        Self::Clicked,
    ];

    /// How far it is: a message only moves to a higher rank.
    pub const fn rank(self) -> u8 {
        match self {
            Self::Queued => 0,
            Self::Cancelled => 1,
            Self::Submitted => 2,
            Self::Sent => 3,
            Self::Failed => 4,
            Self::Delivered => 5,
            Self::Read => 6,
            Self::Clicked => 7,
        }
    }

    /// The word in columns.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Cancelled => "cancelled",
            Self::Submitted => "submitted",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::Clicked => "clicked",
        }
    }

    /// Who reaches `later` has reached this state too.
    const fn is_implied_by(self, later: Self) -> bool {
        match self {
            Self::Submitted | Self::Delivered | Self::Read | Self::Clicked => {
                self.rank() <= later.rank()
            }
            Self::Failed => matches!(later, Self::Failed),
            Self::Queued | Self::Cancelled | Self::Sent => false,
        }
    }

    /// What is told, in order, when a message moves to a higher rank.
    pub fn told(self, later: Self) -> impl Iterator<Item = Self> {
        let told = move |state: &Self| state.rank() > self.rank() && state.is_implied_by(later);
        Self::ALL.into_iter().filter(told)
    }

    /// Reads a value of the contract; `None` for "not given" and for numbers that it does not know.
    pub fn read(value: i32) -> Option<Self> {
        Some(match proto::MessageState::try_from(value).ok()? {
            proto::MessageState::Unspecified => return None,
            proto::MessageState::Queued => Self::Queued,
            proto::MessageState::Submitted => Self::Submitted,
            proto::MessageState::Sent => Self::Sent,
            proto::MessageState::Delivered => Self::Delivered,
            proto::MessageState::Read => Self::Read,
            proto::MessageState::Clicked => Self::Clicked,
            proto::MessageState::Failed => Self::Failed,
            proto::MessageState::Cancelled => Self::Cancelled,
        })
    }

    /// What a channel can say of a message.
    pub const fn is_reported(self) -> bool {
        match self {
            Self::Sent | Self::Delivered | Self::Read | Self::Clicked | Self::Failed => true,
            Self::Queued | Self::Submitted | Self::Cancelled => false,
        }
    }
}

impl Message {
    /// Moves the message if the step is further on, and returns what there is to tell: the message in each state that it
    /// reached. `None`: the step is behind and changes nothing.
    pub fn take(&mut self, step: &Step) -> Option<Vec<Self>> {
        if step.state.rank() <= self.state.rank() {
            return None;
        }
        let before = self.state;
        self.state_at = step.at;
        let mut told = Vec::new();
        for state in before.told(step.state) {
            self.enter(state, &step.failure);
            told.push(self.clone());
        }
        self.enter(step.state, &step.failure);
        Some(told)
    }

    fn enter(&mut self, state: State, failure: &str) {
        self.state = state;
        self.failure.clear();
        if matches!(state, State::Failed | State::Cancelled) {
            let end = failure.floor_char_boundary(limits::FAILURE_BYTES_MAX);
            self.failure.push_str(&failure[..end]);
        }
    }
}

impl Step {
    /// A step that is no failure.
    pub const fn to(state: State, at: DateTime<Utc>) -> Self {
        Self { state, at, failure: String::new() }
    }
}

impl From<Message> for proto::Message {
    fn from(message: Message) -> Self {
        Self {
            id: message.id.to_string(),
            campaign_id: message.campaign_id.to_string(),
            person_id: message.person_id.to_string(),
            channel: message.channel,
            state: proto::MessageState::from(message.state).into(),
            state_time: Some(timestamp(message.state_at)),
            failure: message.failure,
        }
    }
}

impl From<State> for proto::MessageState {
    fn from(state: State) -> Self {
        match state {
            State::Queued => Self::Queued,
            State::Cancelled => Self::Cancelled,
            State::Submitted => Self::Submitted,
            State::Sent => Self::Sent,
            State::Failed => Self::Failed,
            State::Delivered => Self::Delivered,
            State::Read => Self::Read,
            State::Clicked => Self::Clicked,
        }
    }
}

#[cfg(test)]
mod tests;
