//! The RPC that takes in the documents of warehouses.

use std::collections::{BTreeMap, BTreeSet};

use siyu_grpc::Ctx;
use siyu_kernel::{Fault, Violation};
use siyu_proto::{
    Path, Shape as _,
    order::v1::{
        ImportStockError, ImportStockKind, ImportStockOutcome, ImportStockRequest,
        ImportStockResponse, ImportStockResult, ImportStockRow,
    },
};

use super::{
    book::Book,
    domain::{Cause, Key, Of},
    edit,
    fit::{self, Unfit},
    store::{self, MovementRow, Write},
};
use crate::App;

/// What the rows of a document are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Received,
    Counted,
}

/// A row that has the shape of one.
struct Row {
    number: i32,
    key: Key,
    quantity: i64,
}

/// What became of a row.
enum Answer {
    Applied(i64),
    Repeated(i64),
    Rejected(Vec<Violation>),
}

/// What a row is judged by.
struct Around<'a> {
    document_no: &'a str,
    kind: Kind,
    unfit: &'a BTreeMap<Key, Unfit>,
    earlier: &'a BTreeMap<i32, MovementRow>,
}

pub(super) async fn import(
    app: &App,
    ctx: Ctx,
    request: ImportStockRequest,
) -> Result<ImportStockResponse, Fault> {
    let kind = match ImportStockKind::try_from(request.kind) {
        Ok(ImportStockKind::Received) => Kind::Received,
        Ok(ImportStockKind::Counted) => Kind::Counted,
        Ok(ImportStockKind::Unspecified) | Err(_) => {
            return Err(Fault::field("kind", "is not a known value"));
        }
    };
    let mut seen = BTreeSet::new();
    let rows: Vec<_> = request.rows.iter().map(|row| read(row, kind, &mut seen)).collect();
    let sound = || rows.iter().filter_map(|row| row.as_ref().ok());
    let numbers: Vec<i32> = sound().map(|row| row.number).collect();
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    // Of two calls with the same document the second one sees what the first one did.
    store::lock_document(&mut tx, &request.document_no).await?;
    let earlier = store::documented(&mut tx, &request.document_no, &numbers).await?;
    let earlier: BTreeMap<i32, MovementRow> =
        earlier.into_iter().filter_map(|row| Some((row.row_no?, row))).collect();
    let keys = sound().filter(|row| !earlier.contains_key(&row.number)).map(|row| row.key.clone());
    let (mut book, unfit) = fit::open(&mut tx, &keys.collect(), ctx.now).await?;
    let around =
        Around { document_no: &request.document_no, kind, unfit: &unfit, earlier: &earlier };
    let answers: Vec<Answer> = rows.into_iter().map(|row| around.apply(&mut book, row)).collect();
    store::save(&mut tx, &book, Write::Set, ctx.now, &*app.ids).await?;
    tx.commit().await?;
    Ok(ImportStockResponse { results: answers.into_iter().map(show).collect() })
}

fn read(row: &ImportStockRow, kind: Kind, seen: &mut BTreeSet<i32>) -> Result<Row, Vec<Violation>> {
    let mut wrong = Vec::new();
    row.violations(&Path::Root, &mut wrong);
    let mut say = |field: &str, description: &str| {
        let (field, description) = (field.to_owned(), description.to_owned());
        wrong.push(Violation { field, description });
    };
    if !seen.insert(row.row_no) {
        say("row_no", "stands twice");
    }
    if kind == Kind::Received && row.quantity == 0 {
        say("quantity", "must be at least 1");
    }
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let key = Key { sku: row.sku.clone(), location: row.location.clone() };
    Ok(Row { number: row.row_no, key, quantity: row.quantity })
}

impl Around<'_> {
    fn apply(&self, book: &mut Book, row: Result<Row, Vec<Violation>>) -> Answer {
        let row = match row {
            Ok(row) => row,
            Err(wrong) => return Answer::Rejected(wrong),
        };
        if let Some(before) = self.earlier.get(&row.number) {
            return if self.is_same(&row, before) {
                Answer::Repeated(before.on_hand)
            } else {
                rejected("row_no", "the document has another row of this number".to_owned())
            };
        }
        if let Some(why) = self.unfit.get(&row.key) {
            return Answer::Rejected(vec![why.violation(&row.key)]);
        }
        let (document_no, row_no) = (self.document_no.to_owned(), Some(row.number));
        let of = Of { document_no, row_no, ..Of::default() };
        let done = match self.kind {
            Kind::Received => edit::add(book, &row.key, Cause::Received, row.quantity, of),
            Kind::Counted => edit::count(book, &row.key, row.quantity, of),
        };
        done.map_or_else(|why| rejected("quantity", why.to_string()), Answer::Applied)
    }

    fn is_same(&self, row: &Row, before: &MovementRow) -> bool {
        let (cause, quantity) = match self.kind {
            Kind::Received => (Cause::Received, before.on_hand_delta),
            Kind::Counted => (Cause::Counted, before.on_hand),
        };
        (&row.key.sku, &row.key.location) == (&before.sku, &before.location)
            && (before.cause, quantity) == (cause, row.quantity)
    }
}

fn rejected(field: &str, description: String) -> Answer {
    Answer::Rejected(vec![Violation { field: field.to_owned(), description }])
}

fn show(answer: Answer) -> ImportStockResult {
    let bare = |outcome: ImportStockOutcome, on_hand| ImportStockResult {
        outcome: outcome.into(),
        on_hand,
        errors: Vec::new(),
    };
    match answer {
        Answer::Applied(on_hand) => bare(ImportStockOutcome::Applied, on_hand),
        Answer::Repeated(on_hand) => bare(ImportStockOutcome::Repeated, on_hand),
        Answer::Rejected(wrong) => {
            let error =
                |v: Violation| ImportStockError { field: v.field, description: v.description };
            let errors = wrong.into_iter().map(error).collect();
            ImportStockResult { errors, ..bare(ImportStockOutcome::Rejected, 0) }
        }
    }
}
