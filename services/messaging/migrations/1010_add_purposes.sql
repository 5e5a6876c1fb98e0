alter table campaigns
    add column purpose text not null default 'marketing',
    add constraint campaigns_purpose_check check (purpose in ('marketing', 'service'));

comment on column campaigns.purpose is 'what it is for, and so what persons must have agreed to';

-- A message that must not be sent is withdrawn with the reason.
alter table messages
    drop constraint messages_failure_check,
    add constraint messages_failure_check check (state in ('failed', 'cancelled') or failure = '');

comment on column messages.failure is 'why it failed, or why it must not be sent';

-- The words of channels are destroyed with the personal data of who they are about.
create index messages_failure_idx on messages (merchant_id, person_id) where failure <> '';
