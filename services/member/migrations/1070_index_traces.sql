-- What is erased with a person is found by the person.
create index released_identities_taken_by_person_id_idx on released_identities (merchant_id, taken_by_person_id)
    where taken_by_person_id is not null;
create index redemptions_card_id_idx on redemptions (merchant_id, card_id);
