//! What a request wants done with points, in our own words.

use chrono::{DateTime, Utc};
use prost::Message;
use sha2::{Digest, Sha256};
use siyu_grpc::{Ctx, parse};
use siyu_kernel::{Fault, Id, kind};
use siyu_ledger::TransferId;
use siyu_proto::member::v1::{
    AdjustPointsRequest, ConsumeFrozenPointsRequest, FreezePointsRequest, GrantPointsRequest,
    RevertPointsRequest, SpendPointsRequest, UnfreezePointsRequest,
};
use uuid::{Builder, Uuid};

use crate::{limits, person::PersonId, vault::Keys};

/// One change of points.
#[derive(Debug, Clone)]
pub(crate) struct Command {
    /// Whose points.
    pub(crate) merchant: Id<kind::Merchant>,
    /// When it was asked for.
    pub(crate) now: DateTime<Utc>,
    /// The transfer that it becomes. It follows from the request id, so that a repeat asks for the same one.
    pub(crate) id: TransferId,
    /// A digest of the request, which the transfer carries: tells a repeat from another request under the same id.
    pub(crate) fingerprint: i64,
    /// What is to be done.
    pub(crate) change: Change,
    /// What was said about it.
    pub(crate) note: Note,
}

/// What was said about a change; both may be empty.
#[derive(Debug, Clone, Default)]
pub(crate) struct Note {
    /// What it was for.
    pub(crate) action: String,
    /// Why, in words.
    pub(crate) reason: String,
}

/// What is to be done.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    /// Points come in.
    Grant {
        person: PersonId,
        points: i64,
        available_at: Option<DateTime<Utc>>,
        expires_at: Option<DateTime<Utc>>,
    },
    /// Points go out.
    Spend { person: PersonId, points: i64, order: Option<Uuid> },
    /// Points are reserved.
    Freeze { person: PersonId, points: i64, until: DateTime<Utc>, order: Option<Uuid> },
    /// Reserved points go out; all of them where no number is given.
    Consume { freeze: TransferId, points: Option<i64> },
    /// Reserved points are free again.
    Unfreeze { freeze: TransferId },
    /// Points that went out come back; all of them where no number is given.
    Revert { of: TransferId, points: Option<i64> },
    /// A correction: in, or, negative, out.
    Adjust { person: PersonId, points: i64, expires_at: Option<DateTime<Utc>> },
}

impl Change {
    /// Whose points it names.
    pub(crate) const fn person(&self) -> Option<PersonId> {
        match self {
            Self::Grant { person, .. }
            | Self::Spend { person, .. }
            | Self::Freeze { person, .. }
            | Self::Adjust { person, .. } => Some(*person),
            Self::Consume { .. } | Self::Unfreeze { .. } | Self::Revert { .. } => None,
        }
    }

    /// The earlier transfer that it is about.
    pub(crate) const fn target(&self) -> Option<TransferId> {
        match self {
            Self::Consume { freeze, .. } | Self::Unfreeze { freeze } => Some(*freeze),
            Self::Revert { of, .. } => Some(*of),
            Self::Grant { .. } | Self::Spend { .. } | Self::Freeze { .. } | Self::Adjust { .. } => {
                None
            }
        }
    }
}

impl Command {
    fn new(
        ctx: &Ctx,
        keys: &Keys,
        method: &str,
        request_id: &str,
        request: &impl Message,
        change: Change,
    ) -> Result<Self, Fault> {
        let merchant = ctx.merchant()?;
        let id = transfer_id(merchant, method, request_id);
        let fingerprint = fingerprint(keys, request);
        Ok(Self { merchant, now: ctx.now, id, fingerprint, change, note: Note::default() })
    }

    fn note(self, action: &str, reason: &str) -> Self {
        Self { note: Note { action: action.to_owned(), reason: reason.to_owned() }, ..self }
    }

    pub(crate) fn grant(
        ctx: &Ctx,
        keys: &Keys,
        request: &GrantPointsRequest,
    ) -> Result<Self, Fault> {
        let available_at = parse::optional_instant("available_time", request.available_time)?;
        let expires_at = parse::optional_instant("expire_time", request.expire_time)?;
        if available_at.zip(expires_at).is_some_and(|(from, end)| end <= from) {
            return Err(Fault::field("expire_time", "must be after available_time"));
        }
        let person = parse::id("person_id", &request.person_id)?;
        let change = Change::Grant { person, points: request.points, available_at, expires_at };
        let command = Self::new(ctx, keys, "GrantPoints", &request.request_id, request, change)?;
        Ok(command.note(&request.action, &request.reason))
    }

    pub(crate) fn spend(
        ctx: &Ctx,
        keys: &Keys,
        request: &SpendPointsRequest,
    ) -> Result<Self, Fault> {
        let person = parse::id("person_id", &request.person_id)?;
        let order = order(&request.order_id)?;
        let change = Change::Spend { person, points: request.points, order };
        let command = Self::new(ctx, keys, "SpendPoints", &request.request_id, request, change)?;
        Ok(command.note("", &request.reason))
    }

    pub(crate) fn freeze(
        ctx: &Ctx,
        keys: &Keys,
        request: &FreezePointsRequest,
    ) -> Result<Self, Fault> {
        let person = parse::id("person_id", &request.person_id)?;
        let until = parse::optional_instant("expire_time", request.expire_time)?;
        let until = until.unwrap_or(ctx.now + limits::FREEZE);
        if until > ctx.now + limits::FREEZE_LONGEST {
            return Err(Fault::field("expire_time", "must be within 90 days"));
        }
        let order = order(&request.order_id)?;
        let change = Change::Freeze { person, points: request.points, until, order };
        let command = Self::new(ctx, keys, "FreezePoints", &request.request_id, request, change)?;
        Ok(command.note("", &request.reason))
    }

    pub(crate) fn consume(
        ctx: &Ctx,
        keys: &Keys,
        request: &ConsumeFrozenPointsRequest,
    ) -> Result<Self, Fault> {
        let freeze = parse::id("freeze_id", &request.freeze_id)?;
        let change = Change::Consume { freeze, points: part(request.points) };
        Self::new(ctx, keys, "ConsumeFrozenPoints", &request.request_id, request, change)
    }

    pub(crate) fn unfreeze(
        ctx: &Ctx,
        keys: &Keys,
        request: &UnfreezePointsRequest,
    ) -> Result<Self, Fault> {
        let change = Change::Unfreeze { freeze: parse::id("freeze_id", &request.freeze_id)? };
        Self::new(ctx, keys, "UnfreezePoints", &request.request_id, request, change)
    }

    pub(crate) fn revert(
        ctx: &Ctx,
        keys: &Keys,
        request: &RevertPointsRequest,
    ) -> Result<Self, Fault> {
        let of = parse::id("transfer_id", &request.transfer_id)?;
        let change = Change::Revert { of, points: part(request.points) };
        let command = Self::new(ctx, keys, "RevertPoints", &request.request_id, request, change)?;
        Ok(command.note("", &request.reason))
    }

    pub(crate) fn adjust(
        ctx: &Ctx,
        keys: &Keys,
        request: &AdjustPointsRequest,
    ) -> Result<Self, Fault> {
        let expires_at = parse::optional_instant("expire_time", request.expire_time)?;
        if request.points < 0 && expires_at.is_some() {
            return Err(Fault::field("expire_time", "is for points that are added"));
        }
        let person = parse::id("person_id", &request.person_id)?;
        let change = Change::Adjust { person, points: request.points, expires_at };
        let command = Self::new(ctx, keys, "AdjustPoints", &request.request_id, request, change)?;
        Ok(command.note("", &request.reason))
    }
}

/// The transfer that a request becomes: scoped by merchant and method, as request ids are (rule 4).
pub(crate) fn transfer_id(
    merchant: Id<kind::Merchant>,
    method: &str,
    request_id: &str,
) -> TransferId {
    let mut digest = Sha256::new();
    digest.update(merchant.uuid().as_bytes());
    digest.update(method.as_bytes());
    digest.update([0]);
    digest.update(request_id.as_bytes());
    let bytes = digest.finalize();
    let head = bytes.first_chunk().expect("a digest has 32 bytes");
    Id::from_uuid(Builder::from_custom_bytes(*head).into_uuid())
}

/// Under the key of the vault: the journal forgets nothing, and a reason may be personal.
fn fingerprint(keys: &Keys, request: &impl Message) -> i64 {
    let bytes = keys.fingerprint_bytes(request);
    i64::from_be_bytes(*bytes.first_chunk().expect("a digest has 32 bytes"))
}

fn order(text: &str) -> Result<Option<Uuid>, Fault> {
    let order: Option<Id<kind::Order>> = parse::optional_id("order_id", text)?;
    Ok(order.map(Id::uuid))
}

/// A part of something; 0 on the wire means all of it.
fn part(points: i64) -> Option<i64> {
    (points > 0).then_some(points)
}
