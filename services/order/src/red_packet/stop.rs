//! Stops packets of an order of which nothing is left, and gives back what packets that are not sent had reserved.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use siyu_kernel::Fault;
use siyu_pg::Tx;
use siyu_proto::order::v1::RedPacketPolicy;

use super::{
    domain::Packet,
    send::limits_of,
    store::{
        self,
        limit::{self, Limit},
    },
};

/// Stops those of the packets, which the transaction has locked, that no provider was asked to send.
pub(crate) async fn stop(
    tx: &mut Tx,
    packets: &mut [Packet],
    now: DateTime<Utc>,
) -> Result<(), Fault> {
    let mut stopped = Vec::new();
    for packet in packets {
        if packet.stop() {
            store::save(tx, packet, now).await?;
            stopped.push(&*packet);
        }
    }
    release(tx, &stopped).await
}

/// Gives back what packets that are not sent had reserved: every budget before every count, each in their order, for others
/// reserve in the same one.
pub(super) async fn release(tx: &mut Tx, packets: &[&Packet]) -> Result<(), Fault> {
    let mut budgets: BTreeMap<&str, i64> = BTreeMap::new();
    let mut counts: Vec<(Limit, i64)> = Vec::new();
    for packet in packets {
        *budgets.entry(&packet.budget_code).or_default() += packet.amount_minor;
        let counted = limits_of(packet, &RedPacketPolicy::default()).into_iter();
        counts.extend(counted.map(|limit| (limit, packet.amount_minor)));
    }
    for (code, minor) in budgets {
        limit::reserve(tx, code, -minor).await?;
    }
    counts.sort_by(|(a, _), (b, _)| (a.kind, &a.key, a.day).cmp(&(b.kind, &b.key, b.day)));
    for (counted, minor) in counts {
        limit::uncount(tx, &counted, minor).await?;
    }
    Ok(())
}
