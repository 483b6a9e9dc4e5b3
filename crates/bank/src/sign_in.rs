//! How fast passwords may be tried (rule B17): delays that grow, and no lock that a stranger could turn on an owner for
//! good.
//!
//! A try is counted in its lanes before its password is looked at, and every lane must let it through. Who comes with a
//! browser in which this customer has signed in before has a lane of its own and no other: five tries, then delays from
//! 30 s up to an hour. Nobody else can close it: neither strangers nor whoever shares his address. Everybody else has
//! three:
//! - the pair of the typed ID and the network address: five tries, then delays from 30 s up to an hour;
//! - the typed ID from addresses where this customer has never signed in: twenty, then delays up to ten minutes. His
//!   usual address is not in this lane, so that a crowd of strangers does not keep him out;
//! - the address over all IDs: sixty, then delays up to an hour.
//!
//! IDs that do not exist have lanes all the same: nobody learns from a delay which ID exists. A right password clears
//! its lanes, and takes its own try back from that of the address.
//!
//! A customer who is signed in and is asked for his password again has one lane of his own.
//!
//! So has a contract for the codes of tokens that are not its own yet (B2, B6). Five wrong ones lock a token (S5), and one
//! that nobody has registered has no bank behind it that asks for a password first: without the lane one customer could
//! lock as many as he knows the IDs of. Right codes count in it too: ten of them, and then one an hour, are enough for
//! everybody who has tokens of his own.

use jiff::{SignedDuration, Timestamp};

/// What is counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// One ID from one address.
    Pair,
    /// One ID from addresses that are new to it.
    Strangers,
    /// One address over all IDs.
    Address,
    /// One ID from one browser in which this customer has signed in before.
    Browser,
    /// One contract's password, asked for again inside a session.
    Inside,
    /// One contract's codes of tokens that are not its own yet.
    NewToken,
}

impl Lane {
    /// Tries in a row that are free.
    #[must_use]
    pub fn free(self) -> i64 {
        match self {
            Self::Pair | Self::Browser | Self::Inside => 5,
            Self::NewToken => 10,
            Self::Strangers => 20,
            Self::Address => 60,
        }
    }

    /// The longest delay.
    #[must_use]
    pub fn longest(self) -> SignedDuration {
        match self {
            Self::Pair | Self::Address | Self::Browser | Self::Inside | Self::NewToken => {
                SignedDuration::from_hours(1)
            }
            Self::Strangers => SignedDuration::from_mins(10),
        }
    }

    /// The byte that keeps lanes apart in their stored names.
    #[must_use]
    pub fn tag(self) -> u8 {
        match self {
            Self::Pair => 1,
            Self::Strangers => 2,
            Self::Address => 3,
            Self::Browser => 4,
            Self::Inside => 5,
            Self::NewToken => 6,
        }
    }
}

/// When the next try is let through, after `failures` in a row of which the last was at `now`.
#[must_use]
pub fn closed_until(lane: Lane, failures: i64, now: Timestamp) -> Timestamp {
    let beyond = failures - lane.free();
    if beyond < 0 {
        return now;
    }
    let doublings = u32::try_from(beyond.min(20)).unwrap_or(20);
    let delay = SignedDuration::from_secs(30_i64 << doublings).min(lane.longest());
    now.checked_add(delay).unwrap_or(now)
}

/// A lane that was not used for this long begins anew.
pub const FORGOTTEN_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// A browser in which nobody signed in for this long is a stranger's again. It holds its cookie as long.
pub const BROWSER_KNOWN_FOR: SignedDuration = SignedDuration::from_hours(365 * 24);

/// Browsers that are known of one contract: the ones used last.
pub const BROWSERS_KNOWN: i64 = 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_tries_are_free_then_the_delay_doubles_up_to_an_hour() {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let delay = |failures| {
            closed_until(Lane::Pair, failures, now)
                .duration_since(now)
                .as_secs()
        };
        let delays: Vec<_> = (4..14).map(delay).collect();
        assert_eq!(delays, [0, 30, 60, 120, 240, 480, 960, 1920, 3600, 3600]);
        assert_eq!(delay(i64::MAX), 3600);
    }

    #[test]
    fn a_contract_names_ten_codes_of_new_tokens_at_once_and_then_one_an_hour() {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let delay = |failures| closed_until(Lane::NewToken, failures, now).duration_since(now);
        assert_eq!(delay(9), SignedDuration::ZERO);
        assert_eq!(delay(10), SignedDuration::from_secs(30));
        assert_eq!(delay(1_000), SignedDuration::from_hours(1));
    }

    #[test]
    fn strangers_close_an_id_to_strangers_for_ten_minutes_at_most() {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let delay = closed_until(Lane::Strangers, 1_000_000, now).duration_since(now);
        assert_eq!(delay, SignedDuration::from_mins(10));
    }
}
