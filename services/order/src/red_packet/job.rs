//! Takes the steps that packets wait for.

use chrono::{DateTime, TimeDelta, Utc};
use siyu_kernel::{Fault, Id, kind::Merchant};
use siyu_pg::Tx;
use siyu_runtime::Progress;

use super::{
    domain::{Answer, Consequence, OPENS_WITHIN, Packet, PacketId, State},
    stop,
    store::{self, limit},
};
use crate::{App, limits, tender::domain::pause};

/// How often a provider is asked whether a packet was opened.
const ASKED_EVERY: TimeDelta = TimeDelta::hours(1);

/// Takes some steps that are due.
pub(crate) async fn once(app: &App) -> Result<Progress, Fault> {
    let now = app.clock.now();
    let mut jobs = app.db.system("order.red_packets").await?;
    let due = store::due(&mut jobs, now, limits::JOB_BATCH).await?;
    drop(jobs);
    let progress = if due.is_empty() { Progress::Idle } else { Progress::Worked };
    for (merchant, id) in due {
        match step(app, merchant, id).await {
            Ok(()) => {}
            // What one provider's answer lacks does not hold up the others.
            Err(fault) => {
                tracing::warn!(red_packet_id = %id, reason = fault.reason(), "a red packet has to wait");
            }
        }
    }
    Ok(progress)
}

/// Takes the next step of a packet. The attempt is written down before the provider is asked, outside of any transaction
/// (rule 7): one that is cut off is asked for later, and never sent under another number.
pub(super) async fn step(app: &App, merchant: Id<Merchant>, id: PacketId) -> Result<(), Fault> {
    let now = app.clock.now();
    let mut tx = app.db.tenant(merchant).await?;
    let Some(mut packet) = store::lock(&mut tx, id).await? else { return Ok(()) };
    let before = packet.state;
    if before.is_final() {
        return Ok(());
    }
    if before == State::Created {
        packet.state = State::Sending;
    }
    packet.attempts += 1;
    store::save(&mut tx, &packet, now + pause(packet.attempts)).await?;
    tx.commit().await?;
    let answer = match before {
        State::Created => app.red_packets.send(&packet).await,
        State::Sending | State::Sent | State::Unknown => app.red_packets.query(&packet, now).await,
        State::Received | State::Refunded | State::Failed | State::Stopped => return Ok(()),
    };
    keep(app, merchant, id, answer, now).await
}

async fn keep(
    app: &App,
    merchant: Id<Merchant>,
    id: PacketId,
    answer: Result<Answer, Fault>,
    now: DateTime<Utc>,
) -> Result<(), Fault> {
    let mut tx = app.db.tenant(merchant).await?;
    let gone = || Fault::internal("a red packet has gone");
    let mut packet = store::lock(&mut tx, id).await?.ok_or_else(gone)?;
    let consequence = match answer {
        Ok(answer) => {
            if packet.state == State::Sent && matches!(answer, Answer::Failed(_) | Answer::None) {
                tracing::error!(red_packet_id = %id, "a provider takes back that it sent a packet");
            }
            packet.take(answer, now)
        }
        Err(fault) => {
            tracing::warn!(red_packet_id = %id, reason = fault.reason(), "a provider gave no answer");
            if packet.state == State::Sending {
                packet.state = State::Unknown;
            }
            Consequence::Nothing
        }
    };
    follow(&mut tx, &packet, consequence, now).await?;
    let due_at = match (packet.state, packet.sent_at) {
        // The hour at which it comes back is not missed by an hour.
        (State::Sent, Some(sent_at)) if now < sent_at + OPENS_WITHIN => {
            (now + ASKED_EVERY).min(sent_at + OPENS_WITHIN)
        }
        (State::Sent, _) => now + ASKED_EVERY,
        _ => now + pause(packet.attempts),
    };
    store::save(&mut tx, &packet, due_at).await?;
    Ok(tx.commit().await?)
}

/// What an answer has for a consequence: entries of the ledger, and what is reserved no longer. What came back is free for
/// the budget, but counts for the limits of its day.
async fn follow(
    tx: &mut Tx,
    packet: &Packet,
    consequence: Consequence,
    now: DateTime<Utc>,
) -> Result<(), Fault> {
    let (code, minor) = (packet.budget_code.as_str(), packet.amount_minor);
    match consequence {
        Consequence::Nothing => {}
        Consequence::Left => store::enter(tx, packet, "sent", now).await?,
        Consequence::LeftAndReturned => {
            store::enter(tx, packet, "sent", now).await?;
            limit::reserve(tx, code, -minor).await?;
            store::enter(tx, packet, "returned", now).await?;
        }
        Consequence::Returned => {
            limit::reserve(tx, code, -minor).await?;
            store::enter(tx, packet, "returned", now).await?;
        }
        Consequence::Released => stop::release(tx, &[packet]).await?,
    }
    Ok(())
}
