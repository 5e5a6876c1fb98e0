//! Puts one statement together, of sets of persons: a test is a set of one table, read by its own index; all of several is one
//! of them, semi-joined with the others and anti-joined with those that must not be; any of several is their union. The
//! table of persons itself is read only where nothing else says who may be meant. Where some persons are asked for, every
//! table is read for those only.

use siyu_kernel::{Id, kind::Merchant};
use sqlx::postgres::PgArguments;
use uuid::Uuid;

use super::{Whom, pieces, writer::Writer};
use crate::filter::{Node, Spans, Test, node::PersonColumn};

/// A statement with its values.
pub(super) struct Statement {
    pub(super) sql: String,
    pub(super) arguments: PgArguments,
}

/// A set of persons: a text that selects `person_id`.
struct Set {
    sql: String,
    /// No person stands in it twice.
    unique: bool,
}

impl Statement {
    fn of(writer: Writer, sql: String) -> Self {
        Self { sql, arguments: writer.arguments() }
    }

    pub(super) fn count(merchant: Id<Merchant>, node: &Node) -> Self {
        let mut writer = Writer::new(merchant, Whom::Everyone);
        let set = writer.set(node);
        let each = if set.unique { "*" } else { "distinct m.person_id" };
        let sql = format!("select count({each}) from ({}) as m", set.sql);
        Self::of(writer, sql)
    }

    pub(super) fn members(merchant: Id<Merchant>, node: &Node, whom: Whom<'_>) -> Self {
        let mut writer = Writer::new(merchant, whom);
        let set = writer.set(node).unique();
        Self::of(writer, format!("select m.person_id from ({set}) as m order by m.person_id"))
    }

    pub(super) fn freeze(
        merchant: Id<Merchant>,
        node: &Node,
        snapshot: Uuid,
        page_size: i64,
    ) -> Self {
        let mut writer = Writer::new(merchant, Whom::Everyone);
        let set = writer.set(node).unique();
        let (snapshot, size) = (writer.bind(snapshot), writer.bind(page_size));
        Self::of(writer, format!(
            "insert into audience_snapshot_pages (merchant_id, snapshot_id, page, last_person_id, person_ids)
            select $1, {snapshot}, n.page, (array_agg(n.id order by n.id desc))[1], array_agg(n.id order by n.id)
            from (
                select m.person_id as id, (row_number() over (order by m.person_id) - 1) / {size} as page
                from ({set}) as m
            ) as n
            group by n.page"
        ))
    }
}

impl Set {
    const fn once(sql: String) -> Self {
        Self { sql, unique: true }
    }

    /// Its text, with each person once.
    fn unique(self) -> String {
        if self.unique {
            return self.sql;
        }
        format!("select distinct d.person_id from ({}) as d", self.sql)
    }
}

impl Writer {
    /// The set of a node.
    fn set(&mut self, node: &Node) -> Set {
        match node {
            Node::All(parts) => self.all(&flat(parts, node)),
            Node::Any(parts) => self.any(&flat(parts, node)),
            Node::Is(test) if is_of_row(node) || matches!(test, Test::Bought(..)) => {
                self.all(&[node])
            }
            Node::Is(test) => Set { unique: pieces::is_unique(test), sql: pieces::set(self, test) },
            Node::Not(_) => self.all(&[node]),
        }
    }

    /// Every part: one set, kept to the others.
    fn all(&mut self, parts: &[&Node]) -> Set {
        let (rows, parts): (Vec<&Node>, Vec<&Node>) =
            parts.iter().partition(|part| is_of_row(part));
        let (mut must, mut must_not, mut sets, mut others) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for part in parts {
            match part {
                Node::Is(Test::Bought(total, spans)) => must.push((*total, spans)),
                Node::Not(Test::Bought(total, spans)) => must_not.push((*total, spans)),
                Node::Not(test) => others.push(pieces::set(self, test)),
                Node::Is(_) | Node::Any(_) | Node::All(_) => sets.push(self.set(part)),
            }
        }
        if !must.is_empty() {
            sets.push(Set::once(pieces::totals(self, &must, " and ")));
        }
        if !must_not.is_empty() {
            others.push(pieces::totals(self, &must_not, " or "));
        }
        // A set without repeats need not be sorted out before the others are looked at.
        let first =
            sets.iter().position(|set| set.unique).or(if sets.is_empty() { None } else { Some(0) });
        let first = match first {
            Some(at) if rows.is_empty() => sets.swap_remove(at).unique(),
            Some(at) => {
                let first = sets.swap_remove(at).unique();
                sets.push(self.rows(&rows));
                first
            }
            None => self.rows(&rows).sql,
        };
        let alias = self.alias('a');
        let mut texts = Vec::with_capacity(sets.len() + others.len());
        for set in sets {
            texts.push(self.within(&set.sql, &alias));
        }
        for set in others {
            texts.push(format!("not {}", self.within(&set, &alias)));
        }
        if texts.is_empty() {
            return Set::once(first);
        }
        let holds = texts.join(" and ");
        Set::once(format!("select {alias}.person_id from ({first}) as {alias} where {holds}"))
    }

    /// At least one part: the union.
    fn any(&mut self, parts: &[&Node]) -> Set {
        if let [part] = parts {
            return self.set(part);
        }
        let (rows, parts): (Vec<&Node>, Vec<&Node>) =
            parts.iter().partition(|part| is_of_row(part));
        let (mut sets, mut totals) = (Vec::new(), Vec::new());
        for part in parts {
            match part {
                Node::Is(Test::Bought(total, spans)) => totals.push((*total, spans)),
                Node::All(_) | Node::Any(_) | Node::Is(_) | Node::Not(_) => {
                    sets.push(self.set(part));
                }
            }
        }
        if !totals.is_empty() {
            sets.push(Set::once(pieces::totals(self, &totals, " or ")));
        }
        if !rows.is_empty() || sets.is_empty() {
            let any = Node::Any(rows.into_iter().cloned().collect());
            sets.push(self.rows(&[&any]));
        }
        let texts: Vec<&str> = sets.iter().map(|set| set.sql.as_str()).collect();
        let sql = texts.join(" union all ");
        Set { sql, unique: matches!(sets.as_slice(), [Set { unique: true, .. }]) }
    }

    /// The persons whose own rows are such. Aliases of merged persons are nobody.
    fn rows(&mut self, parts: &[&Node]) -> Set {
        let alias = self.alias('p');
        let bounds = self.bounds(&alias, "id");
        let texts: Vec<String> = parts.iter().map(|part| self.holds(part, &alias)).collect();
        let holds = joined(&texts, " and ", "true");
        Set::once(format!(
            "select {alias}.id as person_id from persons {alias}
            where {bounds} and {alias}.merged_into is null and {holds}"
        ))
    }

    /// Whether a node holds for a row of persons that alone decides.
    fn holds(&mut self, node: &Node, person: &str) -> String {
        match node {
            Node::All(parts) => {
                let texts: Vec<String> =
                    parts.iter().map(|part| self.holds(part, person)).collect();
                joined(&texts, " and ", "true")
            }
            Node::Any(parts) => {
                let texts: Vec<String> =
                    parts.iter().map(|part| self.holds(part, person)).collect();
                joined(&texts, " or ", "false")
            }
            Node::Is(test) => self.is(test, person),
            Node::Not(test) => format!("not {}", self.is(test, person)),
        }
    }

    fn is(&mut self, test: &Test, person: &str) -> String {
        match test {
            Test::Id(ids) => format!("{person}.id = any ({})", self.bind(ids.clone())),
            Test::Person(column, spans) => self.column(*column, spans, person),
            Test::Bought(..)
            | Test::Sum(..)
            | Test::Line(..)
            | Test::Identity(_)
            | Test::Connection(_)
            | Test::LatestConnection(_)
            | Test::Connections(_)
            | Test::Tag(_)
            | Test::Tags(..)
            | Test::Attribute(..)
            | Test::Points(_)
            | Test::Trait(..)
            | Test::Consent(..)
            | Test::Listed(..)
            | Test::Card(..) => unreachable!("another table decides"),
        }
    }

    /// Whether the person of a row is in a set.
    fn within(&mut self, set: &str, row: &str) -> String {
        let alias = self.alias('s');
        format!("exists (select from ({set}) as {alias} where {alias}.person_id = {row}.person_id)")
    }

    fn column(&mut self, column: PersonColumn, spans: &Spans, person: &str) -> String {
        match column {
            PersonColumn::Growth => pieces::numbers(self, &format!("{person}.growth"), spans),
            PersonColumn::Tier => pieces::numbers(self, &format!("{person}.tier"), spans),
            PersonColumn::Created => pieces::instants(self, &format!("{person}.created_at"), spans),
        }
    }
}

/// Whether the row of the person itself decides.
fn is_of_row(node: &Node) -> bool {
    match node {
        Node::All(parts) | Node::Any(parts) => parts.iter().all(is_of_row),
        Node::Is(test) | Node::Not(test) => matches!(test, Test::Id(_) | Test::Person(..)),
    }
}

/// The parts of a node, with those of parts of the same kind in their place.
fn flat<'n>(parts: &'n [Node], of: &Node) -> Vec<&'n Node> {
    let mut all = Vec::with_capacity(parts.len());
    for part in parts {
        match (part, of) {
            (Node::All(inner), Node::All(_)) | (Node::Any(inner), Node::Any(_)) => {
                all.extend(flat(inner, of));
            }
            (Node::All(_) | Node::Any(_) | Node::Is(_) | Node::Not(_), _) => all.push(part),
        }
    }
    all
}

pub(super) fn joined(texts: &[String], word: &str, without: &str) -> String {
    match texts {
        [] => without.to_owned(),
        [one] => one.clone(),
        _ => format!("({})", texts.join(word)),
    }
}
