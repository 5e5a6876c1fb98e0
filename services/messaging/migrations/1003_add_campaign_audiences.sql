alter table campaigns
    add column audience_id uuid,
    add constraint campaigns_audience_id_check
        check (audience_id is null or (growth_min = 0 and person_ids = '{}'));

comment on column campaigns.audience_id is 'only the persons of this audience of the member service; null: whom the other columns say';
