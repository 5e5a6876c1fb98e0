//! Codes that are shown in a store: sixteen digits that nobody can guess, each good for one redemption (rule 24). Pure.

pub mod store;

use chrono::{DateTime, Utc};
use siyu_kernel::{Code as FaultCode, Fault};

use super::domain::CouponId;

/// A code: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Code {
    /// The coupon.
    pub coupon_id: CouponId,
    /// Where it is in its life, but for its time.
    pub state: State,
    /// Until when it is good, exclusive.
    pub expires_at: DateTime<Utc>,
}

/// Where a code is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum State {
    /// It is good.
    Open,
    /// A redemption used it up.
    Used,
    /// Another one was made, or its coupon was given on.
    Void,
}

impl Code {
    /// Refuses a code that is good no longer.
    pub fn check(&self, now: DateTime<Utc>) -> Result<(), Fault> {
        let refused = |reason, message: &'static str| {
            Fault::new(FaultCode::FailedPrecondition, reason, message)
        };
        match self.state {
            State::Used => Err(refused("REDEMPTION_CODE_VOID", "the code was used before")),
            State::Void => Err(refused("REDEMPTION_CODE_VOID", "the code was replaced")),
            State::Open if self.expires_at <= now => {
                Err(refused("REDEMPTION_CODE_EXPIRED", "the time of the code is over"))
            }
            State::Open => Ok(()),
        }
    }
}

/// Sixteen digits of random bytes. 2^128 is so much more than 10^16 that no code is likelier than another.
pub fn digits(random: [u8; 32]) -> String {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&random[..16]);
    format!("{:016}", u128::from_be_bytes(bytes) % 10_u128.pow(16))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_sixteen_digits_whatever_the_bytes() {
        assert_eq!(digits([0; 32]), "0000000000000000");
        // 2^128 - 1 = 340282366920938463463374607431768211455.
        assert_eq!(digits([255; 32]), "4607431768211455");
    }

    #[test]
    fn a_code_is_good_until_its_time_is_over_and_once() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let expires_at = at("2024-06-01T00:00:00Z");
        let check = |state, now| {
            let coupon_id = siyu_kernel::Id::from_uuid(uuid::Uuid::nil());
            let fault = Code { coupon_id, state, expires_at }.check(at(now)).err();
            fault.map_or("", |fault| fault.reason())
        };
        assert_eq!(check(State::Open, "2024-05-31T23:59:59Z"), "");
        assert_eq!(check(State::Open, "2024-06-01T00:00:00Z"), "REDEMPTION_CODE_EXPIRED");
        assert_eq!(check(State::Used, "2024-05-31T00:00:00Z"), "REDEMPTION_CODE_VOID");
        assert_eq!(check(State::Void, "2024-05-31T00:00:00Z"), "REDEMPTION_CODE_VOID");
    }
}
