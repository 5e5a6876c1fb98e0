create table tag_groups (
    merchant_id uuid not null,
    id uuid not null,
    name text not null,
    exclusive boolean not null,
    created_at timestamptz not null,
    constraint tag_groups_pkey primary key (merchant_id, id),
    constraint tag_groups_name_key unique (merchant_id, name)
);

comment on table tag_groups is 'tags that belong together';
comment on column tag_groups.merchant_id is 'the tenant';
comment on column tag_groups.id is 'the group';
comment on column tag_groups.name is 'the name';
comment on column tag_groups.exclusive is 'a person carries one tag of the group at most: the latest';
comment on column tag_groups.created_at is 'when it was created';

create table tags (
    merchant_id uuid not null,
    id uuid not null,
    group_id uuid,
    name text not null,
    kind text not null,
    rule bytea,
    due_at timestamptz,
    cursor_person_id uuid,
    computed_at timestamptz,
    created_at timestamptz not null,
    constraint tags_pkey primary key (merchant_id, id),
    constraint tags_group_id_name_key unique nulls not distinct (merchant_id, group_id, name),
    constraint tags_group_id_fkey foreign key (merchant_id, group_id) references tag_groups (merchant_id, id),
    constraint tags_kind_check check (kind in ('manual', 'rule', 'system')),
    constraint tags_rule_check check ((kind = 'rule') = (rule is not null) and (kind = 'rule') = (due_at is not null))
);

comment on table tags is 'words about persons';
comment on column tags.merchant_id is 'the tenant';
comment on column tags.id is 'the tag';
comment on column tags.group_id is 'the group; null: none';
comment on column tags.name is 'the name';
comment on column tags.kind is 'who decides: people, a rule, another system';
comment on column tags.rule is 'for whom it holds, an encoded siyu.member.v1.Filter; null where there is no rule';
comment on column tags.due_at is 'when the rule is to be computed next; null where there is no rule';
comment on column tags.cursor_person_id is 'up to whom the rule is computed in the round under way; null between two rounds';
comment on column tags.computed_at is 'when the last round of the rule ended; null before';
comment on column tags.created_at is 'when it was created';

create index tags_due_at_idx on tags (merchant_id, due_at) where due_at is not null;

create table person_tags (
    merchant_id uuid not null,
    person_id uuid not null,
    tag_id uuid not null,
    source text not null,
    tagged_at timestamptz not null,
    expires_at timestamptz,
    constraint person_tags_pkey primary key (merchant_id, person_id, tag_id),
    constraint person_tags_tag_id_fkey foreign key (merchant_id, tag_id) references tags (merchant_id, id)
);

comment on table person_tags is 'which tags persons carry';
comment on column person_tags.merchant_id is 'the tenant';
comment on column person_tags.person_id is 'who';
comment on column person_tags.tag_id is 'which';
comment on column person_tags.source is 'where it came from';
comment on column person_tags.tagged_at is 'since when';
comment on column person_tags.expires_at is 'until when; null: for ever';

create index person_tags_tag_id_idx on person_tags (merchant_id, tag_id, person_id) include (expires_at, tagged_at);

create table person_tag_relics (
    merchant_id uuid not null,
    merge_id uuid not null,
    person_id uuid not null,
    tag_id uuid not null,
    source text not null,
    tagged_at timestamptz not null,
    expires_at timestamptz,
    constraint person_tag_relics_pkey primary key (merchant_id, merge_id, person_id, tag_id)
);

comment on table person_tag_relics is 'which tags two persons carried when they were merged: they carry them again when that is undone';
comment on column person_tag_relics.merchant_id is 'the tenant';
comment on column person_tag_relics.merge_id is 'the merge';
comment on column person_tag_relics.person_id is 'who of the two';
comment on column person_tag_relics.tag_id is 'which tag';
comment on column person_tag_relics.source is 'where it came from';
comment on column person_tag_relics.tagged_at is 'since when';
comment on column person_tag_relics.expires_at is 'until when; null: for ever';

select siyu_tenant_table('tag_groups');
select siyu_tenant_table('tags');
select siyu_tenant_table('person_tags');
select siyu_tenant_table('person_tag_relics');
