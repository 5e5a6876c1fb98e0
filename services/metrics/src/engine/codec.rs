//! Bytes of the engine: variable-length integers and canonical bitmaps. Equal values give equal bytes.

use roaring::RoaringBitmap;

use super::CellError;

/// Appends `value` in groups of seven bits, low first; the high bit says that more follow.
pub(super) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(low_bits(value) | 0x80);
        value >>= 7;
    }
    out.push(low_bits(value));
}

/// Appends a signed value so that small magnitudes stay short.
pub(super) fn put_signed(out: &mut Vec<u8>, value: i64) {
    put_varint(out, ((value << 1) ^ (value >> 63)).cast_unsigned());
}

fn low_bits(value: u64) -> u8 {
    u8::try_from(value & 0x7f).expect("seven bits fit")
}

/// Reads what the `put` functions wrote.
#[derive(Debug, Clone)]
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next unsigned value; `None` when the bytes end or the value exceeds 64 bits.
    pub(super) fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for (index, &byte) in self.0.iter().take(10).enumerate() {
            if index == 9 && byte > 1 {
                return None;
            }
            value |= u64::from(byte & 0x7f) << (7 * index);
            if byte < 0x80 {
                self.0 = &self.0[index + 1..];
                return Some(value);
            }
        }
        None
    }

    /// The next signed value.
    pub(super) fn signed(&mut self) -> Option<i64> {
        self.varint().map(|raw| (raw >> 1).cast_signed() ^ -(raw & 1).cast_signed())
    }

    /// The next bytes, as many as the length in front of them says.
    pub(super) fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.varint()?).ok()?;
        let (head, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(head)
    }
}

/// Appends `bytes` behind their length.
pub(super) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_varint(out, u64::try_from(bytes.len()).expect("lengths have at most 64 bits"));
    out.extend_from_slice(bytes);
}

/// The bytes of a set of persons, in the portable format of roaring bitmaps: equal sets give equal bytes, whatever
/// operations led to them.
#[must_use]
pub fn encode_bitmap(set: &RoaringBitmap) -> Vec<u8> {
    // Array and bitset containers follow from the cardinality alone, run containers from history: they are undone.
    let mut canonical = set.clone();
    canonical.remove_run_compression();
    let mut out = Vec::with_capacity(canonical.serialized_size());
    canonical.serialize_into(&mut out).expect("writing to memory does not fail");
    out
}

/// Reads the bytes of a set of persons.
///
/// # Errors
/// [`CellError::Malformed`] when they are not what [`encode_bitmap`] wrote.
pub fn decode_bitmap(bytes: &[u8]) -> Result<RoaringBitmap, CellError> {
    let mut rest = bytes;
    let set = RoaringBitmap::deserialize_from(&mut rest).map_err(|_| CellError::Malformed)?;
    if rest.is_empty() { Ok(set) } else { Err(CellError::Malformed) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn integers_come_back(unsigned: u64, signed: i64, bytes: Vec<u8>) {
            let mut out = Vec::new();
            put_varint(&mut out, unsigned);
            put_signed(&mut out, signed);
            put_bytes(&mut out, &bytes);
            let mut reader = Reader::new(&out);
            prop_assert_eq!(reader.varint(), Some(unsigned));
            prop_assert_eq!(reader.signed(), Some(signed));
            prop_assert_eq!(reader.bytes(), Some(&bytes[..]));
            prop_assert!(reader.is_empty());
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            let mut reader = Reader::new(&bytes);
            while reader.varint().is_some() {}
            let _ = decode_bitmap(&bytes);
        }
    }

    #[test]
    fn equal_sets_give_equal_bytes_whatever_led_to_them() {
        let straight: RoaringBitmap = (0..70_000).collect();
        let mut detour = RoaringBitmap::new();
        detour.insert_range(0..200_000);
        detour.optimize();
        detour.remove_range(70_000..);
        assert_eq!(encode_bitmap(&straight), encode_bitmap(&detour));
        assert_eq!(decode_bitmap(&encode_bitmap(&detour)), Ok(straight));
    }

    #[test]
    fn bytes_after_the_end_are_refused() {
        let mut bytes = encode_bitmap(&RoaringBitmap::from([1, 5]));
        bytes.push(0);
        assert_eq!(decode_bitmap(&bytes), Err(CellError::Malformed));
        assert_eq!(Reader::new(&[0xff; 10]).varint(), None);
    }
}
