//! What is asked for, and why it may be refused.

use siyu_kernel::{Code, Fault};

use super::{
    Before, Sold, Unsound,
    line::{Standing, Take},
};

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// Everything that is left of the order.
    Whole,
    /// Some of it.
    Parts {
        /// Lines, each at most once.
        lines: Vec<AskLine>,
        /// What shipping cost.
        shipping: Shipping,
    },
}

/// Whether the fee is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Shipping {
    /// It stays.
    #[default]
    Stays,
    /// It goes back.
    Back,
}

/// What is asked for of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AskLine {
    /// The line.
    pub line_no: i32,
    /// How much of it.
    pub share: Share,
}

/// How much of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    /// So many pieces.
    Pieces(i64),
    /// So many minor units, without a piece.
    Minor(i64),
}

/// Why there is no plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// What is asked for cannot be given back.
    #[error("{field}: {wrong}")]
    Asked {
        /// The path of the field.
        field: String,
        /// What is wrong with it.
        wrong: Wrong,
    },
    /// The order contradicts itself.
    #[error(transparent)]
    Unsound(#[from] Unsound),
}

/// What is wrong with what is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// Neither a line nor the shipping.
    #[error("asks for nothing")]
    Nothing,
    /// The order has no such line.
    #[error("the order has no such line")]
    UnknownLine,
    /// The line stands twice.
    #[error("stands twice")]
    Twice,
    /// Zero or less.
    #[error("must be positive")]
    NotPositive,
    /// Fewer pieces are left.
    #[error("is more than the {left} pieces that are left")]
    MorePieces {
        /// How many are left.
        left: i64,
    },
    /// Less money is left.
    #[error("is more than the {left} minor units that are left")]
    MoreMoney {
        /// How much is left.
        left: i64,
    },
    /// The fee went back before.
    #[error("the shipping was given back before")]
    ShippingBack,
    /// There was no fee.
    #[error("nothing was paid for the shipping")]
    ShippingFree,
    /// Everything went back before.
    #[error("nothing is left of the order")]
    NothingLeft,
}

impl Ask {
    /// What is taken of each line, in the order of the lines, and of the shipping.
    pub(super) fn takes(
        &self,
        sold: &Sold,
        before: &Before,
        standings: &[Standing<'_>],
    ) -> Result<(Vec<Take>, i64), PlanError> {
        let (lines, shipping) = match self {
            Self::Whole => return whole(sold, before, standings),
            Self::Parts { lines, shipping } => (lines, *shipping),
        };
        if lines.is_empty() && shipping == Shipping::Stays {
            return Err(wrong("lines", Wrong::Nothing));
        }
        let mut takes = vec![Take::default(); standings.len()];
        let mut seen = vec![false; standings.len()];
        for (i, line) in lines.iter().enumerate() {
            let place = standings.binary_search_by_key(&line.line_no, |s| s.sold.line_no);
            let at = |name: &str| format!("lines[{i}].{name}");
            let place = place.map_err(|_| wrong(at("line_no"), Wrong::UnknownLine))?;
            if std::mem::replace(&mut seen[place], true) {
                return Err(wrong(at("line_no"), Wrong::Twice));
            }
            takes[place] =
                line.share.of(&standings[place]).map_err(|(name, why)| wrong(at(name), why))?;
        }
        let fee = match (shipping, sold.shipping_minor, before.shipping_minor) {
            (Shipping::Stays, ..) => 0,
            (Shipping::Back, 0, _) => return Err(wrong("shipping", Wrong::ShippingFree)),
            (Shipping::Back, fee, 0) => fee,
            (Shipping::Back, ..) => return Err(wrong("shipping", Wrong::ShippingBack)),
        };
        Ok((takes, fee))
    }
}

fn whole(
    sold: &Sold,
    before: &Before,
    standings: &[Standing<'_>],
) -> Result<(Vec<Take>, i64), PlanError> {
    let takes: Vec<Take> = standings.iter().map(|line| line.take_pieces(line.pieces())).collect();
    let fee = sold.shipping_minor - before.shipping_minor;
    let is_any = |take: &Take| take.quantity > 0 || take.gross_minor > 0 || take.points > 0;
    if fee == 0 && !takes.iter().any(is_any) {
        return Err(wrong("whole", Wrong::NothingLeft));
    }
    Ok((takes, fee))
}

impl Share {
    /// What it takes of a line, or which field is wrong.
    fn of(self, line: &Standing<'_>) -> Result<Take, (&'static str, Wrong)> {
        match self {
            Self::Pieces(..1) => Err(("quantity", Wrong::NotPositive)),
            Self::Minor(..1) => Err(("amount", Wrong::NotPositive)),
            Self::Pieces(n) if n > line.pieces() => {
                Err(("quantity", Wrong::MorePieces { left: line.pieces() }))
            }
            Self::Minor(amount) if amount > line.minor() => {
                Err(("amount", Wrong::MoreMoney { left: line.minor() }))
            }
            Self::Pieces(n) => Ok(line.take_pieces(n)),
            Self::Minor(amount) => Ok(line.take_amount(amount)),
        }
    }
}

fn wrong(field: impl Into<String>, wrong: Wrong) -> PlanError {
    PlanError::Asked { field: field.into(), wrong }
}

impl From<PlanError> for Fault {
    fn from(error: PlanError) -> Self {
        let PlanError::Asked { field, wrong } = error else { return Self::internal(error) };
        match wrong {
            Wrong::Nothing | Wrong::UnknownLine | Wrong::Twice | Wrong::NotPositive => {
                Self::field(field, wrong)
            }
            Wrong::MorePieces { .. }
            | Wrong::MoreMoney { .. }
            | Wrong::ShippingBack
            | Wrong::ShippingFree
            | Wrong::NothingLeft => {
                let message = format!("{field}: {wrong}");
                Self::new(Code::FailedPrecondition, "REFUND_EXCEEDS_REST", message)
                    .with("field", field)
            }
        }
    }
}
