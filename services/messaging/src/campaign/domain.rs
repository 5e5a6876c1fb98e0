//! What a campaign is and how it goes through its life. Pure.

use chrono::{DateTime, Utc};
use siyu_grpc::parse::timestamp;
use siyu_kernel::{Code, Fault, Id, kind};
use siyu_proto::messaging::v1 as proto;

use super::purpose::Purpose;

/// The id of a campaign.
pub type CampaignId = Id<kind::Campaign>;
/// The id of an audience of the member service.
pub type AudienceId = Id<kind::Audience>;
/// The id of a person of the member service.
pub type PersonId = Id<kind::Person>;

/// Where a campaign is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum State {
    /// Written, not started.
    Draft,
    /// The audience is being frozen into messages.
    Preparing,
    /// Messages are being sent.
    Running,
    /// No message waits any more.
    Done,
    /// Stopped by the merchant.
    Cancelled,
}

/// What happens to a campaign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// The merchant starts it.
    Start,
    /// The whole audience stands in messages.
    Frozen,
    /// None of its messages waits any more.
    Settled,
    /// The merchant stops it.
    Cancel,
}

/// A campaign without its audience's list: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Campaign {
    /// The id.
    pub id: CampaignId,
    /// The name, for the merchant.
    pub name: String,
    /// The channel.
    pub channel: String,
    /// The text.
    pub text: String,
    /// What it is for.
    pub purpose: Purpose,
    /// Only the persons of this audience of the member service; none: whom growth and list say.
    pub audience_id: Option<AudienceId>,
    /// Only persons with at least this growth.
    pub growth_min: i64,
    /// Where it is in its life.
    pub state: State,
    /// Messages of it may be queued.
    pub pending: bool,
    /// When it was drafted.
    pub created_at: DateTime<Utc>,
    /// When it was started.
    pub started_at: Option<DateTime<Utc>>,
}

/// Why something cannot be done with a campaign.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such channel.
    #[error("there is no channel \"{0}\"")]
    ChannelUnknown(String),
    /// It is not started.
    #[error("the campaign is not started")]
    NotStarted,
    /// Its audience is still being frozen.
    #[error("the campaign is being prepared")]
    Preparing,
    /// It is done.
    #[error("the campaign is done")]
    Done,
    /// It is cancelled.
    #[error("the campaign is cancelled")]
    Cancelled,
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        let forbidden = |reason| Self::new(Code::FailedPrecondition, reason, error.to_string());
        match &error {
            Error::ChannelUnknown(channel) => {
                let message = format!("channel: {error}");
                Self::new(Code::InvalidArgument, "CHANNEL_UNKNOWN", message)
                    .with("channel", channel)
            }
            Error::NotStarted => forbidden("CAMPAIGN_NOT_STARTED"),
            Error::Preparing => forbidden("CAMPAIGN_PREPARING"),
            Error::Done => forbidden("CAMPAIGN_DONE"),
            Error::Cancelled => forbidden("CAMPAIGN_CANCELLED"),
        }
    }
}

impl State {
    /// The word in columns.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Preparing => "preparing",
            Self::Running => "running",
            Self::Done => "done",
            Self::Cancelled => "cancelled",
        }
    }

    /// The state after an event; the same where it changes nothing.
    ///
    /// # Errors
    /// Why the event cannot happen in this state.
    pub const fn on(self, event: Event) -> Result<Self, Error> {
        use Event::{Cancel, Frozen, Settled, Start};
        match (self, event) {
            (Self::Draft | Self::Preparing, Start) => Ok(Self::Preparing),
            (Self::Preparing, Frozen) | (Self::Running, Start | Frozen) => Ok(Self::Running),
            (Self::Running, Settled) | (Self::Done, Start | Frozen | Settled) => Ok(Self::Done),
            (Self::Draft | Self::Preparing | Self::Running, Cancel)
            | (Self::Cancelled, Settled | Cancel) => Ok(Self::Cancelled),
            (Self::Draft, Frozen | Settled) => Err(Error::NotStarted),
            (Self::Preparing, Settled) => Err(Error::Preparing),
            (Self::Done, Cancel) => Err(Error::Done),
            (Self::Cancelled, Start | Frozen) => Err(Error::Cancelled),
        }
    }
}

impl Campaign {
    /// Takes in an event; returns whether it changed anything.
    ///
    /// # Errors
    /// Why the event cannot happen now.
    pub fn take(&mut self, event: Event, now: DateTime<Utc>) -> Result<bool, Error> {
        let before = (self.state, self.pending);
        self.state = self.state.on(event)?;
        match (before.0, event) {
            (State::Draft, Event::Start) => {
                self.started_at = Some(now);
                self.pending = true;
            }
            (_, Event::Settled) => self.pending = false,
            (_, Event::Start | Event::Frozen | Event::Cancel) => {}
        }
        Ok((self.state, self.pending) != before)
    }

    /// The campaign as callers see it, without audience and counts.
    pub fn show(self) -> proto::Campaign {
        proto::Campaign {
            id: self.id.to_string(),
            name: self.name,
            channel: self.channel,
            text: self.text,
            audience: None,
            state: proto::CampaignState::from(self.state).into(),
            create_time: Some(timestamp(self.created_at)),
            start_time: self.started_at.map(timestamp),
            counts: None,
            purpose: proto::CampaignPurpose::from(self.purpose).into(),
        }
    }

    /// The campaign as callers see it, with whom it is for.
    pub fn show_with(self, person_ids: &[PersonId]) -> proto::Campaign {
        let audience = proto::Audience {
            audience_id: self.audience_id.map(|id| id.to_string()).unwrap_or_default(),
            growth_min: self.growth_min,
            person_ids: person_ids.iter().map(ToString::to_string).collect(),
        };
        proto::Campaign { audience: Some(audience), ..self.show() }
    }
}

impl From<State> for proto::CampaignState {
    fn from(state: State) -> Self {
        match state {
            State::Draft => Self::Draft,
            State::Preparing => Self::Preparing,
            State::Running => Self::Running,
            State::Done => Self::Done,
            State::Cancelled => Self::Cancelled,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATES: [State; 5] =
        [State::Draft, State::Preparing, State::Running, State::Done, State::Cancelled];
    const EVENTS: [Event; 4] = [Event::Start, Event::Frozen, Event::Settled, Event::Cancel];

    /// A cell of the table in the module's documentation.
    fn cell(state: State, event: Event) -> &'static str {
        match state.on(event) {
            Ok(next) if next == state => "–",
            Ok(next) => next.as_str(),
            Err(Error::NotStarted) => "not started",
            Err(Error::Preparing) => "preparing",
            Err(Error::Done) => "done",
            Err(Error::Cancelled) => "cancelled",
            Err(Error::ChannelUnknown(_)) => unreachable!("no event is about a channel"),
        }
    }

    #[test]
    fn every_transition_is_the_one_of_the_documented_table() {
        let row = |state: State| {
            let cells = EVENTS.map(|event| cell(state, event)).join(" | ");
            format!("//! | {} | {cells} |\n", state.as_str())
        };
        let table: String = STATES.into_iter().map(row).collect();
        assert!(include_str!("../campaign.rs").contains(&table), "the table is now\n{table}");
    }

    #[test]
    fn nothing_leaves_an_end_and_only_a_start_leads_to_messages() {
        for event in EVENTS {
            for end in [State::Done, State::Cancelled] {
                assert!(end.on(event).is_err() || end.on(event).unwrap() == end);
            }
            let leaves_draft = State::Draft.on(event);
            assert_eq!(matches!(leaves_draft, Ok(State::Preparing)), event == Event::Start);
        }
    }

    fn draft() -> Campaign {
        Campaign {
            id: Id::from_uuid(uuid::Uuid::from_u128(1)),
            name: "n".into(),
            channel: "sandbox".into(),
            text: "t".into(),
            purpose: Purpose::Marketing,
            audience_id: None,
            growth_min: 0,
            state: State::Draft,
            pending: false,
            created_at: at(0),
            started_at: None,
        }
    }

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    #[test]
    fn a_campaign_waits_for_messages_from_its_start_until_it_is_settled() {
        let mut campaign = draft();
        assert!(campaign.take(Event::Start, at(1)).unwrap());
        assert!(!campaign.take(Event::Start, at(2)).unwrap());
        assert_eq!((campaign.pending, campaign.started_at), (true, Some(at(1))));
        assert!(campaign.take(Event::Cancel, at(3)).unwrap());
        assert!(campaign.pending, "its messages are still to be withdrawn");
        assert!(campaign.take(Event::Settled, at(4)).unwrap());
        assert_eq!((campaign.state, campaign.pending), (State::Cancelled, false));
    }

    #[test]
    fn a_cancelled_draft_waits_for_nothing() {
        let mut campaign = draft();
        assert!(campaign.take(Event::Cancel, at(1)).unwrap());
        assert_eq!((campaign.state, campaign.pending), (State::Cancelled, false));
    }

    #[test]
    fn states_are_spelled_alike_in_columns_and_in_the_contract() {
        for state in STATES {
            let wire = proto::CampaignState::from(state).as_str_name();
            assert_eq!(wire, format!("CAMPAIGN_STATE_{}", state.as_str().to_uppercase()));
        }
    }
}
