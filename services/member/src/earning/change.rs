//! What a change of an order takes back of what it gave, and what it gives anew. Pure.
//!
//! | what was given | the new terms | taken back | given |
//! | --- | --- | --- | --- |
//! | nothing yet: the first revision | | | the amount |
//! | nothing any more | are not over | | the new amount |
//! | nothing any more | are over | | nothing |
//! | can be used, or will be | | all of it | the new amount |
//! | is over | are over too, for the same person | what is left beyond the new amount | nothing |
//! | is over | are over too, for another person | what is left | nothing |
//! | is over | are not over | what is left | the new amount |
//!
//! What lapsed unspent is gone already and is not taken back a second time; so it makes no difference whether the job that
//! ends lots has come round (rule 47). What was spent is owed (rule 49), as far as the order no longer earns it.

/// What earlier revisions gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Before {
    /// There was none.
    First,
    /// Nothing that stands.
    Nothing,
    /// Something that stands.
    Given(Given),
}

/// What stands of what an earlier revision gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Given {
    /// Where its time is over: what of it neither lapsed nor was taken back.
    pub left_of_over: Option<i64>,
    /// Whoever earns it now is who earned it then.
    pub is_same: bool,
}

/// What this revision gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// How much.
    pub amount: i64,
    /// Its time is over before it begins.
    pub is_over: bool,
}

/// What becomes of what was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Back {
    /// All that was not taken back before.
    All,
    /// So many units.
    Part(i64),
    /// Nothing.
    Nothing,
}

/// What is to be posted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// What is taken back.
    pub back: Back,
    /// What is given; 0 for nothing.
    pub give: i64,
    /// What was given stands, less what is taken back.
    pub keeps: bool,
}

impl Step {
    /// What turns what was given into what is wanted.
    pub fn of(before: Before, wanted: Wanted) -> Self {
        let anew = Self { back: Back::Nothing, give: wanted.amount, keeps: false };
        let given = match before {
            Before::Nothing if wanted.is_over => return Self { give: 0, ..anew },
            Before::First | Before::Nothing => return anew,
            Before::Given(given) => given,
        };
        let Some(left) = given.left_of_over else { return Self { back: Back::All, ..anew } };
        match (wanted.is_over, given.is_same) {
            (true, true) => {
                let beyond = (left - wanted.amount).max(0);
                Self { back: Back::part(beyond), give: 0, keeps: wanted.amount > 0 }
            }
            (true, false) => Self { back: Back::part(left), give: 0, keeps: false },
            (false, true | false) => Self { back: Back::part(left), ..anew },
        }
    }
}

impl Back {
    const fn part(units: i64) -> Self {
        if units > 0 { Self::Part(units) } else { Self::Nothing }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(left_of_over: Option<i64>, is_same: bool, amount: i64, is_over: bool) -> Step {
        Step::of(Before::Given(Given { left_of_over, is_same }), Wanted { amount, is_over })
    }

    #[test]
    fn what_can_be_used_is_taken_back_whole_and_given_anew() {
        let expected = Step { back: Back::All, give: 60, keeps: false };
        for (is_same, is_over) in [(true, true), (true, false), (false, true), (false, false)] {
            assert_eq!(step(None, is_same, 60, is_over), expected);
        }
        let first = Step { back: Back::Nothing, give: 60, keeps: false };
        for before in [Before::First, Before::Nothing] {
            assert_eq!(Step::of(before, Wanted { amount: 60, is_over: false }), first);
        }
        // An order that is heard of late earns what it earned then, for its history, and that lapses.
        assert_eq!(Step::of(Before::First, Wanted { amount: 60, is_over: true }), first);
    }

    #[test]
    fn of_what_is_over_only_what_was_spent_beyond_the_new_amount_is_taken_back() {
        // 100 were given, 40 of them spent: 60 lapsed, or lie there until the job comes round.
        for (left, amount, back) in [
            (40, 0, Back::Part(40)),
            (40, 10, Back::Part(30)),
            (40, 40, Back::Nothing),
            (40, 90, Back::Nothing),
            (100, 10, Back::Part(90)),
            (0, 0, Back::Nothing),
        ] {
            let expected = Step { back, give: 0, keeps: amount > 0 };
            assert_eq!(step(Some(left), true, amount, true), expected, "{left} {amount}");
        }
    }

    #[test]
    fn nobody_is_given_what_is_over() {
        let moved = Step { back: Back::Part(40), give: 0, keeps: false };
        assert_eq!(step(Some(40), false, 100, true), moved);
        // What was taken from one person is not given to the next later either.
        let none = Step { back: Back::Nothing, give: 0, keeps: false };
        assert_eq!(Step::of(Before::Nothing, Wanted { amount: 90, is_over: true }), none);
        let again = Step { back: Back::Nothing, give: 100, keeps: false };
        assert_eq!(step(Some(0), true, 100, false), again);
    }
}
