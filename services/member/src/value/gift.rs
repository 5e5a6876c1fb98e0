//! Value that goes from one card to another of the same issuer (转赠): at once, or as a gift. A gift is a card without a
//! holder, which whoever has its code makes theirs; where it came from stays written on it.

pub mod domain;
pub mod expire;
pub mod give;
pub mod rpc;
pub mod shift;
pub mod store;
