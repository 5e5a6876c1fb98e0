//! The sets of persons that profiles, consents, the blacklist and cards make.

use chrono::{DateTime, Utc};

use super::{pieces, writer::Writer};
use crate::{
    blacklist::Scope,
    consent::domain::Purpose,
    filter::node::{Decided, PlanId, Trait, TraitTest},
};

/// Those of whom a profile says something.
pub(super) fn traits(w: &mut Writer, of: Trait, test: &TraitTest) -> String {
    let column = match of {
        Trait::Gender => "gender",
        Trait::BirthMonth => "birth_month",
        Trait::BirthDigest => "birth_digest",
        Trait::Province => "province",
        Trait::City => "city",
        Trait::Language => "language",
    };
    let bounds = w.bounds("t", "person_id");
    let holds = match test {
        TraitTest::Known => "true".to_owned(),
        TraitTest::Numbers(spans) => pieces::numbers(w, &format!("t.{column}"), spans),
        TraitTest::Words(words) => format!("t.{column} = any ({})", w.bind(words.clone())),
    };
    format!(
        "select t.person_id from person_traits t
        where {bounds} and t.{column} is not null and {holds}"
    )
}

/// Those of whom something is in force: as [`crate::consent::domain::in_force`] has it.
pub(super) fn consents(
    w: &mut Writer,
    (purpose, channel): (Purpose, &str),
    decided: Decided,
) -> String {
    let (bounds, all) = (w.bounds("t", "person_id"), w.bounds("a", "person_id"));
    let (purpose, channel) = (w.bind(purpose.as_str()), w.bind(channel.to_owned()));
    let exact = format!("t.purpose = {purpose} and t.channel = {channel}");
    match decided {
        Decided::Granted => format!(
            "select t.person_id from consents t
            where {bounds} and {exact} and t.status = 'granted' and not exists (
                select from consents a
                where {all} and a.person_id = t.person_id and a.purpose = {purpose} and a.channel = ''
                    and a.status = 'withdrawn' and a.decided_at >= t.decided_at
            )"
        ),
        Decided::Withdrawn => format!(
            "select t.person_id from consents t
            where {bounds} and {exact} and t.status = 'withdrawn'
            union
            select a.person_id from consents a
            where {all} and a.purpose = {purpose} and a.channel = '' and a.status = 'withdrawn' and not exists (
                select from consents t
                where {bounds} and t.person_id = a.person_id and {exact} and t.decided_at > a.decided_at
            )"
        ),
    }
}

/// Those who are shut out. There are few entries: whose key one names is looked up for each.
pub(super) fn listed(w: &mut Writer, scopes: &[Scope], at: DateTime<Utc>) -> String {
    let (by_id, by_key) = (w.bounds("t", "person_id"), w.bounds("k", "person_id"));
    let words: Vec<String> =
        scopes.iter().chain([&Scope::All]).map(|scope| scope.as_str().to_owned()).collect();
    let (words, at) = (w.bind(words), w.bind(at));
    let holds = format!(
        "t.deleted_at is null and (t.expires_at is null or t.expires_at > {at}) and t.scope = any ({words})"
    );
    format!(
        "select t.person_id from blacklist_entries t
        where {by_id} and t.person_id is not null and {holds}
        union
        select k.person_id
        from blacklist_entries t
        cross join lateral (
            select merchant_id, person_id
            from identities
            where merchant_id = $1 and kind = t.key_kind and scope = t.key_scope and value = t.key_value
            limit 1
        ) as k
        where t.merchant_id = $1 and t.key_kind is not null and {holds} and {by_key}"
    )
}

/// Those who have a card that holds: from its start to the exact instant of its end.
pub(super) fn cards(w: &mut Writer, plans: &[PlanId], at: DateTime<Utc>) -> String {
    let (bounds, at) = (w.bounds("t", "person_id"), w.bind(at));
    let which = match plans {
        [] => "true".to_owned(),
        _ => format!("t.plan_id = any ({})", w.bind(plans.to_vec())),
    };
    format!(
        "select t.person_id from cards t
        where {bounds} and t.state = 'active' and t.starts_at <= {at} and t.ends_at > {at} and {which}"
    )
}
