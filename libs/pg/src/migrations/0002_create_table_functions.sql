-- What every migration calls for each table it creates: exactly one of the two.

create function siyu_grant_table(t regclass) returns void
language plpgsql as $$
declare
    s regclass;
begin
    execute format('grant select, insert, update, delete on %s to siyu_app, siyu_job', t);
    -- Sequences behind serial columns; identity columns need no grant, it does no harm.
    for s in
        select d.objid::regclass
        from pg_depend d
        join pg_class c on c.oid = d.objid and c.relkind = 'S'
        where d.classid = 'pg_class'::regclass and d.refclassid = 'pg_class'::regclass
            and d.refobjid = t and d.deptype in ('a', 'i')
    loop
        execute format('grant usage on sequence %s to siyu_app, siyu_job', s);
    end loop;
end
$$;

comment on function siyu_grant_table(regclass) is
    'lets services and jobs use a table; called by siyu_tenant_table and siyu_system_table';

-- The setting is read in a sub-select, so that the planner evaluates it once for a statement and not for each row. It is
-- empty, not null, on a connection whose earlier transaction had a tenant.
create function siyu_tenant_table(t regclass) returns void
language plpgsql as $$
begin
    execute format('alter table %s enable row level security', t);
    execute format('alter table %s force row level security', t);
    execute format(
        'create policy tenant on %s to siyu_app
            using (merchant_id = (select nullif(current_setting(''siyu.merchant_id'', true), '''')::uuid))
            with check (merchant_id = (select nullif(current_setting(''siyu.merchant_id'', true), '''')::uuid))',
        t);
    execute format('create policy job on %s to siyu_job using (true) with check (true)', t);
    perform siyu_grant_table(t);
end
$$;

comment on function siyu_tenant_table(regclass) is
    'makes a table with a merchant_id one of tenants: row-level security for all roles, rights for services and jobs';

create function siyu_system_table(t regclass) returns void
language plpgsql as $$
begin
    perform siyu_grant_table(t);
end
$$;

comment on function siyu_system_table(regclass) is
    'opens a table of the machinery, whose rows belong to no tenant, to services and jobs';
