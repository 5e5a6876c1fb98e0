//! What the schema of every service must be like, asked of the catalogue after all migrations.

use siyu::host::services::Service;

use crate::database;

/// Runs a query that finds what is wrong, in every database.
async fn nothing_found(query: &'static str) {
    let mut wrong = Vec::new();
    for service in Service::ALL {
        let mut owner = database::owner(service).await;
        let found: Vec<String> = sqlx::query_scalar(query).fetch_all(&mut owner).await.unwrap();
        wrong.extend(found.into_iter().map(|found| format!("{}: {found}", service.name())));
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[tokio::test]
async fn every_table_belongs_to_a_tenant_and_every_key_leads_with_it() {
    for service in Service::ALL {
        let mut owner = database::owner(service).await;
        let system = database::system_tables(service);
        let found = siyu_pg::catalogue::violations(&mut owner, system).await.unwrap();
        assert_eq!(found, Vec::<String>::new(), "{}", service.name());
    }
}

#[tokio::test]
async fn every_table_and_every_column_says_what_it_holds() {
    nothing_found(
        "select t.relname || coalesce('.' || c.attname, '')
        from pg_class t
        left join pg_attribute c on c.attrelid = t.oid and c.attnum > 0 and not c.attisdropped
        where t.relnamespace = 'public'::regnamespace and t.relkind in ('r', 'p', 'v')
            and t.relname <> 'siyu_migrations'
            and (coalesce(obj_description(t.oid, 'pg_class'), '') = ''
                or coalesce(col_description(t.oid, c.attnum), '') = '')
        order by 1",
    )
    .await;
}

#[tokio::test]
async fn every_constraint_is_named_after_its_table_and_what_it_does() {
    nothing_found(
        "select t.relname || ': ' || c.conname
        from pg_constraint c
        join pg_class t on t.oid = c.conrelid
        cross join lateral (
            select string_agg(a.attname, '_' order by k.n) as columns
            from unnest(c.conkey) with ordinality as k (attnum, n)
            join pg_attribute a on a.attrelid = t.oid and a.attnum = k.attnum
            where a.attname <> 'merchant_id'
        ) as own
        where t.relnamespace = 'public'::regnamespace and (c.conname <> case c.contype
            when 'p' then t.relname || '_pkey'
            when 'f' then t.relname || '_' || own.columns || '_fkey'
            when 'u' then t.relname || '_' || trim(substr(c.conname, length(t.relname) + 1), '_')
            when 'c' then t.relname || '_' || trim(substr(c.conname, length(t.relname) + 1), '_')
        end
        or c.conname !~ case c.contype when 'u' then '.+_key$' when 'c' then '.+_check$' else '.' end)
        order by 1",
    )
    .await;
}

#[tokio::test]
async fn every_index_is_named_after_its_table() {
    nothing_found(
        "select t.relname || ': ' || i.relname
        from pg_index x
        join pg_class i on i.oid = x.indexrelid
        join pg_class t on t.oid = x.indrelid
        where t.relnamespace = 'public'::regnamespace
            and i.relname !~ ('^' || t.relname || case
                when x.indisprimary then '_pkey$' when x.indisunique then '_.+_key$' else '_.+_idx$' end)
        order by 1",
    )
    .await;
}

#[tokio::test]
async fn jobs_may_read_every_table_and_services_own_none() {
    nothing_found(
        "select t.relname || ': siyu_job may not read it'
        from pg_class t
        where t.relnamespace = 'public'::regnamespace and t.relkind in ('r', 'p')
            and not has_table_privilege('siyu_job', t.oid, 'select')
        union all
        select t.relname || ': owned by ' || o.rolname
        from pg_class t
        join pg_roles o on o.oid = t.relowner
        where t.relnamespace = 'public'::regnamespace and t.relkind in ('r', 'p')
            and o.rolname in ('siyu_app', 'siyu_job')
        union all
        select t.relname || ': may be truncated by ' || r.role
        from pg_class t, unnest(array['siyu_app', 'siyu_job', 'public']) as r (role)
        where t.relnamespace = 'public'::regnamespace and t.relkind in ('r', 'p')
            and has_table_privilege(r.role, t.oid, 'truncate')
        order by 1",
    )
    .await;
}

#[tokio::test]
async fn no_column_holds_a_fraction_or_a_time_without_its_zone() {
    nothing_found(
        "select t.relname || '.' || c.attname || ': ' || format_type(c.atttypid, c.atttypmod)
        from pg_class t
        join pg_attribute c on c.attrelid = t.oid and c.attnum > 0 and not c.attisdropped
        where t.relnamespace = 'public'::regnamespace and t.relkind in ('r', 'p')
            and format_type(c.atttypid, null) in ('real', 'double precision', 'numeric', 'money', 'json',
                'timestamp without time zone', 'time without time zone', 'character varying', 'character')
        order by 1",
    )
    .await;
}
