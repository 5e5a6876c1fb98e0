use std::time::Instant;
use siyu_ledger::*;
use crate::books::*;
use uuid::Uuid;
#[tokio::test]
async fn measure() {
    let books = Books::open().await;
    let mut a = vec![]; for _ in 0..100 { a.push(books.account(Flags::NONE).await); }
    let db = books.db();
    let m = books.merchant;
    for round in 0..3 {
      for variant in ["cte", "regexless", "update", "lateral-update", "ins only", "ins+cte ins only", "accounts only", "raw"] {
        let mut owner = books.database.owner().await;
        let _ = sqlx::raw_sql("alter table ledger_accounts drop constraint ledger_accounts_asset_check").execute(&mut owner).await;
        if variant != "regexless" { sqlx::raw_sql("alter table ledger_accounts add constraint ledger_accounts_asset_check check (asset ~ '^[A-Za-z0-9_]{1,16}$')").execute(&mut owner).await.unwrap(); }
        let mut tx = db.tenant(m).await.unwrap();
        sqlx::raw_sql("set local plan_cache_mode = force_generic_plan").execute(&mut *tx).await.unwrap();
        let n = 1000u128; let mut total = 0;
        for i in 0..n {
            let (d, c) = (a[(i % 100) as usize], a[((i + 1) % 100) as usize]);
            let id = books.id();
            let e = (round as i64) * 1_000_000 + i as i64 + 1 + 10_000_000 * (variant.len() as i64);
            let now = books.now;
            let t = Instant::now();
            let ins = "insert into ledger_transfers (merchant_id, id, kind, debit_account_id, credit_account_id, amount, code, user_data, debit_entry, credit_entry, debit_balance, credit_balance, posted_at) select $1, v.* from unnest($2::uuid[], $3::text[], $4::uuid[], $5::uuid[], $6::bigint[], $7::smallint[], $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::timestamptz[]) as v";
            let tail = match variant {
                "update" => "update ledger_accounts as a set debits_posted = v.b, credits_posted = v.b, entries = v.b from unnest($14::uuid[], $15::bigint[]) as v (id, b) where a.merchant_id = $1 and a.id = v.id returning 1",
                "lateral-update" => "update ledger_accounts as a set debits_posted = v.b, credits_posted = v.b, entries = v.b from unnest($14::uuid[], $15::bigint[]) as v (id, b) where a.merchant_id = $1 and a.id = v.id returning 1",
                _ => "insert into ledger_accounts as a (merchant_id, id, owner_id, code, asset, flags, created_at, debits_posted, credits_posted, entries) select $1, v.id, v.id, 1, 'points', 0, now(), v.b, v.b, v.b from unnest($14::uuid[], $15::bigint[]) as v (id, b) on conflict on constraint ledger_accounts_pkey do update set debits_posted = excluded.debits_posted, credits_posted = excluded.credits_posted, entries = excluded.entries returning 1",
            };
            let sql = match variant {
                "ins only" => ins.to_owned(),
                "ins+cte ins only" => format!("with i as ({ins} returning 1) select count(*) from i"),
                "accounts only" => format!("with u as ({tail}) select count(*) from u").replace("$14", "$2").replace("$15", "$3"),
                "raw" => "insert into ledger_transfers (merchant_id, id, kind, debit_account_id, credit_account_id, amount, code, user_data, debit_entry, credit_entry, debit_balance, credit_balance, posted_at) values ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13)".to_owned(),
                _ => format!("with i as ({ins} returning 1), u as ({tail}) select (select count(*) from i), (select count(*) from u)"),
            };
            let q = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(m);
            if variant == "raw" {
                q.bind(id).bind("post").bind(d).bind(c).bind(1i64).bind(1i16).bind(0i64).bind(e).bind(e).bind(1i64).bind(1i64).bind(now).execute(&mut *tx).await.unwrap();
                for x in [d, c] { sqlx::query("update ledger_accounts set debits_posted = $3, credits_posted = $3, entries = $3 where merchant_id = $1 and id = $2").bind(m).bind(x).bind(e).execute(&mut *tx).await.unwrap(); }
            } else if variant == "accounts only" {
                q.bind(vec![d, c]).bind(vec![e, e]).execute(&mut *tx).await.unwrap();
            } else {
                let q = q.bind(vec![id]).bind(vec!["post"]).bind(vec![d]).bind(vec![c]).bind(vec![1i64]).bind(vec![1i16]).bind(vec![0i64]).bind(vec![e]).bind(vec![e]).bind(vec![1i64]).bind(vec![1i64]).bind(vec![now]);
                if variant.starts_with("ins") { q.execute(&mut *tx).await.unwrap(); } else { q.bind(vec![d, c]).bind(vec![e, e]).execute(&mut *tx).await.unwrap(); }
            }
            total += t.elapsed().as_micros();
        }
        println!("R{round} {variant}: {} us", total / n);
      }
    }
    let _ = Uuid::nil();
}
