//! One kind of line end, and always one at the end: so that lines can be counted.

use std::io::{self, Read};

const CHUNK_BYTES: usize = 8 * 1024;

/// Reads text with CRLF as LF, and ends it with an LF.
pub(super) struct Newlines<R> {
    inner: R,
    /// What was read and turned, and how much of it was given out.
    ready: Vec<u8>,
    given: usize,
    /// A CR was read, and what follows it is not known yet.
    held: bool,
    /// The last byte that was turned.
    last: u8,
}

impl<R: Read> Newlines<R> {
    pub(super) const fn new(inner: R) -> Self {
        Self { inner, ready: Vec::new(), given: 0, held: false, last: b'\n' }
    }

    /// Reads on until there is something to give out; nothing is left when there is not.
    fn fill(&mut self) -> io::Result<()> {
        let mut chunk = [0; CHUNK_BYTES];
        self.ready.clear();
        self.given = 0;
        while self.ready.is_empty() {
            let got = self.inner.read(&mut chunk)?;
            if got == 0 {
                if self.last != b'\n' || self.held {
                    self.ready.push(b'\n');
                    self.held = false;
                }
                break;
            }
            for &byte in &chunk[..got] {
                if self.held && byte != b'\n' {
                    self.ready.push(b'\r');
                }
                self.held = byte == b'\r';
                if !self.held {
                    self.ready.push(byte);
                }
            }
        }
        self.last = self.ready.last().copied().unwrap_or(self.last);
        Ok(())
    }
}

impl<R: Read> Read for Newlines<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.given == self.ready.len() {
            self.fill()?;
        }
        let ready = &self.ready[self.given..];
        let count = ready.len().min(buffer.len());
        buffer[..count].copy_from_slice(&ready[..count]);
        self.given += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives out one byte at a time: a CR and its LF come apart.
    struct Slow<'a>(&'a [u8]);

    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let Some((first, rest)) = self.0.split_first() else { return Ok(0) };
            buffer[0] = *first;
            self.0 = rest;
            Ok(1)
        }
    }

    #[test]
    fn line_ends_become_one_kind_however_the_bytes_arrive() {
        let cases = [
            ("a\r\nb\r\n", "a\nb\n"),
            ("a\nb", "a\nb\n"),
            ("a\rb\r\r\n", "a\rb\r\n"),
            ("", ""),
            ("a\r", "a\n"),
        ];
        for (text, expected) in cases {
            let mut fast = String::new();
            Newlines::new(text.as_bytes()).read_to_string(&mut fast).unwrap();
            let mut slow = String::new();
            Newlines::new(Slow(text.as_bytes())).read_to_string(&mut slow).unwrap();
            assert_eq!((fast.as_str(), slow.as_str()), (expected, expected), "{text:?}");
        }
    }
}
