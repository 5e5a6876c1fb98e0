//! The sandbox: a channel that reaches nobody and behaves like one that does. What becomes of a message follows from its id
//! alone, so it is the same in each run; what it was handed it remembers in a table of its own. It reports by receipts, a
//! moment later, and they are taken in like everybody's.
//!
//! | of 10,000 | answer | receipts |
//! | --- | --- | --- |
//! | 100 | refused | |
//! | 200 | accepted | sent, failed |
//! | 3,700 | accepted | sent, delivered |
//! | 4,500 | accepted | sent, delivered, read |
//! | 1,500 | accepted | sent, delivered, read, clicked |

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use siyu_kernel::{Fault, Id, kind::Merchant};
use siyu_pg::Db;
use siyu_runtime::Progress;
use tonic::async_trait;

use super::{Answer, Batch, Provider, store};
use crate::{
    App,
    campaign::purpose::Consent,
    limits,
    message::{
        domain::{MessageId, State, Step},
        receipt::{self, Receipt},
    },
};

/// The name of the channel.
pub const NAME: &str = "sandbox";

/// The provider.
#[derive(Debug)]
pub struct Sandbox {
    db: Db,
}

/// What becomes of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is not taken.
    Refused,
    /// It is taken and does not arrive.
    Failed,
    /// It arrives and stays unread.
    Delivered,
    /// It is read.
    Read,
    /// It is read and followed.
    Clicked,
}

impl Fate {
    /// The fate of a message, drawn like the bucket of an experiment (reference §5.4).
    pub fn of(id: MessageId) -> Self {
        let digest = Sha256::digest(format!("{NAME}:{id}"));
        let head = digest.first_chunk().expect("a digest has 32 bytes");
        match u64::from_be_bytes(*head) % 10_000 {
            0..100 => Self::Refused,
            100..300 => Self::Failed,
            300..4_000 => Self::Delivered,
            4_000..8_500 => Self::Read,
            _ => Self::Clicked,
        }
    }

    /// What the sandbox answers when it is handed the message.
    pub fn answer(self) -> Answer {
        match self {
            Self::Refused => Answer::Refused("the sandbox knows no address".to_owned()),
            Self::Failed | Self::Delivered | Self::Read | Self::Clicked => Answer::Accepted,
        }
    }

    /// What it reports then.
    const fn reports(self) -> &'static [State] {
        match self {
            Self::Refused => &[],
            Self::Failed => &[State::Sent, State::Failed],
            Self::Delivered => &[State::Sent, State::Delivered],
            Self::Read => &[State::Sent, State::Delivered, State::Read],
            Self::Clicked => &[State::Sent, State::Delivered, State::Read, State::Clicked],
        }
    }
}

impl Sandbox {
    /// The sandbox with its memory.
    pub const fn new(db: Db) -> Self {
        Self { db }
    }
}

#[async_trait]
impl Provider for Sandbox {
    /// It reaches nobody, so who never decided has nothing to fear.
    fn consent(&self) -> Consent {
        Consent::NotWithdrawn
    }

    async fn submit(&self, batch: &Batch<'_>) -> Result<Vec<Answer>, Fault> {
        let ids: Vec<MessageId> = batch.recipients.iter().map(|r| r.message_id).collect();
        let fates: Vec<Fate> = ids.iter().map(|&id| Fate::of(id)).collect();
        let reported: Vec<bool> = fates.iter().map(|fate| fate.reports().is_empty()).collect();
        let mut tx = self.db.tenant(batch.merchant).await?;
        store::insert(&mut tx, &ids, &reported, batch.now).await?;
        tx.commit().await?;
        Ok(fates.into_iter().map(Fate::answer).collect())
    }

    async fn lookup(
        &self,
        merchant: Id<Merchant>,
        ids: &[MessageId],
    ) -> Result<Vec<Option<Answer>>, Fault> {
        let mut tx = self.db.tenant_read(merchant).await?;
        let known = store::known(&mut tx, ids).await?;
        Ok(ids.iter().map(|id| known.contains(id).then(|| Fate::of(*id).answer())).collect())
    }
}

/// Reports on one batch of messages of one merchant.
pub async fn report_once(app: &App) -> Result<Progress, Fault> {
    let now = app.clock.now();
    let mut jobs = app.db.system("messaging.sandbox").await?;
    let Some(merchant) = store::next(&mut jobs).await? else { return Ok(Progress::Idle) };
    let tx = jobs.become_tenant(merchant).await?;
    let ids = store::take(tx, limits::SANDBOX_BATCH).await?;
    let receipts: Vec<Receipt> = ids.iter().flat_map(|&id| receipts(id, now)).collect();
    receipt::take(app, tx, &receipts, now).await?;
    jobs.commit().await?;
    Ok(if ids.is_empty() { Progress::Idle } else { Progress::Worked })
}

/// Everything that the sandbox will ever say of a message.
fn receipts(id: MessageId, at: DateTime<Utc>) -> impl Iterator<Item = Receipt> {
    Fate::of(id).reports().iter().map(move |&state| {
        let failed = state == State::Failed;
        let failure = if failed { "the sandbox lost it".to_owned() } else { String::new() };
        Receipt {
            id: format!("{NAME}-{id}-{}", state.as_str()),
            message_id: id,
            step: Step { failure, ..Step::to(state, at) },
        }
    })
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn id(n: u128) -> MessageId {
        Id::from_uuid(Uuid::from_u128(n))
    }

    #[test]
    fn fates_come_as_often_as_documented() {
        let mut counts = [0_i32; 5];
        for n in 0..100_000 {
            counts[Fate::of(id(n)) as usize] += 1;
        }
        for (count, wanted) in counts.into_iter().zip([1_000, 2_000, 37_000, 45_000, 15_000]) {
            assert!((count - wanted).abs() < wanted / 10, "{counts:?}");
        }
    }

    #[test]
    fn the_fate_of_a_message_never_changes() {
        use Fate::{Delivered as D, Read as R};
        // Computed by hand: 5228, 2955, 6718, 5972, 687, 1634, 4266, 4276, 8047, 5825, 2135, 3692.
        let fates: Vec<Fate> = (0..12).map(|n| Fate::of(id(n))).collect();
        assert_eq!(fates, [R, D, R, R, D, D, R, R, R, R, D, D]);
    }

    #[test]
    fn the_sandbox_says_each_thing_once_in_the_order_of_a_life() {
        for n in 0..1_000 {
            let said: Vec<Receipt> = receipts(id(n), DateTime::UNIX_EPOCH).collect();
            assert!(said.is_sorted_by(|a, b| a.step.state.rank() < b.step.state.rank()));
            assert_eq!(said.is_empty(), Fate::of(id(n)).answer() != Answer::Accepted);
            assert!(
                said.iter().all(|r| r.step.failure.is_empty() == (r.step.state != State::Failed))
            );
        }
    }
}
