//! SQLite only: which seconds the keys of some requests tell (docs/decisions/0038), so that a request is not looked for among
//! those of other times.

/// A request's digest.
pub(crate) type Key = [u8; 16];

/// Between which seconds the keys of some requests lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Seconds {
    /// No key tells one.
    #[default]
    None,
    /// The first and the last.
    Within(u32, u32),
    /// Some may have been stored without the second that their keys tell.
    Unknown,
}

impl Seconds {
    /// These, and what another key tells.
    pub(crate) fn and(self, second: Option<u32>) -> Self {
        self.with(second.map_or(Self::None, |second| Self::Within(second, second)))
    }

    /// These and others.
    pub(crate) fn with(self, others: Self) -> Self {
        match (self, others) {
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            (Self::None, some) | (some, Self::None) => some,
            (Self::Within(first, last), Self::Within(from, to)) => {
                Self::Within(first.min(from), last.max(to))
            }
        }
    }

    /// Whether a request may be among them; `false` is certain.
    pub(crate) fn may_hold(self, second: Option<u32>) -> bool {
        match (self, second) {
            (Self::Unknown, _) | (_, None) => true,
            (Self::None, Some(_)) => false,
            (Self::Within(first, last), Some(second)) => (first..=last).contains(&second),
        }
    }

    /// The first and the last, as they are stored.
    pub(crate) fn to_stored(self) -> [Option<i64>; 2] {
        match self {
            Self::None => [Some(1), Some(0)],
            Self::Within(first, last) => [first, last].map(|second| Some(i64::from(second))),
            Self::Unknown => [None, None],
        }
    }

    /// From what is stored; nothing is known from what no version of this program wrote.
    pub(crate) fn read(first: Option<i64>, last: Option<i64>) -> Self {
        let second = |stored: Option<i64>| stored.and_then(|stored| u32::try_from(stored).ok());
        match (second(first), second(last)) {
            (Some(first), Some(last)) if first <= last => Self::Within(first, last),
            (Some(1), Some(0)) => Self::None,
            _ => Self::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn second() -> impl Strategy<Value = Option<u32>> {
        prop_oneof![Just(None), (0..40_u32).prop_map(Some), Just(Some(u32::MAX))]
    }

    proptest! {
        #[test]
        fn whatever_is_among_some_may_be_among_them(
            one in proptest::collection::vec(second(), 0..8),
            other in proptest::collection::vec(second(), 0..8),
            asked in second(),
        ) {
            let of = |seconds: &[Option<u32>]| seconds.iter().fold(Seconds::None, |all, one| all.and(*one));
            let all = of(&one).with(of(&other));
            let [first, last] = all.to_stored();
            prop_assert_eq!(Seconds::read(first, last), all);
            let timed: Vec<_> = one.iter().chain(&other).flatten().collect();
            let within = asked.is_none_or(|asked| {
                timed.iter().any(|one| **one <= asked) && timed.iter().any(|one| **one >= asked)
            });
            prop_assert_eq!(all.may_hold(asked), within);
            prop_assert!(all.with(Seconds::Unknown).may_hold(asked));
        }
    }

    #[test]
    fn what_was_stored_otherwise_says_nothing() {
        for (first, last) in [
            (None, None),
            (Some(5), None),
            (Some(5), Some(4)),
            (Some(-1), Some(1)),
            (Some(0), Some(1 << 32)),
        ] {
            assert_eq!(Seconds::read(first, last), Seconds::Unknown);
        }
    }
}
