//! SQLite only: which seconds the keys of some requests tell (docs/decisions/0038), so that a request is not looked for among
//! those of other times.

/// A request's digest.
pub(crate) type Key = [u8; 16];

/// Between which seconds the keys of some requests lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Seconds {
    /// There is no key.
    #[default]
    Nothing,
    /// Every key tells one: these, or some between them.
    All(Span),
    /// There are keys that tell none; the others, if there are any, tell these.
    Mixed(Option<Span>),
    /// Some may have been stored without the second that their keys tell.
    Unknown,
}

/// From one second to another, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    first: u32,
    last: u32,
}

impl Span {
    fn over(self, other: Self) -> Self {
        Self {
            first: self.first.min(other.first),
            last: self.last.max(other.last),
        }
    }

    /// Whether there is a second in both.
    pub(crate) fn overlaps(self, other: Self) -> bool {
        self.first <= other.last && other.first <= self.last
    }

    /// How many seconds lie between the first and the last.
    pub(crate) fn width(self) -> u32 {
        self.last - self.first
    }

    fn holds(self, second: u32) -> bool {
        (self.first..=self.last).contains(&second)
    }
}

impl Seconds {
    /// These, and what another key tells.
    pub(crate) fn and(self, second: Option<u32>) -> Self {
        self.with(second.map_or(Self::Mixed(None), |second| {
            Self::All(Span {
                first: second,
                last: second,
            })
        }))
    }

    /// These and others.
    pub(crate) fn with(self, others: Self) -> Self {
        match (self, others) {
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            (Self::Nothing, some) | (some, Self::Nothing) => some,
            (Self::All(one), Self::All(other)) => Self::All(one.over(other)),
            (one, other) => Self::Mixed(match (one.span(), other.span()) {
                (Some(one), Some(other)) => Some(one.over(other)),
                (one, other) => one.or(other),
            }),
        }
    }

    /// Whether a request may be among them; `false` is certain.
    pub(crate) fn may_hold(self, second: Option<u32>) -> bool {
        match (self, second) {
            (Self::Unknown, _) | (Self::Mixed(_), None) => true,
            (_, None) => false,
            (_, Some(second)) => self.span().is_some_and(|span| span.holds(second)),
        }
    }

    /// What every key tells, if every key does.
    pub(crate) fn all(self) -> Option<Span> {
        match self {
            Self::All(span) => Some(span),
            Self::Nothing | Self::Mixed(_) | Self::Unknown => None,
        }
    }

    /// The first and the last, as they are stored: the first is the greater where no key tells one. Whether every key does is not
    /// stored with them.
    pub(crate) fn to_stored(self) -> [Option<i64>; 2] {
        match (self, self.span()) {
            (Self::Unknown, _) => [None, None],
            (_, None) => [Some(1), Some(0)],
            (_, Some(span)) => [span.first, span.last].map(|second| Some(i64::from(second))),
        }
    }

    /// From what is stored; nothing is known from what no version of this program wrote.
    pub(crate) fn read(first: Option<i64>, last: Option<i64>, all: bool) -> Self {
        let second = |stored: Option<i64>| stored.and_then(|stored| u32::try_from(stored).ok());
        match (second(first), second(last)) {
            (Some(first), Some(last)) if first <= last => {
                let span = Span { first, last };
                if all {
                    Self::All(span)
                } else {
                    Self::Mixed(Some(span))
                }
            }
            (Some(1), Some(0)) => Self::Mixed(None),
            _ => Self::Unknown,
        }
    }

    fn span(self) -> Option<Span> {
        match self {
            Self::All(span) => Some(span),
            Self::Mixed(span) => span,
            Self::Nothing | Self::Unknown => None,
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
            let of = |seconds: &[Option<u32>]| seconds.iter().fold(Seconds::Nothing, |all, one| all.and(*one));
            let all = of(&one).with(of(&other));
            let keys: Vec<_> = one.iter().chain(&other).copied().collect();
            let within = match asked {
                None => keys.contains(&None),
                Some(asked) => {
                    keys.iter().flatten().any(|one| *one <= asked) && keys.iter().flatten().any(|one| *one >= asked)
                }
            };
            prop_assert_eq!(all.may_hold(asked), within);
            prop_assert!(all.with(Seconds::Unknown).may_hold(asked));
            let every = !keys.is_empty() && !keys.contains(&None);
            prop_assert_eq!(all.all().is_some(), every);
            if !keys.is_empty() {
                let [first, last] = all.to_stored();
                prop_assert_eq!(Seconds::read(first, last, every), all);
                // Who does not know that every key tells one looks for the others as well.
                let less = Seconds::read(first, last, false);
                prop_assert_eq!(less.may_hold(asked), within || asked.is_none());
            }
        }

        #[test]
        fn spans_overlap_where_a_second_is_in_both(one in (0..20_u32, 0..20_u32), other in (0..20_u32, 0..20_u32)) {
            let span = |(some, more)| Seconds::Nothing.and(Some(some)).and(Some(some + more)).all().unwrap();
            let (one, other) = (span(one), span(other));
            let both = (0..40).any(|second| one.holds(second) && other.holds(second));
            prop_assert_eq!(one.overlaps(other), both);
            prop_assert_eq!(other.overlaps(one), both);
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
            assert_eq!(Seconds::read(first, last, false), Seconds::Unknown);
            assert_eq!(Seconds::read(first, last, true), Seconds::Unknown);
        }
    }
}
