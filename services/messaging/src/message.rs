//! Messages: one message of a campaign to one person.
//!
//! | rank | state | comes from | told as a fact |
//! | --- | --- | --- | --- |
//! | 0 | queued | the frozen audience | |
//! | 1 | cancelled | a cancelled campaign | |
//! | 2 | submitted | the channel took it | yes |
//! | 3 | sent | a receipt | |
//! | 4 | failed | the channel refused it, or a receipt | yes |
//! | 5 | delivered | a receipt | yes |
//! | 6 | read | a receipt | yes |
//! | 7 | clicked | a receipt | yes |
//!
//! A message moves to a state of a higher rank and never back, so the order and the number of receipts do not matter: what
//! is left is the highest of them (reference §5.3). A failure that is followed by a delivery was none. A state that is told
//! is told once, with the later one when it was passed over.

pub mod dispatch;
pub mod domain;
pub mod events;
pub mod permission;
pub mod receipt;
pub mod rpc;
pub mod store;

use siyu_pg::Tx;
use siyu_proto::messaging::v1 as proto;

use crate::campaign::domain::CampaignId;
use domain::State;

/// How many messages of a campaign have come how far.
pub async fn counts(
    tx: &mut Tx,
    campaign_id: CampaignId,
) -> Result<proto::MessageCounts, siyu_pg::Error> {
    let mut counts = proto::MessageCounts::default();
    for (state, n) in store::counts(tx, campaign_id).await? {
        counts.total += n;
        *match state {
            State::Queued => &mut counts.queued,
            State::Cancelled => &mut counts.cancelled,
            State::Submitted => &mut counts.submitted,
            State::Sent => &mut counts.sent,
            State::Failed => &mut counts.failed,
            State::Delivered => &mut counts.delivered,
            State::Read => &mut counts.read,
            State::Clicked => &mut counts.clicked,
        } = n;
    }
    Ok(counts)
}
