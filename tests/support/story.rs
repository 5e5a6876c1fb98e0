//! The frame of a story: one runtime for all tests of the process, for what they share outlives each of them; waits on
//! conditions; and what a person needs when a story fails: its last calls, the event log of its merchants, the logs of its
//! processes.

use std::{
    cell::RefCell,
    collections::VecDeque,
    fmt::Debug,
    fs,
    panic::{AssertUnwindSafe, resume_unwind},
    path::PathBuf,
    sync::LazyLock,
    time::{Duration, Instant},
};

use futures::FutureExt;
use siyu_runtime::pause;
use tokio::{runtime::Runtime, sync::Mutex};

use super::{place::Place, store};

/// How long a condition is waited for. Nothing healthy takes a tenth of it; a machine under load may.
pub const LIMIT: Duration = Duration::from_mins(3);
/// Held by stories that keep every core busy, so that the others stay quick.
pub static HEAVY: Mutex<()> = Mutex::const_new(());

const LOOK_PAUSE: Duration = Duration::from_millis(20);
const CALLS_KEPT: usize = 12;
const CALL_CHARS: usize = 1500;
const LOG_LINES: usize = 40;

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("threads can be had")
});

thread_local! {
    static TRANSCRIPT: RefCell<Transcript> = RefCell::default();
}

#[derive(Default)]
struct Transcript {
    calls: VecDeque<String>,
    merchants: Vec<(Place, String)>,
    logs: Vec<PathBuf>,
}

/// Runs a story. It stays on the thread of its test, which is how the transcript knows whose it is.
pub fn story(work: impl Future<Output = ()>) {
    TRANSCRIPT.take();
    let told = RUNTIME.block_on(Box::pin(AssertUnwindSafe(work).catch_unwind()));
    if let Err(panic) = told {
        RUNTIME.block_on(tell(TRANSCRIPT.take()));
        resume_unwind(panic);
    }
}

/// Waits until `look` finds what is looked for.
pub async fn until<T>(what: &str, limit: Duration, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(start.elapsed() < limit, "waited {limit:?} in vain until {what}");
        pause(LOOK_PAUSE).await;
    }
}

/// Keeps a call for the transcript.
pub(super) fn keep_call(request: &impl Debug, reply: &impl Debug) {
    let cut = |text: String| text.chars().take(CALL_CHARS).collect::<String>();
    let call = format!("{}\n    → {}", cut(format!("{request:?}")), cut(format!("{reply:?}")));
    TRANSCRIPT.with_borrow_mut(|transcript| {
        transcript.calls.push_back(call);
        if transcript.calls.len() > CALLS_KEPT {
            transcript.calls.pop_front();
        }
    });
}

/// Keeps whose event log is to be shown.
pub(super) fn keep_merchant(place: &Place, merchant_id: &str) {
    let kept = (place.clone(), merchant_id.to_owned());
    TRANSCRIPT.with_borrow_mut(|transcript| transcript.merchants.push(kept));
}

/// Keeps which log of a process is to be shown.
pub(super) fn keep_log(path: PathBuf) {
    TRANSCRIPT.with_borrow_mut(|transcript| {
        // A program that was started again writes on in the same file.
        if !transcript.logs.contains(&path) {
            transcript.logs.push(path);
        }
    });
}

#[expect(clippy::print_stderr, reason = "a failing test says why; the harness shows it then only")]
async fn tell(transcript: Transcript) {
    let Transcript { calls, merchants, logs } = transcript;
    eprintln!("\n--- the last calls");
    for call in calls {
        eprintln!("{call}");
    }
    for (place, merchant_id) in merchants {
        eprintln!("--- the last events of {merchant_id}");
        for line in store::told(&place.databases, &merchant_id).await {
            eprintln!("{line}");
        }
    }
    for path in logs {
        eprintln!("--- the end of {}", path.display());
        let text = fs::read_to_string(&path).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        for line in lines.iter().skip(lines.len().saturating_sub(LOG_LINES)) {
            eprintln!("{line}");
        }
    }
}
