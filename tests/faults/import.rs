//! An import by the program, as a process that can be killed, and what must be true when it is over.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;
use siyu_tests::support::{
    CUSTOMERS, Finished, LIMIT, Merchant, Place, Program, Sheet, assert_same, books, heads,
    reference, report, run_until_idle, until,
};

/// The CDNOW orders on their way to a merchant.
pub(crate) struct Import {
    pub(crate) merchant: Merchant,
    pub(crate) rows: u64,
    folder: PathBuf,
    file: PathBuf,
}

impl Import {
    /// Opens a merchant and writes the file.
    pub(crate) async fn prepare(place: &Place, folder: &Path) -> Self {
        // Before anything is disturbed: it is what everything is compared with.
        reference().await;
        let merchant = Merchant::open(place, "America/New_York", "USD").await;
        let (sheet, file) = (Sheet::cdnow(CUSTOMERS), folder.join("orders.csv"));
        fs::write(&file, sheet.csv()).unwrap();
        Self { merchant, rows: sheet.rows.len() as u64, folder: folder.to_owned(), file }
    }

    /// Starts the importer: in small batches, so that there is a middle.
    pub(crate) fn start(&self, name: &str) -> Program {
        let server = format!("http://{}", self.merchant.place.http);
        let file = self.file.display().to_string();
        let args = [
            "import",
            "orders",
            &file,
            "--platform",
            "cdnow",
            "--batch",
            "50",
            "--json",
            "--server",
            &server,
        ];
        let env = [("SIYU_TOKEN", self.merchant.caller.token())];
        Program::start(&self.folder, name, &args, &env)
    }

    /// Waits until this share of the orders, in percent, is stored; it must not be all of them.
    pub(crate) async fn until_stored(&self, percent: u64) {
        let wanted = self.rows * percent / 100;
        let stored = until(&format!("{wanted} orders are stored"), LIMIT, async || {
            let told = heads(&self.merchant.place).await?["order"];
            u64::try_from(told).ok().filter(|told| *told >= wanted)
        })
        .await;
        assert!(stored < self.rows, "all {stored} orders are stored: it came too late");
    }

    /// Waits until the importer has ended well, having seen every order, and returns its summary.
    pub(crate) async fn end(&self, mut importer: Program) -> Value {
        let finished: Finished = importer.wait("the import is done", LIMIT).await;
        assert_eq!(finished.code, Some(0), "{finished:?}");
        let summary: Value = serde_json::from_str(&finished.stdout).unwrap();
        let count = |name: &str| summary[name].as_u64().unwrap();
        let seen = count("created") + count("updated") + count("unchanged");
        assert_eq!((seen, count("updated")), (self.rows, 0), "{summary}");
        summary
    }

    /// Asserts that figures and books are those of an import that nothing disturbed.
    pub(crate) async fn assert_undisturbed(&self) {
        let reference = reference().await;
        run_until_idle(&self.merchant.place).await;
        assert_same("the report", &report(&self.merchant).await, &reference.report);
        assert_eq!(books(&self.merchant).await, reference.books);
    }
}
