create table issuer_closings (
    merchant_id uuid not null,
    issuer_id uuid not null,
    day date not null,
    principal_minor bigint not null,
    constraint issuer_closings_pkey primary key (merchant_id, issuer_id),
    constraint issuer_closings_issuer_id_fkey foreign key (merchant_id, issuer_id) references issuers (merchant_id, id)
);

comment on table issuer_closings is 'what issuers owed at the end of a day that is over: later changes are added to it';
comment on column issuer_closings.merchant_id is 'the tenant';
comment on column issuer_closings.issuer_id is 'who owes the value';
comment on column issuer_closings.day is 'the day, in the zone of the merchant; nothing is written for it any more';
comment on column issuer_closings.principal_minor is 'the principal of all changes to the end of that day';

select siyu_tenant_table('issuer_closings');
