//! Keyset pages: a token says after which row the next page begins, so that a page costs the same at any depth and rows
//! that come or go in between neither repeat nor hide others.
//!
//! A token is opaque to clients and good for the filter it was made with. It holds nothing secret and grants nothing:
//! whose rows are shown is the transaction's business.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};
use siyu_kernel::Fault;

/// How many rows a page has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// When the caller does not say.
    pub default: u16,
    /// At most, whatever the caller says.
    pub max: u16,
}

/// Which page is asked for. `K` is the sort key of a row, its last part unique.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request<K> {
    /// How many rows the page has at most.
    pub size: u16,
    /// The key of the last row of the page before.
    pub after: Option<K>,
    filter: u64,
}

/// A page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<R> {
    /// Its rows.
    pub items: Vec<R>,
    /// Gives the next page; empty on the last one.
    pub next_token: String,
}

#[derive(Serialize, Deserialize)]
struct Token<K> {
    f: u64,
    k: K,
}

impl<K: Serialize + DeserializeOwned> Request<K> {
    /// Reads `page_size` and `page_token`. `filter` is every other field that selects or sorts, in any fixed encoding.
    ///
    /// # Errors
    /// A fault at `page_token` when it was not made by this method with this filter, at `page_size` when it is negative.
    pub fn parse(
        page_size: i32,
        page_token: &str,
        sizes: Sizes,
        filter: &[u8],
    ) -> Result<Self, Fault> {
        let size = match page_size {
            0 => sizes.default,
            wanted if wanted < 0 => {
                return Err(Fault::field("page_size", "must not be negative"));
            }
            wanted => u16::try_from(wanted).unwrap_or(u16::MAX).min(sizes.max),
        };
        let filter = fingerprint(filter);
        let after = if page_token.is_empty() { None } else { Some(open(page_token, filter)?) };
        Ok(Self { size, after, filter })
    }

    /// How many rows to fetch: one more than the page has shows whether there is a next one.
    #[must_use]
    pub fn fetch(&self) -> i64 {
        i64::from(self.size) + 1
    }

    /// Makes the page of the rows that were fetched.
    #[must_use]
    pub fn page<R>(&self, mut rows: Vec<R>, key: impl FnOnce(&R) -> K) -> Page<R> {
        let size = usize::from(self.size);
        if rows.len() <= size {
            return Page { items: rows, next_token: String::new() };
        }
        rows.truncate(size);
        let last = rows.last().expect("a page has room for a row");
        let token = Token { f: self.filter, k: key(last) };
        let json = serde_json::to_vec(&token).expect("keys are plain data");
        Page { items: rows, next_token: URL_SAFE_NO_PAD.encode(json) }
    }
}

impl<R> Page<R> {
    /// The same page with other items.
    pub fn map<S>(self, f: impl FnMut(R) -> S) -> Page<S> {
        Page { items: self.items.into_iter().map(f).collect(), next_token: self.next_token }
    }
}

fn open<K: DeserializeOwned>(page_token: &str, filter: u64) -> Result<K, Fault> {
    let bad = |why: &str| Fault::field("page_token", why);
    let token = URL_SAFE_NO_PAD
        .decode(page_token)
        .ok()
        .and_then(|json| serde_json::from_slice::<Token<K>>(&json).ok())
        .ok_or_else(|| bad("is not a token that this method returned"))?;
    if token.f == filter {
        Ok(token.k)
    } else {
        Err(bad("belongs to a request with other filters"))
    }
}

fn fingerprint(filter: &[u8]) -> u64 {
    let digest = Sha256::digest(filter);
    let head = digest.first_chunk().expect("a digest has 32 bytes");
    u64::from_be_bytes(*head)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZES: Sizes = Sizes { default: 2, max: 3 };

    fn request(size: i32, token: &str, filter: &str) -> Result<Request<(i64, String)>, Fault> {
        Request::parse(size, token, SIZES, filter.as_bytes())
    }

    #[test]
    fn pages_follow_each_other_until_the_rows_end() {
        let all: Vec<i64> = (1..=5).collect();
        let mut seen = Vec::new();
        let mut token = String::new();
        for _ in 0..3 {
            let request = request(0, &token, "open").unwrap();
            let after = request.after.clone().map_or(0, |(n, _)| n);
            let fetch = usize::try_from(request.fetch()).unwrap();
            let rows = all.iter().copied().filter(|n| *n > after).take(fetch).collect();
            let page = request.page(rows, |n| (*n, format!("row {n}")));
            seen.push(page.items.clone());
            token = page.next_token;
        }
        assert_eq!(seen, [vec![1, 2], vec![3, 4], vec![5]]);
        assert_eq!(token, "");
    }

    #[test]
    fn a_full_last_page_has_no_next_token() {
        let page = request(2, "", "").unwrap().page(vec![1_i64, 2], |n| (*n, String::new()));
        assert_eq!(page.next_token, "");
    }

    #[test]
    fn sizes_are_clamped_and_negative_ones_refused() {
        let sizes = [(0, 2), (1, 1), (3, 3), (4, 3), (i32::MAX, 3)];
        for (wanted, given) in sizes {
            assert_eq!(request(wanted, "", "").unwrap().size, given, "{wanted}");
        }
        assert_eq!(request(-1, "", "").unwrap_err().violations()[0].field, "page_size");
    }

    #[test]
    fn a_token_of_another_filter_or_method_is_refused() {
        let token = request(1, "", "open")
            .unwrap()
            .page(vec![1_i64, 2], |n| (*n, String::new()))
            .next_token;
        assert!(request(1, &token, "open").is_ok());
        let numbers: Result<Request<u8>, Fault> = Request::parse(1, &token, SIZES, b"open");
        let refused = [
            request(1, &token, "closed").unwrap_err(),
            request(1, "what?", "open").unwrap_err(),
            request(1, &token[1..], "open").unwrap_err(),
            numbers.unwrap_err(),
        ];
        for fault in refused {
            assert_eq!(fault.violations()[0].field, "page_token");
        }
    }
}
