//! Bytes of an order file: from a path or stdin, counted on the way, unpacked, and refused when they are no text.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use flate2::read::MultiGzDecoder;

use super::{Error, newline::Newlines};

/// The longest row. A quote that is not closed would otherwise draw the rest of the file into memory.
pub(super) const LONGEST_ROW_BYTES: u64 = 1 << 20;
const SNIFFED_BYTES: usize = 16 * 1024;
/// Small, so that the position of a packed file moves in small steps.
const BUFFER_BYTES: usize = 8 * 1024;

/// An opened file.
pub struct Source {
    /// Its bytes, packed or not.
    pub read: Box<dyn Read + Send>,
    /// How many of them were read so far.
    pub position: Arc<AtomicU64>,
    /// How many there are, where that is known.
    pub size: Option<u64>,
}

/// Opens a file; `-` is stdin.
///
/// # Errors
/// [`Error::Open`]
pub fn open(path: &Path) -> Result<Source, Error> {
    if path == Path::new("-") {
        return Ok(Source::new(io::stdin(), None));
    }
    let refused = |source| Error::Open { path: path.display().to_string(), source };
    let file = File::open(path).map_err(refused)?;
    let metadata = file.metadata().map_err(refused)?;
    if metadata.is_dir() {
        return Err(refused(io::ErrorKind::IsADirectory.into()));
    }
    // A named pipe says 0.
    let size = Some(metadata.len()).filter(|&bytes| bytes > 0);
    Ok(Source::new(file, size))
}

impl Source {
    /// Counts what is read of `bytes`.
    pub fn new(bytes: impl Read + Send + 'static, size: Option<u64>) -> Self {
        let position = Arc::new(AtomicU64::new(0));
        let read = Box::new(Counted { bytes, position: position.clone() });
        Self { read, position, size }
    }
}

struct Counted<R> {
    bytes: R,
    position: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let got = self.bytes.read(into)?;
        self.position.fetch_add(got as u64, Ordering::Relaxed);
        Ok(got)
    }
}

/// Unpacks gzip, tells text from anything else by its first bytes, and takes the byte order mark off.
pub(super) fn text(input: impl Read + Send + 'static) -> Result<Box<dyn Read + Send>, Error> {
    let mut packed = BufReader::with_capacity(BUFFER_BYTES, input);
    let start = |source| Error::Broken { line: 0, source };
    let is_gzip = packed.fill_buf().map_err(start)?.starts_with(&[0x1f, 0x8b]);
    let mut plain: Box<dyn Read + Send> =
        if is_gzip { Box::new(MultiGzDecoder::new(packed)) } else { Box::new(packed) };
    let mut head = Vec::with_capacity(SNIFFED_BYTES);
    plain.by_ref().take(SNIFFED_BYTES as u64).read_to_end(&mut head).map_err(start)?;
    if let Some(kind) = foreign(&head) {
        return Err(Error::NotCsv(kind.to_owned()));
    }
    let mark = if head.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    head.drain(..mark);
    Ok(Box::new(Newlines::new(io::Cursor::new(head).chain(plain))))
}

fn foreign(head: &[u8]) -> Option<&'static str> {
    let kinds: [(&[u8], &str); 6] = [
        (b"PK\x03\x04", "it looks like an Excel workbook or a zip archive; save it as CSV (UTF-8)"),
        (b"\xd0\xcf\x11\xe0", "it looks like an old Excel workbook; save it as CSV (UTF-8)"),
        (b"\xff\xfe", "it is UTF-16; save it as UTF-8"),
        (b"\xfe\xff", "it is UTF-16; save it as UTF-8"),
        (b"%PDF", "it is a PDF"),
        (b"{", "it looks like JSON"),
    ];
    let known = kinds.iter().find(|(magic, _)| head.starts_with(magic)).map(|&(_, kind)| kind);
    known.or_else(|| head.contains(&0).then_some("it has binary content"))
}

/// Lets through so many bytes between two refills: the bound of one row.
pub(super) struct Budget {
    bytes: Box<dyn Read + Send>,
    left: Arc<AtomicU64>,
}

#[derive(Debug, thiserror::Error)]
#[error("the row is too long")]
struct OverBudget;

impl Budget {
    pub(super) fn new(bytes: Box<dyn Read + Send>) -> (Self, Arc<AtomicU64>) {
        let left = Arc::new(AtomicU64::new(LONGEST_ROW_BYTES));
        (Self { bytes, left: left.clone() }, left)
    }
}

impl Read for Budget {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let left = self.left.load(Ordering::Relaxed);
        if left == 0 {
            return Err(io::Error::other(OverBudget));
        }
        let got = self.bytes.read(into)?;
        self.left.store(left.saturating_sub(got as u64), Ordering::Relaxed);
        Ok(got)
    }
}

/// Whether a read failed because a row is too long.
pub(super) fn is_over_budget(error: &io::Error) -> bool {
    error.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<OverBudget>)
}
