//! The port to a payment company (支付渠道). Two stand behind it: the [`sandbox`](super::sandbox) and
//! [WeChat Pay](super::wechat).

use chrono::{DateTime, Utc};
use siyu_kernel::{Currency, Fault, LocalDay, Zone};
use siyu_proto::order::v1 as proto;
use tonic::async_trait;

use super::domain::Method;
use crate::reconciliation::domain::Row;

/// Why a payment company did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// It says no: it did not do it, and will not.
    #[error("the payment company refuses: {0}")]
    Refused(String),
    /// Nothing is known of what came of it. It is never taken for a failure (rule 7).
    #[error("the payment company does not answer: {0}")]
    Unknown(String),
    /// It has no statement for the day yet.
    #[error("there is no statement of that day yet")]
    NotReady,
}

/// An attempt, as a payment company is told of it.
#[derive(Debug, Clone, Copy)]
pub struct Attempt<'a> {
    /// Our number of it.
    pub out_trade_no: &'a str,
    /// The way that the buyer pays.
    pub method: Method,
    /// What the buyer reads on the bill.
    pub description: &'a str,
    /// The buyer at the company.
    pub payer_id: &'a str,
    /// What is to be paid, in minor units.
    pub amount_minor: i64,
    /// In which currency.
    pub currency: Currency,
    /// When the company is to close it by itself.
    pub expires_at: DateTime<Utc>,
}

/// What the buyer's device needs to pay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Prepay {
    /// What the buyer scans.
    CodeUrl(String),
    /// What the device hands over, by name.
    Parameters(Vec<(&'static str, String)>),
}

/// What was paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paid {
    /// The company's own number.
    pub provider_no: String,
    /// How much, in minor units.
    pub amount_minor: i64,
    /// In which currency.
    pub currency: Currency,
    /// The account that got it, as [`Provider::payee`] names it.
    pub payee: String,
    /// When.
    pub paid_at: DateTime<Utc>,
}

/// How an attempt stands at the company.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trade {
    /// It does not have it.
    Absent,
    /// The buyer may pay.
    Open,
    /// It was paid; what was given back since does not change that.
    Paid(Paid),
    /// It cannot be paid any more.
    Closed,
}

/// What came of closing an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closing {
    /// It cannot be paid any more, or never was there.
    Closed,
    /// It was paid already.
    AlreadyPaid,
}

/// A refund, as a payment company is told of it.
#[derive(Debug, Clone, Copy)]
pub struct RefundOrder<'a> {
    /// Our number of the payment.
    pub out_trade_no: &'a str,
    /// Our number of the refund.
    pub out_refund_no: &'a str,
    /// How much, in minor units.
    pub amount_minor: i64,
    /// What was paid, in minor units.
    pub total_minor: i64,
    /// In which currency.
    pub currency: Currency,
    /// What the buyer reads.
    pub reason: &'a str,
}

/// How a refund stands at the company.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefundStand {
    /// It does not have it.
    Absent,
    /// It took it.
    Processing {
        /// The company's own number.
        provider_no: String,
    },
    /// The buyer has the money.
    Succeeded {
        /// The company's own number.
        provider_no: String,
        /// When.
        at: DateTime<Utc>,
    },
    /// It will not come about, for this reason.
    Failed(String),
}

/// What came from outside and claims to be the company's.
#[derive(Debug, Clone, Copy)]
pub struct Incoming<'a> {
    /// The headers.
    pub headers: &'a [proto::HttpHeader],
    /// The body, byte for byte.
    pub body: &'a str,
    /// When it came.
    pub received_at: DateTime<Utc>,
}

/// What a company tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Its own id of what it tells.
    pub event_id: String,
    /// What it tells.
    pub about: About,
}

/// What a notice is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum About {
    /// An attempt, by our number.
    Trade(String, Trade),
    /// A refund, by our number.
    Refund(String, RefundStand),
    /// Something that nothing follows from here.
    Other,
}

/// Why something that came from outside is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Distrust(pub String);

/// An account with a payment company, ready to be asked. It is called outside of any transaction.
#[async_trait]
pub trait Provider: Send + Sync {
    /// The name of the account at the company, which what it says of payments must bear.
    fn payee(&self) -> &str;

    /// The zone in which its statements cut days.
    fn zone(&self) -> Zone;

    /// Hands an attempt over. The same number again is the same attempt.
    async fn create(&self, attempt: &Attempt<'_>) -> Result<Prepay, Trouble>;

    /// How an attempt stands.
    async fn query(&self, out_trade_no: &str) -> Result<Trade, Trouble>;

    /// Lets nobody pay an attempt any more.
    async fn close(&self, out_trade_no: &str) -> Result<Closing, Trouble>;

    /// Gives money back. The same number again is the same refund.
    async fn refund(&self, refund: &RefundOrder<'_>) -> Result<RefundStand, Trouble>;

    /// How a refund stands.
    async fn query_refund(&self, out_refund_no: &str) -> Result<RefundStand, Trouble>;

    /// Reads what came from outside, if it is the company's (rule 17).
    fn parse_notification(&self, incoming: &Incoming<'_>) -> Result<Notice, Distrust>;

    /// What moved on a day.
    async fn statement(&self, day: LocalDay) -> Result<Vec<Row>, Trouble>;
}

impl From<Trouble> for Fault {
    fn from(trouble: Trouble) -> Self {
        use siyu_kernel::Code;
        match trouble {
            Trouble::Refused(said) => {
                let message = format!("the payment company refuses: {said}");
                Self::new(Code::FailedPrecondition, "PROVIDER_REFUSED", message)
            }
            Trouble::Unknown(why) => {
                let message = "the payment company does not answer, repeat with the same request";
                Self::new(Code::Unavailable, "PROVIDER_UNAVAILABLE", message).caused_by(why)
            }
            Trouble::NotReady => {
                let message = "the payment company has no statement of that day yet";
                Self::new(Code::FailedPrecondition, "STATEMENT_NOT_READY", message)
            }
        }
    }
}
