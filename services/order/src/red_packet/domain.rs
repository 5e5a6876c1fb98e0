//! What becomes of a packet. Pure.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use siyu_kernel::{
    Id,
    kind::{self, Person},
};
use siyu_proto::order::v1::RedPacketPolicy;

use crate::order::domain::OrderId;

/// The id of a packet.
pub type PacketId = Id<kind::RedPacket>;

/// A packet: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Packet {
    /// The packet.
    pub id: PacketId,
    /// Who gets it.
    pub person_id: Id<Person>,
    /// The order that it is for.
    pub order_id: Option<OrderId>,
    /// Who sends it; empty: nobody in person.
    pub employee: String,
    /// Who approved it; empty: nobody.
    pub approved_by: String,
    /// What stands on it.
    pub wishing: String,
    /// The budget.
    pub budget_code: String,
    /// How much.
    pub amount_minor: i64,
    /// The day on which its limits are reserved.
    pub day: NaiveDate,
    /// Where it is in its life.
    pub state: State,
    /// The provider's own number.
    pub channel_no: String,
    /// Why it failed.
    pub failure: String,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When it was sent.
    pub sent_at: Option<DateTime<Utc>>,
    /// When it was opened.
    pub received_at: Option<DateTime<Utc>>,
    /// When it came back.
    pub refunded_at: Option<DateTime<Utc>>,
    /// How often the step was tried.
    pub attempts: i32,
}

/// Where a packet is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum State {
    /// It is reserved.
    Created,
    /// The provider is asked to send it.
    Sending,
    /// It is sent and waits to be opened.
    Sent,
    /// It was opened.
    Received,
    /// Nobody opened it: the money came back.
    Refunded,
    /// It was not sent.
    Failed,
    /// Whether it was sent is not known.
    Unknown,
    /// Nothing is left of its order: it will not be sent.
    Stopped,
}

/// What a provider says of a packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It is sent, under the provider's own number.
    Sent(String),
    /// It was opened.
    Received,
    /// Nobody opened it: the money came back.
    Refunded,
    /// It was not sent and will not be, for this reason.
    Failed(String),
    /// The provider has no such number: send it again.
    None,
}

/// What an answer has for a consequence, beside the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consequence {
    /// None.
    Nothing,
    /// Money left.
    Left,
    /// Money left and came back.
    LeftAndReturned,
    /// Money came back.
    Returned,
    /// Nothing is reserved any more.
    Released,
}

/// How long a packet waits to be opened.
pub const OPENS_WITHIN: TimeDelta = TimeDelta::hours(72);

impl State {
    /// The word in columns and in the export.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Received => "received",
            Self::Refunded => "refunded",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
            Self::Stopped => "stopped",
        }
    }

    /// Nothing more happens.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Received | Self::Refunded | Self::Failed | Self::Stopped)
    }
}

impl Packet {
    /// The number that the provider knows it by: the same for every attempt (rule 8).
    pub fn bill_no(&self) -> String {
        self.id.to_string().split_off("rpk_".len())
    }

    /// Whether no provider was ever asked to send it. One that a provider did not know when it was asked for it is created
    /// again, but may be on its way there still.
    pub fn is_unasked(&self) -> bool {
        self.state == State::Created && self.attempts == 0
    }

    /// Stops it while no provider was asked to send it; says whether it did.
    pub fn stop(&mut self) -> bool {
        let stops = self.is_unasked();
        if stops {
            self.state = State::Stopped;
        }
        stops
    }

    /// Takes an answer. One that says nothing new, or that comes after the end, changes nothing.
    pub fn take(&mut self, answer: Answer, now: DateTime<Utc>) -> Consequence {
        if self.state.is_final() {
            return Consequence::Nothing;
        }
        let was_sent = self.state == State::Sent;
        match answer {
            // Nothing new; and what left cannot have failed: a person has to look at the provider's books.
            Answer::Sent(_) | Answer::Failed(_) | Answer::None if was_sent => Consequence::Nothing,
            Answer::Sent(channel_no) => {
                (self.state, self.sent_at, self.channel_no) = (State::Sent, Some(now), channel_no);
                Consequence::Left
            }
            Answer::Received => {
                self.sent_at = self.sent_at.or(Some(now));
                (self.state, self.received_at) = (State::Received, Some(now));
                if was_sent { Consequence::Nothing } else { Consequence::Left }
            }
            Answer::Refunded => {
                self.sent_at = self.sent_at.or(Some(now));
                (self.state, self.refunded_at) = (State::Refunded, Some(now));
                if was_sent { Consequence::Returned } else { Consequence::LeftAndReturned }
            }
            Answer::Failed(reason) => {
                (self.state, self.failure) = (State::Failed, reason);
                Consequence::Released
            }
            Answer::None => {
                self.state = State::Created;
                Consequence::Nothing
            }
        }
    }
}

/// The limits, with the usual ones where the merchant has said nothing.
pub fn effective(policy: RedPacketPolicy) -> RedPacketPolicy {
    let or = |given: i64, usual: i64| if given == 0 { usual } else { given };
    RedPacketPolicy {
        min_minor: or(policy.min_minor, 100),
        max_minor: or(policy.max_minor, 20_000),
        per_person_day_count: if policy.per_person_day_count == 0 {
            10
        } else {
            policy.per_person_day_count
        },
        ..policy
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn packet(state: State) -> Packet {
        Packet {
            id: Id::from_uuid(Uuid::from_u128(1)),
            person_id: Id::from_uuid(Uuid::nil()),
            order_id: None,
            employee: String::new(),
            approved_by: String::new(),
            wishing: String::new(),
            budget_code: String::new(),
            amount_minor: 100,
            day: NaiveDate::default(),
            state,
            channel_no: String::new(),
            failure: String::new(),
            created_at: DateTime::UNIX_EPOCH,
            sent_at: None,
            received_at: None,
            refunded_at: None,
            attempts: 0,
        }
    }

    #[test]
    fn every_answer_in_every_state_leads_where_the_table_says() {
        use Consequence::{Left, LeftAndReturned, Nothing, Released, Returned};
        let of = |state| {
            let answers = [
                Answer::Sent("1".into()),
                Answer::Received,
                Answer::Refunded,
                Answer::Failed("no".into()),
                Answer::None,
            ];
            answers.map(|answer| {
                let mut packet = packet(state);
                let consequence = packet.take(answer, DateTime::UNIX_EPOCH);
                (packet.state, consequence)
            })
        };
        for open in [State::Created, State::Sending, State::Unknown] {
            let expected = [
                (State::Sent, Left),
                (State::Received, Left),
                (State::Refunded, LeftAndReturned),
                (State::Failed, Released),
                (State::Created, Nothing),
            ];
            assert_eq!(of(open), expected, "{open:?}");
        }
        let expected = [
            (State::Sent, Nothing),
            (State::Received, Nothing),
            (State::Refunded, Returned),
            (State::Sent, Nothing),
            (State::Sent, Nothing),
        ];
        assert_eq!(of(State::Sent), expected);
        for done in [State::Received, State::Refunded, State::Failed, State::Stopped] {
            assert_eq!(of(done), [(done, Nothing); 5]);
        }
    }

    #[test]
    fn a_packet_is_stopped_only_before_a_provider_was_asked_to_send_it() {
        let mut created = packet(State::Created);
        assert_eq!((created.stop(), created.state), (true, State::Stopped));
        assert_eq!((created.stop(), created.state), (false, State::Stopped), "once");
        let mut again = Packet { attempts: 2, ..packet(State::Created) };
        assert_eq!((again.stop(), again.state), (false, State::Created));
        let others = [State::Sending, State::Sent, State::Received, State::Refunded, State::Failed];
        for state in others.into_iter().chain([State::Unknown]) {
            let mut other = packet(state);
            assert_eq!((other.stop(), other.state), (false, state));
        }
    }

    #[test]
    fn a_bill_number_is_the_same_for_every_attempt_and_short_enough_for_providers() {
        let number = packet(State::Created).bill_no();
        assert_eq!(number, "00000000000000000000000001");
        assert!(number.len() <= 28);
    }
}
