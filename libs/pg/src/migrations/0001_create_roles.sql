-- Roles belong to the whole server, while each database migrates on its own, perhaps at the same moment: a role that
-- another one just created is as good as one created here. The privileges of CREATEROLE suffice; where an operator
-- created the roles and the grants before, none is needed.
do $$
declare
    fault text;
begin
    if not exists (select from pg_roles where rolname = 'siyu_app') then
        begin
            create role siyu_app login noinherit;
        exception when duplicate_object or unique_violation then
            null;
        end;
    end if;
    if not exists (select from pg_roles where rolname = 'siyu_job') then
        begin
            create role siyu_job nologin;
        exception when duplicate_object or unique_violation then
            null;
        end;
    end if;

    -- Everything else rests on these: a role that could bypass row-level security would see all tenants.
    select string_agg(rolname || ' must be ' || wanted, ', ' order by rolname, wanted)
    into fault
    from (
        select rolname, unnest(array[
            case when rolsuper then 'nosuperuser' end,
            case when rolbypassrls then 'nobypassrls' end,
            case when rolinherit and rolname = 'siyu_app' then 'noinherit' end,
            case when rolcanlogin and rolname = 'siyu_job' then 'nologin' end
        ]) as wanted
        from pg_roles
        where rolname in ('siyu_app', 'siyu_job')
    ) as roles
    where wanted is not null;
    if fault is not null then
        raise exception 'the roles of the server are not as row-level security needs them: %', fault;
    end if;
end
$$;

-- Services act as the job role in named jobs only. The owner holds it too, so that a migration that fills a column sees
-- the rows of all tenants: the policies bind the owner as well.
do $$
begin
    for attempt in 1..10 loop
        begin
            if not pg_has_role('siyu_app', 'siyu_job', 'member') then
                grant siyu_job to siyu_app;
            end if;
            if not pg_has_role(current_user, 'siyu_job', 'usage') then
                execute format('grant siyu_job to %I', current_user);
            end if;
            exit;
        exception when unique_violation or internal_error then
            -- Another database grants it at this moment ("tuple concurrently updated"): look again.
            if attempt = 10 then
                raise;
            end if;
            perform pg_sleep(0.02 * attempt);
        end;
    end loop;
end
$$;

do $$
begin
    if not (has_schema_privilege('siyu_app', current_schema(), 'usage')
        and has_schema_privilege('siyu_job', current_schema(), 'usage')) then
        execute format('grant usage on schema %I to siyu_app, siyu_job', current_schema());
    end if;
end
$$;

-- A service looks for pending migrations when it starts.
grant select on siyu_migrations to siyu_app, siyu_job;
