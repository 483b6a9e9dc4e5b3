//! Which keys are certainly not among some (a blocked Bloom filter: F. Putze, P. Sanders, J. Singler, "Cache-, hash- and
//! space-efficient Bloom filters", 2007): each key sets bits in one block of 64 bytes, so a look is one line of the cache.
//!
//! The keys are keyed digests ([`super::seconds::Key`]): whoever does not have the key cannot choose them, and every part of
//! one is as good as a hash.

use super::seconds::Key;

/// Bytes of a block.
const BLOCK: usize = 64;

/// Keys of a block: some ten bits each. Of keys that are not there, one in 160 is looked for in vain.
const KEYS: usize = 48;

/// Bits that a key sets.
const BITS: usize = 6;

/// The filter of some keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Filter(Box<[u8]>);

impl Filter {
    /// Of these keys.
    pub(crate) fn of<'a>(keys: impl ExactSizeIterator<Item = &'a Key>) -> Self {
        let blocks = keys.len().div_ceil(KEYS).max(1);
        let mut bytes = vec![0; blocks * BLOCK].into_boxed_slice();
        for key in keys {
            let block = block(key, blocks);
            for (byte, bit) in places(key) {
                if let Some(byte) = bytes.get_mut(block * BLOCK + byte) {
                    *byte |= bit;
                }
            }
        }
        Self(bytes)
    }

    /// As it was stored; none where no filter is so long.
    pub(crate) fn from_stored(bytes: Vec<u8>) -> Option<Self> {
        let whole = !bytes.is_empty() && bytes.len().is_multiple_of(BLOCK);
        whole.then(|| Self(bytes.into()))
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether a key may be there; `false` is certain.
    pub(crate) fn may_hold(&self, key: &Key) -> bool {
        let block = block(key, self.0.len() / BLOCK);
        places(key).all(|(byte, bit)| {
            self.0
                .get(block * BLOCK + byte)
                .is_none_or(|byte| byte & bit != 0)
        })
    }
}

/// By the last eight bytes: the first ones say in which slice a key is.
fn block(key: &Key, blocks: usize) -> usize {
    let [.., a, b, c, d] = *key;
    let part = u64::from(u32::from_be_bytes([a, b, c, d]));
    let blocks = u64::try_from(blocks).unwrap_or(1);
    usize::try_from((part * blocks) >> 32).unwrap_or(0)
}

/// Six places of nine bits each, in a block.
fn places(key: &Key) -> impl Iterator<Item = (usize, u8)> {
    let [_, _, _, _, a, b, c, d, e, f, g, h, ..] = *key;
    let mut part = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
    (0..BITS).map(move |_| {
        let place = part & 511;
        part >>= 9;
        (usize::try_from(place >> 3).unwrap_or(0), 1 << (place & 7))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn whatever_is_there_may_be_there(keys in proptest::collection::vec(any::<Key>(), 0..400)) {
            let filter = Filter::of(keys.iter());
            let again = Filter::from_stored(filter.as_bytes().to_vec()).unwrap();
            prop_assert!(keys.iter().all(|key| again.may_hold(key)));
        }
    }

    #[test]
    fn of_what_is_not_there_one_in_thirty_at_most_may_be() {
        let key = |number: u64| -> Key {
            let mut bytes = [0; 16];
            let mut state = number;
            for part in bytes.chunks_mut(8) {
                // SplitMix64: any even spread will do.
                state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
                let mut mixed = state;
                mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
                part.copy_from_slice(&(mixed ^ (mixed >> 31)).to_be_bytes());
            }
            bytes
        };
        let there: Vec<_> = (0..1_000).map(key).collect();
        let filter = Filter::of(there.iter());
        let absent = 1_000_000..1_010_000;
        let found = absent
            .filter(|number| filter.may_hold(&key(*number)))
            .count();
        assert!(found < 333, "{found} of 10,000");
    }

    #[test]
    fn what_no_filter_looks_like_is_refused() {
        assert_eq!(Filter::from_stored(Vec::new()), None);
        assert_eq!(Filter::from_stored(vec![0; 65]), None);
    }
}
