//! The figures of merchants in memory, and how they are kept: changed days are folded into aggregates, aggregates are read
//! where they changed. What is in memory is always exactly what is stored at some version.

pub mod cache;
pub mod fold;
pub mod store;

use crate::engine::{Cube, Scope};

/// Both cubes of a merchant, at one version.
#[derive(Debug, Default)]
pub struct Cubes {
    /// The whole domain.
    pub all: Cube,
    /// The private domain.
    pub private: Cube,
    /// The fold that they show.
    pub version: i64,
}

impl Cubes {
    /// The cube of a scope.
    pub const fn of(&self, scope: Scope) -> &Cube {
        match scope {
            Scope::All => &self.all,
            Scope::Private => &self.private,
        }
    }

    /// The cube of a scope, to be changed.
    pub const fn of_mut(&mut self, scope: Scope) -> &mut Cube {
        match scope {
            Scope::All => &mut self.all,
            Scope::Private => &mut self.private,
        }
    }
}

/// The number of a scope in columns.
pub const fn scope_column(scope: Scope) -> i16 {
    match scope {
        Scope::All => 1,
        Scope::Private => 2,
    }
}
