//! The tokens and contracts that `warifu bench prepare` made: whoever has its file can make their codes. Written here once more,
//! so that the judge does not share the accused's code.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, anyhow};
use data_encoding::HEXLOWER;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::race::{Algorithm, Totp, totp_code};

const TOTP: Totp = Totp {
    algorithm: Algorithm::Sha256,
    digits: 6,
    period: 30,
};

/// How many IDs each kind of token has, and how many of them are in one lot.
const IDS: u64 = 260_000_000;
const LOT: u64 = 10_000_000;
/// What the sample IDs are apart.
const STRIDE: u64 = 99_999_989;

/// Damm's table of order ten: the check digit of an ID.
const DAMM: [&[u8; 10]; 10] = [
    b"0317598642",
    b"7092154863",
    b"4206871359",
    b"1750983426",
    b"6123045978",
    b"3674209581",
    b"5869720134",
    b"8945362017",
    b"9438617205",
    b"2581436790",
];

/// What `bench prepare` wrote down.
#[derive(Deserialize)]
pub(super) struct Sample {
    seed: String,
    /// The API key of the relying party that has codes checked.
    pub(super) api_key: String,
    /// The password of every contract.
    pub(super) password: String,
    /// How many credentials there are; the first ones are tokens of contracts.
    pub(super) credentials: u32,
    /// How many contracts.
    pub(super) contracts: u32,
    /// The bank's code.
    pub(super) bank: String,
}

/// A token of whom it is known which code was shown last.
pub(super) struct Token {
    /// Its number.
    pub(super) number: u32,
    /// Its ID.
    pub(super) id: String,
    secret: Vec<u8>,
    last: u64,
}

impl Sample {
    /// Reads the file.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
        Ok(serde_json::from_str(&text)?)
    }

    /// The token of this number.
    pub(super) fn token(&self, number: u32) -> Result<Token> {
        let place = u64::from(number) * STRIDE % IDS;
        let seed = HEXLOWER
            .decode(self.seed.as_bytes())
            .map_err(|error| anyhow!("the seed: {error}"))?;
        let mut hash = Sha256::new();
        hash.update(b"warifu benchmark");
        hash.update(seed);
        hash.update((2 * IDS + place).to_be_bytes());
        Ok(Token {
            number,
            id: id(place)?,
            secret: hash.finalize().to_vec(),
            last: 0,
        })
    }
}

/// The ID of this place among those of the command line's tokens.
fn id(place: u64) -> Result<String> {
    let lot = char::from(b'A' + u8::try_from(place / LOT)?);
    let digits = format!("{:07}", place % LOT);
    let check = digits.bytes().try_fold(0, |interim, digit| {
        let row = DAMM.get(interim)?;
        Some(usize::from(row.get(usize::from(digit - b'0'))? - b'0'))
    });
    Ok(format!("WRC{lot}{digits}{}", check.context("digits")?))
}

/// The time step now.
pub(super) fn now() -> Result<u64> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs() / TOTP.period)
}

impl Token {
    /// Whether it shows a code that nobody has seen yet.
    pub(super) fn is_fresh(&self, now: u64) -> bool {
        self.last < now
    }

    /// The code that it shows, if nobody has seen it yet. A code that its neighbours have too is passed over: it could not be
    /// told which of them was spent.
    pub(super) fn show(&mut self, now: u64) -> Result<Option<String>> {
        if !self.is_fresh(now) {
            return Ok(None);
        }
        self.last = now;
        let code = totp_code(&TOTP, &self.secret, now)?;
        for other in (now - 3..=now + 3).filter(|step| *step != now) {
            if totp_code(&TOTP, &self.secret, other)? == code {
                return Ok(None);
            }
        }
        Ok(Some(code))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Sample {
        Sample {
            seed: "00".repeat(32),
            api_key: String::new(),
            password: String::new(),
            credentials: 10,
            contracts: 5,
            bank: "9999".to_owned(),
        }
    }

    #[test]
    fn an_id_ends_in_its_check_digit() {
        assert_eq!(id(0).unwrap(), "WRCA00000000");
        // 5724 is the published example of the check digit.
        assert_eq!(id(572).unwrap(), "WRCA00005724");
        assert_eq!(id(LOT).unwrap(), "WRCB00000000");
    }

    #[test]
    fn a_token_shows_each_code_once() {
        let mut token = sample().token(3).unwrap();
        let first = token.show(1000).unwrap();
        assert_eq!(first.map(|code| code.len()), Some(6));
        assert_eq!(token.show(1000).unwrap(), None);
        assert!(token.show(1001).unwrap().is_some());
    }
}
