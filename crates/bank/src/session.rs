//! Sessions (rule B15).

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// A session ends after this long without a request.
pub const IDLE: SignedDuration = SignedDuration::from_mins(10);

/// A session ends after this long, whatever it did.
pub const LONGEST: SignedDuration = SignedDuration::from_hours(12);

/// What a session may reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Everything.
    Full,
    /// The password was right; only the page that asks for the code.
    AwaitingCode,
    /// The password was right but must be changed first (F2); only that page.
    AwaitingNewPassword,
    /// ID and password were given for one wizard of the login page; only that wizard.
    Wizard(Wizard),
}

/// The wizards that begin on the login page with ID and password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wizard {
    /// ワンタイムパスワードの利用登録 (B2), which leads into the change of token where one is in use (B6).
    Registration,
    /// ワンタイムパスワードの利用停止 (B5)
    StopUse,
    /// トークンの変更 (B6)
    TokenChange,
    /// トークンの紛失・盗難 (B7)
    Loss,
}

/// Why a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// ログアウト, or a stage that was passed.
    LoggedOut,
    /// A newer login of the same contract.
    Replaced,
    /// The customer ended it from another one.
    EndedByCustomer,
    /// The staff, a stop, or a change of password or token.
    EndedByBank,
}

/// Why a session is good no longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expired {
    /// [`IDLE`]
    Idle,
    /// [`LONGEST`]
    TooLong,
}

/// Whether a session's time is over. One that was seen later than now, by more than clocks of several copies differ, was
/// seen by a clock that was ahead: nobody knows how long it has been idle, and it must not stay open until then.
#[must_use]
pub fn expired(created_at: Timestamp, seen_at: Timestamp, now: Timestamp) -> Option<Expired> {
    if now.duration_since(created_at) >= LONGEST {
        Some(Expired::TooLong)
    } else if now.duration_since(seen_at).abs() >= IDLE {
        Some(Expired::Idle)
    } else {
        None
    }
}

/// The secret in the browser's cookie: 256 random bits. Only its hash is stored.
#[derive(Clone)]
pub struct SessionSecret(Zeroizing<[u8; 32]>);

/// SHA-256 of a [`SessionSecret`]: the key of its row.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionKey(pub [u8; 32]);

impl SessionSecret {
    /// From random bytes.
    #[must_use]
    pub fn from_random(random: Zeroizing<[u8; 32]>) -> Self {
        Self(random)
    }

    /// From a cookie: 64 hexadecimal digits.
    #[must_use]
    pub fn from_cookie(text: &str) -> Option<Self> {
        if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let mut bytes = Zeroizing::new([0; 32]);
        for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
        }
        Some(Self(bytes))
    }

    /// For the cookie.
    #[must_use]
    pub fn to_cookie(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(64));
        for byte in self.0.iter() {
            for nibble in [byte >> 4, byte & 15] {
                text.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
            }
        }
        text
    }

    /// The secret of the session that follows this one, made with bytes that no browser knows: who knew the one does not
    /// know the other, and the same step taken twice leads to the same.
    #[must_use]
    pub fn followed_by(&self, secret: &[u8]) -> Self {
        let hash = Sha256::new()
            .chain_update(b"warifu session 1")
            .chain_update(self.0.as_slice())
            .chain_update(secret)
            .finalize();
        Self(Zeroizing::new(hash.into()))
    }

    /// The key of its row.
    #[must_use]
    pub fn key(&self) -> SessionKey {
        SessionKey(Sha256::digest(self.0.as_slice()).into())
    }
}

/// What tells a browser in which a customer signed in from a stranger's (B17): 256 random bits in a cookie of its own. It
/// opens nothing; it only names the lane in which its tries are counted.
#[derive(Debug, Clone)]
pub struct BrowserSecret(SessionSecret);

/// SHA-256 of a [`BrowserSecret`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BrowserKey(SessionKey);

impl BrowserSecret {
    /// From random bytes.
    #[must_use]
    pub fn from_random(random: Zeroizing<[u8; 32]>) -> Self {
        Self(SessionSecret::from_random(random))
    }

    /// From a cookie: 64 hexadecimal digits.
    #[must_use]
    pub fn from_cookie(text: &str) -> Option<Self> {
        SessionSecret::from_cookie(text).map(Self)
    }

    /// For the cookie.
    #[must_use]
    pub fn to_cookie(&self) -> Zeroizing<String> {
        self.0.to_cookie()
    }

    /// What is stored.
    #[must_use]
    pub fn key(&self) -> BrowserKey {
        BrowserKey(self.0.key())
    }
}

impl BrowserKey {
    /// For the database.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0.0
    }
}

impl std::fmt::Debug for SessionSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SessionSecret(…)")
    }
}

impl std::fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SessionKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_ends_idle_after_ten_minutes_and_always_after_twelve_hours() {
        let start = Timestamp::from_second(1_800_000_000).unwrap();
        let after = |duration: SignedDuration| start.checked_add(duration).unwrap();
        let moment = SignedDuration::from_micros(1);
        assert_eq!(expired(start, start, after(IDLE - moment)), None);
        assert_eq!(expired(start, start, after(IDLE)), Some(Expired::Idle));
        let busy = after(LONGEST - SignedDuration::from_mins(1));
        assert_eq!(expired(start, busy, after(LONGEST - moment)), None);
        assert_eq!(expired(start, busy, after(LONGEST)), Some(Expired::TooLong));
        // The clock was ten minutes ahead, or less.
        assert_eq!(
            expired(after(IDLE), after(IDLE), start),
            Some(Expired::Idle)
        );
        let soon = after(IDLE - moment);
        assert_eq!(expired(soon, soon, start), None);
    }

    #[test]
    fn a_cookie_gives_the_secret_back_and_the_row_holds_only_its_hash() {
        let secret = SessionSecret::from_random(Zeroizing::new([0xa5; 32]));
        let cookie = secret.to_cookie();
        assert_eq!(
            SessionSecret::from_cookie(&cookie).unwrap().key(),
            secret.key()
        );
        assert_ne!(secret.key().0, [0xa5; 32]);
        assert_eq!(format!("{secret:?}"), "SessionSecret(…)");
        for text in ["", "zz", &"g".repeat(64), &"a".repeat(63)] {
            assert!(SessionSecret::from_cookie(text).is_none());
        }
    }
}
