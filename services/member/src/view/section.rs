//! The parts of the view that have a scope of their own.

use siyu_grpc::Scopes;
use siyu_proto::member::v1::MemberSection;

/// Every such part, with the scope that it takes.
const SCOPES: [(MemberSection, &str); 9] = [
    (MemberSection::Points, "points.read"),
    (MemberSection::Owner, "owners.read"),
    (MemberSection::Connections, "connections.read"),
    (MemberSection::Purchases, "orders.read"),
    (MemberSection::Household, "households.read"),
    (MemberSection::Value, "values.read"),
    (MemberSection::Consents, "consents.read"),
    (MemberSection::Tags, "tags.read"),
    (MemberSection::Blacklist, "blacklists.read"),
];

/// The parts that scopes do not allow.
pub(super) fn withheld(scopes: &Scopes) -> Vec<MemberSection> {
    let lacks =
        |(section, scope): &(MemberSection, &str)| (!scopes.hold(scope)).then_some(*section);
    SCOPES.iter().filter_map(lacks).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_section_takes_its_own_scope() {
        assert_eq!(withheld(&Scopes::all()), []);
        let all: Vec<MemberSection> = SCOPES.iter().map(|(section, _)| *section).collect();
        assert_eq!(withheld(&Scopes::parse("persons.read")), all);
        for (section, scope) in SCOPES {
            let rest = withheld(&Scopes::parse(scope));
            assert_eq!((rest.len(), rest.contains(&section)), (all.len() - 1, false), "{scope}");
        }
    }
}
