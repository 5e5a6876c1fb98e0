//! The schema of every service in words.

use std::fmt::Write as _;

use siyu::host::services::Service;

use crate::database;

/// Tables with their columns, constraints and indexes, in the order of their names.
const LINES: &str = "
    select t.relname::text as name, line
    from pg_class t
    cross join lateral (
        select 1 as part, c.attnum as n, '    ' || c.attname || ' ' || format_type(c.atttypid, c.atttypmod)
            || case when c.attnotnull then ' not null' else '' end
            || coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '')
            || case c.attidentity when 'a' then ' generated always as identity' else '' end as line
        from pg_attribute c
        left join pg_attrdef d on d.adrelid = c.attrelid and d.adnum = c.attnum
        where c.attrelid = t.oid and c.attnum > 0 and not c.attisdropped
        union all
        select 2, row_number() over (order by k.conname), '    ' || k.conname || ' ' || pg_get_constraintdef(k.oid)
        from pg_constraint k
        where k.conrelid = t.oid
        union all
        select 3, row_number() over (order by i.relname), '    '
            || regexp_replace(pg_get_indexdef(i.oid), 'CREATE (UNIQUE )?INDEX (\\S+) ON \\S+ USING btree', '\\2 \\1index')
        from pg_index x
        join pg_class i on i.oid = x.indexrelid
        where x.indrelid = t.oid and not exists (select from pg_constraint k where k.conindid = i.oid)
    ) as parts
    where t.relnamespace = 'public'::regnamespace and t.relkind in ('r', 'p')
    order by t.relname, part, n";

/// The schema of one service.
pub(crate) async fn of(service: Service) -> String {
    let mut owner = database::owner(service).await;
    let rows: Vec<(String, String)> = sqlx::query_as(LINES).fetch_all(&mut owner).await.unwrap();
    let (mut text, mut table) = (String::new(), String::new());
    for (name, line) in rows {
        if name != table {
            writeln!(text, "{name}").unwrap();
            table = name;
        }
        writeln!(text, "{line}").unwrap();
    }
    text
}
