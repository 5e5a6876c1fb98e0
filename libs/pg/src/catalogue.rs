//! Reads the catalogue for tables that break the rules of tenancy. For tests: each service runs it on its schema.
//!
//! The rules: a table of tenants leads its primary key, each unique index and each foreign key with `merchant_id`, and
//! row-level security binds everybody, its owner too; nothing runs with the rights of an owner on behalf of a service.

use sqlx::PgConnection;

use crate::Error;

/// Every breach of the rules, as a sentence with the name of the table. `system_tables` are those whose rows belong to no
/// tenant; the history of migrations is one of them anyway.
pub async fn violations(
    conn: &mut PgConnection,
    system_tables: &[&str],
) -> Result<Vec<String>, Error> {
    let mut system: Vec<String> = system_tables.iter().map(|&name| name.to_owned()).collect();
    system.push("siyu_migrations".to_owned());
    let mut found = Vec::new();
    for query in [TABLES, POLICIES, UNIQUE_INDEXES, FOREIGN_KEYS, RIGHTS, SYSTEM_TABLES] {
        let rows: Vec<String> =
            sqlx::query_scalar(query).bind(&system).fetch_all(&mut *conn).await?;
        found.extend(rows);
    }
    Ok(found)
}

/// A leading `merchant_id uuid not null`, row-level security for everybody.
const TABLES: &str = "
    select t.relname || ': ' || fault
    from pg_class t
    left join pg_attribute m on m.attrelid = t.oid and m.attname = 'merchant_id'
        and m.atttypid = 'uuid'::regtype and m.attnotnull
    left join pg_index k on k.indrelid = t.oid and k.indisprimary
    cross join unnest(array[
        case when m.attnum is null then 'has no column merchant_id uuid not null' end,
        case when k.indkey[0] is distinct from m.attnum
            then 'has no primary key that leads with merchant_id' end,
        case when not t.relrowsecurity then 'row-level security is not enabled' end,
        case when not t.relforcerowsecurity then 'row-level security is not forced' end,
        case when pg_get_userbyid(t.relowner) in ('siyu_app', 'siyu_job')
            then 'belongs to a role of the services' end
    ]) as fault
    where t.relnamespace = current_schema()::regnamespace and t.relkind in ('r', 'p')
        and t.relname <> all ($1) and fault is not null
    order by 1";

/// One policy for services, one for jobs, none besides.
const POLICIES: &str = "
    select t.relname || ': has not exactly the policies of siyu_tenant_table'
    from pg_class t
    left join pg_policy p on p.polrelid = t.oid
    where t.relnamespace = current_schema()::regnamespace and t.relkind in ('r', 'p')
        and t.relname <> all ($1)
    group by t.oid, t.relname
    having coalesce(string_agg(format('%s %s %s %s', p.polname, p.polcmd, p.polpermissive,
            (select string_agg(r::regrole::text, ',') from unnest(p.polroles) r)), '; '
            order by p.polname), '')
        <> 'job * t siyu_job; tenant * t siyu_app'
        or not coalesce(bool_and(p.polname <> 'tenant' or (
            pg_get_expr(p.polqual, t.oid) like '(merchant_id = %current_setting(''siyu.merchant_id''%'
            and pg_get_expr(p.polqual, t.oid) = pg_get_expr(p.polwithcheck, t.oid))), false)
    order by 1";

const UNIQUE_INDEXES: &str = "
    select t.relname || ': the unique index ' || i.indexrelid::regclass || ' does not lead with merchant_id'
    from pg_class t
    join pg_index i on i.indrelid = t.oid and i.indisunique and not i.indisprimary
    left join pg_attribute m on m.attrelid = t.oid and m.attname = 'merchant_id'
    where t.relnamespace = current_schema()::regnamespace and t.relname <> all ($1)
        and i.indkey[0] is distinct from m.attnum
    order by 1";

const FOREIGN_KEYS: &str = "
    select t.relname || ': the foreign key ' || c.conname || ' does not lead with merchant_id on both sides'
    from pg_class t
    join pg_constraint c on c.conrelid = t.oid and c.contype = 'f'
    left join pg_attribute here on here.attrelid = t.oid and here.attname = 'merchant_id'
    left join pg_attribute there on there.attrelid = c.confrelid and there.attname = 'merchant_id'
    where t.relnamespace = current_schema()::regnamespace and t.relname <> all ($1)
        and (c.conkey[1] is distinct from here.attnum or c.confkey[1] is distinct from there.attnum)
    order by 1";

/// Views and functions with the rights of their owner would see all tenants.
const RIGHTS: &str = "
    select c.relname || ': a view without security_invoker shows all tenants'
    from pg_class c
    where c.relnamespace = current_schema()::regnamespace and c.relname <> all ($1)
        and (c.relkind = 'm' or c.relkind = 'v'
            and not coalesce(c.reloptions @> array['security_invoker=true'], false))
    union all
    select p.proname || ': a function with security definer sees all tenants'
    from pg_proc p
    where p.pronamespace = current_schema()::regnamespace and p.prosecdef
    order by 1";

/// The list of exceptions must not outlive its tables.
const SYSTEM_TABLES: &str = "
    select name || ': is listed as a system table and does not exist'
    from unnest($1) as name
    where not exists (select from pg_class t where t.relname = name
        and t.relnamespace = current_schema()::regnamespace and t.relkind in ('r', 'p'))
    order by 1";
