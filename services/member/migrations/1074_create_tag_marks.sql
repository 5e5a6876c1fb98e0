-- Only ever inserted and deleted, so that nobody who marks a person waits for the job that computes, nor for another.
create table tag_marks (
    merchant_id uuid not null,
    id bigint generated always as identity,
    person_id uuid not null,
    constraint tag_marks_pkey primary key (merchant_id, id)
);

comment on table tag_marks is 'persons of whom something changed that the rules of tags may ask for';
comment on column tag_marks.merchant_id is 'the tenant';
comment on column tag_marks.id is 'in the order of the marks';
comment on column tag_marks.person_id is 'the person';

create index tag_marks_id_idx on tag_marks (id);

select siyu_tenant_table('tag_marks');
