-- Every rule that the ledger rests on, checked from the journal up. A sound ledger gives no row.
with sides as (
    -- What each transfer did to each of its two accounts.
    select t.merchant_id, t.id as transfer_id, t.debit_account_id as account_id, t.debit_entry as entry,
        t.debit_balance as balance,
        case when t.kind in ('post', 'post_pending', 'reverse') then t.amount else 0 end as debits, 0 as credits,
        case when t.kind = 'pending' then t.amount else -coalesce(p.amount, 0) end as debits_pending, 0 as credits_pending
    from ledger_transfers as t
    left join ledger_transfers as p on p.merchant_id = t.merchant_id and p.id = t.pending_id
    union all
    select t.merchant_id, t.id, t.credit_account_id, t.credit_entry, t.credit_balance,
        0, case when t.kind in ('post', 'post_pending', 'reverse') then t.amount else 0 end,
        0, case when t.kind = 'pending' then t.amount else -coalesce(p.amount, 0) end
    from ledger_transfers as t
    left join ledger_transfers as p on p.merchant_id = t.merchant_id and p.id = t.pending_id
), sums as (
    select merchant_id, account_id, sum(debits) as debits, sum(credits) as credits,
        sum(debits_pending) as debits_pending, sum(credits_pending) as credits_pending,
        count(*) as entries, min(entry) as first, max(entry) as last
    from sides
    group by merchant_id, account_id
), running as (
    select merchant_id, account_id, entry, balance,
        sum(credits - debits) over (partition by merchant_id, account_id order by entry) as expected
    from sides
), lot_sums as (
    select merchant_id, lot_id, account_id, sum(remaining) as remaining, sum(held) as held
    from ledger_lot_moves
    group by merchant_id, lot_id, account_id
), account_lots as (
    select merchant_id, account_id, sum(remaining) as remaining, sum(held) as held
    from ledger_lots
    group by merchant_id, account_id
), transfer_lots as (
    select merchant_id, transfer_id, account_id, sum(remaining) as remaining, sum(held) as held
    from ledger_lot_moves
    group by merchant_id, transfer_id, account_id
), findings as (
    select merchant_id, 'trial balance' as rule, asset as subject,
        format('posted %s against %s, pending %s against %s',
            sum(debits_posted), sum(credits_posted), sum(debits_pending), sum(credits_pending)) as detail
    from ledger_accounts
    group by merchant_id, asset
    having sum(debits_posted) <> sum(credits_posted) or sum(debits_pending) <> sum(credits_pending)

    union all
    select coalesce(a.merchant_id, s.merchant_id), 'counters', coalesce(a.id, s.account_id)::text,
        format('counters %s/%s/%s/%s, transfers %s/%s/%s/%s',
            a.debits_posted, a.credits_posted, a.debits_pending, a.credits_pending,
            s.debits, s.credits, s.debits_pending, s.credits_pending)
    from ledger_accounts as a
    full join sums as s on s.merchant_id = a.merchant_id and s.account_id = a.id
    where (a.debits_posted, a.credits_posted, a.debits_pending, a.credits_pending) is distinct from
        (coalesce(s.debits, 0), coalesce(s.credits, 0), coalesce(s.debits_pending, 0), coalesce(s.credits_pending, 0))

    union all
    select a.merchant_id, 'entry numbers', a.id::text, format('%s entries, numbered %s to %s', s.entries, s.first, s.last)
    from ledger_accounts as a
    left join sums as s on s.merchant_id = a.merchant_id and s.account_id = a.id
    where (a.entries, a.entries, least(a.entries, 1)) is distinct from
        (coalesce(s.entries, 0), coalesce(s.last, 0), coalesce(s.first, 0))

    union all
    select merchant_id, 'running balance', account_id::text, format('entry %s says %s, not %s', entry, balance, expected)
    from running
    where balance <> expected

    union all
    select t.merchant_id, 'assets', t.id::text, format('%s to %s', d.asset, c.asset)
    from ledger_transfers as t
    left join ledger_accounts as d on d.merchant_id = t.merchant_id and d.id = t.debit_account_id
    left join ledger_accounts as c on c.merchant_id = t.merchant_id and c.id = t.credit_account_id
    where d.asset is null or c.asset is null or d.asset <> c.asset

    union all
    select coalesce(p.merchant_id, h.merchant_id), 'holds', coalesce(p.id, h.pending_id)::text,
        format('hold is %s, ended by %s, a transfer of kind %s', h.state, h.ended_by_id, e.kind)
    from (select * from ledger_transfers where kind = 'pending') as p
    full join ledger_holds as h on h.merchant_id = p.merchant_id and h.pending_id = p.id
    left join ledger_transfers as e on e.merchant_id = p.merchant_id and e.pending_id = p.id
    where p.id is null or h.pending_id is null or h.expires_at is distinct from p.until_at
        or h.ended_by_id is distinct from e.id
        or h.state <> case e.kind when 'post_pending' then 'posted' when 'void_pending' then 'voided'
            when 'expire_pending' then 'expired' else 'open' end
        or (e.debit_account_id, e.credit_account_id) is distinct from
            (case when e.id is not null then p.debit_account_id end, case when e.id is not null then p.credit_account_id end)
        or e.amount > p.amount or e.kind <> 'post_pending' and e.amount <> p.amount

    union all
    select e.merchant_id, 'holds', e.id::text, 'it ends what is no hold'
    from ledger_transfers as e
    left join ledger_transfers as p on p.merchant_id = e.merchant_id and p.id = e.pending_id and p.kind = 'pending'
    where e.pending_id is not null and p.id is null

    union all
    select r.merchant_id, 'reversals', r.reverses_id::text,
        format('%s of %s moved back', sum(r.amount), max(t.amount))
    from ledger_transfers as r
    left join ledger_transfers as t on t.merchant_id = r.merchant_id and t.id = r.reverses_id
    where r.reverses_id is not null
    group by r.merchant_id, r.reverses_id
    having max(t.amount) is null or sum(r.amount) > max(t.amount)
        or not bool_and(t.kind in ('post', 'post_pending'))
        or not bool_and(t.debit_account_id = r.credit_account_id and t.credit_account_id = r.debit_account_id)

    union all
    select coalesce(l.merchant_id, m.merchant_id), 'lots', coalesce(l.id, m.lot_id)::text,
        format('%s left and %s held, moves say %s and %s', l.remaining, l.held, m.remaining, m.held)
    from ledger_lots as l
    full join lot_sums as m on m.merchant_id = l.merchant_id and m.lot_id = l.id and m.account_id = l.account_id
    where (l.remaining, l.held) is distinct from (m.remaining, m.held)

    union all
    select coalesce(a.merchant_id, l.merchant_id), 'lots of account', coalesce(a.id, l.account_id)::text,
        format('balance %s with %s pending, lots sum to %s with %s held',
            a.credits_posted - a.debits_posted, a.debits_pending, l.remaining, l.held)
    from (select * from ledger_accounts where flags & 4 <> 0) as a
    full join account_lots as l on l.merchant_id = a.merchant_id and l.account_id = a.id
    where (a.credits_posted - a.debits_posted, a.debits_pending) is distinct from
        (coalesce(l.remaining, 0), coalesce(l.held, 0))

    union all
    select coalesce(s.merchant_id, m.merchant_id), 'lots of transfer', coalesce(s.transfer_id, m.transfer_id)::text,
        format('it moved %s and held %s, its lots %s and %s',
            s.credits - s.debits, s.debits_pending, m.remaining, m.held)
    from (
        select s.* from sides as s
        join ledger_accounts as a on a.merchant_id = s.merchant_id and a.id = s.account_id
        where a.flags & 4 <> 0
    ) as s
    full join transfer_lots as m
        on m.merchant_id = s.merchant_id and m.transfer_id = s.transfer_id and m.account_id = s.account_id
    where (s.credits - s.debits, s.debits_pending) is distinct from (coalesce(m.remaining, 0), coalesce(m.held, 0))
)
select merchant_id, rule, subject, coalesce(detail, '') as detail
from findings
order by merchant_id, rule, subject
limit $1
