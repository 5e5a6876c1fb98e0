//! Typed ids: `Id<K>` is a UUID that knows what it names. At every edge it is a prefixed string, in columns a `uuid`.

use std::{cmp::Ordering, fmt, hash, marker::PhantomData, str::FromStr};

use sqlx::{
    Decode, Encode, Postgres, Type,
    encode::IsNull,
    error::BoxDynError,
    postgres::{PgArgumentBuffer, PgHasArrayType, PgTypeInfo, PgValueRef},
};
use uuid::Uuid;

/// What an id names.
pub trait Kind: 'static {
    /// The prefix at the edge, for example `ord`.
    const PREFIX: &'static str;
}

/// An id of one kind: 128 bits, sortable by creation time when drawn as UUIDv7.
pub struct Id<K>(Uuid, PhantomData<fn() -> K>);

/// A text that is not an id of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// The prefix is another one, or there is none.
    #[error("must start with \"{expected}_\"")]
    Prefix {
        /// The prefix that the kind has.
        expected: &'static str,
    },
    /// The part behind the prefix is not 26 characters of Crockford's base 32.
    #[error("must hold 26 characters of base 32 after the prefix")]
    Body,
}

/// The kinds of the suite: one registry, so that no two share a prefix.
pub mod kind {
    macro_rules! kinds {
        ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {
            $($(#[$doc])* #[derive(Debug, Clone, Copy)] pub enum $name {}
            impl super::Kind for $name { const PREFIX: &'static str = $prefix; })*
            /// Every prefix, for the test that no two are equal.
            pub const PREFIXES: &[&str] = &[$($prefix),*];
        };
    }
    kinds! {
        /// A tenant (商家).
        Merchant = "mch";
        /// A shop with a place and opening hours (门店).
        Store = "sto";
        /// An employee of a merchant (员工, 导购).
        Staff = "stf";
        /// A part of a merchant that holds stores (区域).
        Region = "reg";
        /// The passing of a customer from one employee to another (客户转接).
        Handover = "hnd";
        /// A human being, after identity merge.
        Person = "per";
        /// Two persons who turned out to be one.
        Merge = "mrg";
        /// Two persons who may be one, for somebody to decide.
        MergeReview = "mrv";
        /// An edge between a person and a channel account.
        Connection = "con";
        /// A decision of a person about the use of its data.
        ConsentRecord = "cns";
        /// A look at personal data in clear.
        Reveal = "rev";
        /// Somebody whom a merchant does not deal with.
        BlacklistEntry = "blk";
        /// An order of any platform.
        Order = "ord";
        /// A row that an import put aside.
        Quarantine = "qua";
        /// A promise to take something off a price.
        Coupon = "cpn";
        /// What of an order goes back (退款).
        Refund = "rfd";
        /// A change of a stock.
        Movement = "mov";

        /// What was sent of an order (包裹).
        Parcel = "pcl";
        /// An objection of a buyer (维权).
        Dispute = "dsp";

        /// An attempt to pay for an order.
        Payment = "pay";
        /// Money of a payment on its way back.
        PaymentRefund = "prf";
        /// What a payment company told.
        Notification = "ntf";
        /// A movement that our books and a statement do not agree on.
        Difference = "dif";
        /// Buyers who buy together (拼团).
        GroupBuy = "grp";
        /// A price that friends bring down (砍价).
        Bargain = "bgn";
        /// Money that is sent to a person (红包).
        RedPacket = "rpk";
        /// Someone who brings customers (分销员).
        Promoter = "pro";
        /// The relation customer → promoter.
        Binding = "bnd";
        /// What a promoter earned from one order.
        Commission = "cms";
        /// A message to an audience.
        Campaign = "cmp";
        /// One message to one person.
        Message = "msg";
        /// A saved filter over persons (人群).
        Audience = "aud";
        /// Who was in an audience at one instant.
        Snapshot = "snp";
        /// A word about persons (标签).
        Tag = "tag";
        /// Tags that belong together.
        TagGroup = "tgr";
        /// What a merchant wants to know of persons besides.
        Attribute = "att";
        /// A credential of the gateway.
        Token = "tok";
        /// A legal entity that issues stored-value cards.
        Issuer = "iss";
        /// A stored-value card.
        ValueCard = "vcd";
        /// A recharge plan.
        RechargePlan = "rpl";
        /// A recharge of a stored-value card.
        Recharge = "rch";
        /// A payment with stored value, or a hold for one.
        ValuePayment = "vpy";
        /// A redemption of a stored-value card.
        Redemption = "rdm";
        /// A gift of stored value.
        Gift = "gft";
        /// A correction of a stored-value card.
        ValueAdjustment = "vad";
        /// An account of a ledger.
        Account = "acc";
        /// A benefit card (权益卡) of a person.
        Card = "crd";
        /// The offer of a benefit card.
        CardPlan = "cpl";
        /// A transfer of a ledger.
        Transfer = "trf";
        /// A lot of a ledger.
        Lot = "lot";
        /// A fact in an event log.
        Event = "evt";
    }
}

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const BODY_LEN: usize = 26;
const NO_DIGIT: u8 = u8::MAX;
/// The value of each byte as a digit: ids are read for every event and every row at the edge.
const DIGITS: [u8; 256] = {
    let mut digits = [NO_DIGIT; 256];
    let mut value: u8 = 0;
    while value < 32 {
        digits[ALPHABET[value as usize] as usize] = value;
        value += 1;
    }
    digits
};

impl<K> Id<K> {
    /// Wraps a UUID that is known to name a `K`.
    #[must_use]
    pub const fn from_uuid(uuid: Uuid) -> Self {
        Self(uuid, PhantomData)
    }

    /// The bare UUID, for columns.
    #[must_use]
    pub const fn uuid(self) -> Uuid {
        self.0
    }
}

impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K> Copy for Id<K> {}
impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl<K> Eq for Id<K> {}
impl<K> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl<K> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0)
    }
}
impl<K> hash::Hash for Id<K> {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl<K: Kind> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut body = [0_u8; BODY_LEN];
        let mut rest = self.0.as_u128();
        for slot in body.iter_mut().rev() {
            *slot = ALPHABET[usize::try_from(rest & 31).expect("five bits fit")];
            rest >>= 5;
        }
        let body = std::str::from_utf8(&body).expect("the alphabet is ASCII");
        write!(f, "{}_{body}", K::PREFIX)
    }
}

impl<K: Kind> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<K: Kind> FromStr for Id<K> {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let body = text
            .strip_prefix(K::PREFIX)
            .and_then(|rest| rest.strip_prefix('_'))
            .ok_or(IdError::Prefix { expected: K::PREFIX })?;
        // 26 digits hold 130 bits: a first digit above 7 would not fit, and must not alias another id.
        if body.len() != BODY_LEN || body.as_bytes()[0] > b'7' {
            return Err(IdError::Body);
        }
        let mut value: u128 = 0;
        for byte in body.bytes() {
            let digit = DIGITS[usize::from(byte)];
            if digit == NO_DIGIT {
                return Err(IdError::Body);
            }
            value = (value << 5) | u128::from(digit);
        }
        Ok(Self::from_uuid(Uuid::from_u128(value)))
    }
}

impl<K> Type<Postgres> for Id<K> {
    fn type_info() -> PgTypeInfo {
        <Uuid as Type<Postgres>>::type_info()
    }
    fn compatible(ty: &PgTypeInfo) -> bool {
        <Uuid as Type<Postgres>>::compatible(ty)
    }
}
impl<K> PgHasArrayType for Id<K> {
    fn array_type_info() -> PgTypeInfo {
        <Uuid as PgHasArrayType>::array_type_info()
    }
}
impl<'q, K> Encode<'q, Postgres> for Id<K> {
    fn encode_by_ref(&self, buf: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        <Uuid as Encode<'q, Postgres>>::encode_by_ref(&self.0, buf)
    }
}
impl<'r, K> Decode<'r, Postgres> for Id<K> {
    fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
        <Uuid as Decode<'r, Postgres>>::decode(value).map(Self::from_uuid)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_id_reads_back_as_itself_and_sorts_like_its_uuid(a: u128, b: u128) {
            let (a, b) = (Id::<kind::Order>::from_uuid(Uuid::from_u128(a)), Id::from_uuid(Uuid::from_u128(b)));
            prop_assert_eq!(a.to_string().parse::<Id<kind::Order>>().unwrap(), a);
            prop_assert_eq!(a.cmp(&b), a.to_string().cmp(&b.to_string()));
        }
    }

    #[test]
    fn an_id_of_another_kind_or_a_longer_number_is_refused() {
        let order = Id::<kind::Order>::from_uuid(Uuid::from_u128(7)).to_string();
        assert!(matches!(order.parse::<Id<kind::Person>>(), Err(IdError::Prefix { .. })));
        assert_eq!("ord_8zzzzzzzzzzzzzzzzzzzzzzzzz".parse::<Id<kind::Order>>(), Err(IdError::Body));
        assert_eq!("ord_0000000000000000000000000l".parse::<Id<kind::Order>>(), Err(IdError::Body));
    }

    #[test]
    fn no_two_kinds_share_a_prefix() {
        let mut prefixes = kind::PREFIXES.to_vec();
        prefixes.sort_unstable();
        prefixes.dedup();
        assert_eq!(prefixes.len(), kind::PREFIXES.len());
    }
}
