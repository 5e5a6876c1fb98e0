//! Purchase models: BG/NBD for how often, Gamma-Gamma for how much, and the customer value of both (reference §1.27).
//!
//! Fader, Hardie, Lee: "Counting Your Customers" the Easy Way, Marketing Science 24(2), 2005; Fader, Hardie: The
//! Gamma-Gamma Model of Monetary Value, 2013. Everything here is floating point and an estimate; nothing here is money.
//! Fits are deterministic: fixed starts, no randomness, sums in the order of sorted groups.

mod bgnbd;
mod bgnbd_fit;
mod gamma_gamma;
mod newton;
mod quasi;
mod special;
mod value;

pub use bgnbd::{BgNbd, Customer};
pub use bgnbd_fit::BgNbdFit;
pub use gamma_gamma::{GammaGamma, GammaGammaFit, Spender};
pub use value::{Horizon, Unit};

/// Why a model has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// Fewer persons than four parameters can be estimated from.
    #[error(
        "too few persons: {persons} with {repeaters} who bought again; needs {MIN_PERSONS} and {MIN_REPEATERS}"
    )]
    TooFew {
        /// Persons that could be used.
        persons: usize,
        /// Those of them who bought again.
        repeaters: usize,
    },
    /// The likelihood has no maximum inside the bounds: the data do not determine the parameters.
    #[error("the data do not determine the parameters of the model")]
    NotDetermined,
    /// A parameter that is not a positive number.
    #[error("parameters must be positive numbers")]
    Parameter,
    /// A person whose last purchase is not between the first and the present, or not a number.
    #[error("a purchase history is impossible")]
    Impossible,
    /// The value does not exist for these parameters, or its series does not converge.
    #[error("the expected value does not exist")]
    NoValue,
}

/// The fewest persons that a model is fitted to.
pub const MIN_PERSONS: usize = 50;
/// The fewest of them who must have bought again.
pub const MIN_REPEATERS: usize = 20;
