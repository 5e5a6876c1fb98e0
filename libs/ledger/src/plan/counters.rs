//! What transfers do to the four counters of an account, with its limits and without overflow (rule 12).

use crate::{Account, Failure, Flags};

/// What happens to the units of a side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// They move.
    Post,
    /// They are reserved.
    Reserve,
    /// The reservation ends and so many of them move.
    End { reserved: i64 },
}

/// The debit account after `amount` units took that step.
pub(super) fn debit(account: &Account, amount: i64, step: Step) -> Result<Account, Failure> {
    let mut next = *account;
    next.entries += 1;
    let (posted, pending) = counters(next.debits_posted, next.debits_pending, amount, step)?;
    (next.debits_posted, next.debits_pending) = (posted, pending);
    let limited = next.flags.has(Flags::DEBITS_MUST_NOT_EXCEED_CREDITS);
    // The end of a hold takes no more than the hold did, which was within the limit.
    if limited && step.grows() && posted + pending > next.credits_posted {
        return Err(Failure::ExceedsCredits);
    }
    Ok(next)
}

/// The credit account after `amount` units took that step.
pub(super) fn credit(account: &Account, amount: i64, step: Step) -> Result<Account, Failure> {
    let mut next = *account;
    next.entries += 1;
    let (posted, pending) = counters(next.credits_posted, next.credits_pending, amount, step)?;
    (next.credits_posted, next.credits_pending) = (posted, pending);
    let limited = next.flags.has(Flags::CREDITS_MUST_NOT_EXCEED_DEBITS);
    if limited && step.grows() && posted + pending > next.debits_posted {
        return Err(Failure::ExceedsDebits);
    }
    Ok(next)
}

fn counters(posted: i64, pending: i64, amount: i64, step: Step) -> Result<(i64, i64), Failure> {
    let (posted, pending) = match step {
        Step::Post => (posted.checked_add(amount), Some(pending)),
        Step::Reserve => (Some(posted), pending.checked_add(amount)),
        Step::End { reserved } => (posted.checked_add(amount), pending.checked_sub(reserved)),
    };
    let (posted, pending) = posted.zip(pending).ok_or(Failure::Overflow)?;
    assert!(pending >= 0, "a hold ends once, with what it reserved");
    // Together they fit too, so that limits and balances need no wider arithmetic.
    posted.checked_add(pending).ok_or(Failure::Overflow)?;
    Ok((posted, pending))
}

impl Step {
    const fn grows(self) -> bool {
        !matches!(self, Self::End { .. })
    }
}
