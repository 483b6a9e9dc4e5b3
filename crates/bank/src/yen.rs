//! Money: whole yen (rule M1).

use std::fmt;

/// An amount of whole yen; below zero where money leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Yen(pub i64);

impl Yen {
    /// No money.
    pub const ZERO: Self = Self(0);

    /// The most that one entry may move, yen: twelve digits, as in the trailer of a Zengin file.
    pub const MOST: Self = Self(999_999_999_999);

    /// The sum, or `None` beyond 64 bits.
    #[must_use]
    pub fn plus(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// The difference, or `None` beyond 64 bits.
    #[must_use]
    pub fn minus(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// The same amount the other way, or `None` beyond 64 bits.
    #[must_use]
    pub fn negated(self) -> Option<Self> {
        self.0.checked_neg().map(Self)
    }

    /// What a person typed: digits, ASCII or full-width, with or without grouping commas, spaces, `¥` and `円`; at least
    /// one yen and at most [`Yen::MOST`].
    #[must_use]
    pub fn typed(text: &str) -> Option<Self> {
        let mut digits = String::new();
        for letter in text.trim().chars() {
            match letter {
                '0'..='9' => digits.push(letter),
                '０'..='９' => digits.push(char::from_u32(u32::from(letter) - 0xff10 + 0x30)?),
                ',' | '，' | '、' | ' ' | '\u{3000}' | '¥' | '￥' | '円' => {}
                _ => return None,
            }
        }
        let amount = digits.parse().ok().map(Self)?;
        (amount >= Self(1) && amount <= Self::MOST).then_some(amount)
    }
}

/// With a comma at every third digit and no unit: `1,234,567`.
impl fmt::Display for Yen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 < 0 {
            f.write_str("-")?;
        }
        let digits = self.0.unsigned_abs().to_string();
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && (digits.len() - index).is_multiple_of(3) {
                f.write_str(",")?;
            }
            write!(f, "{digit}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_shown_in_groups_of_three() {
        for (yen, shown) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (-1_234_567, "-1,234,567"),
            (i64::MIN, "-9,223,372,036,854,775,808"),
        ] {
            assert_eq!(Yen(yen).to_string(), shown);
        }
    }

    #[test]
    fn what_people_type_is_understood_and_nothing_else() {
        for text in ["10000", "10,000", "１０，０００", " ¥10,000 ", "10000円"] {
            assert_eq!(Yen::typed(text), Some(Yen(10_000)), "{text}");
        }
        for text in [
            "",
            "0",
            "-1",
            "1.5",
            "1e3",
            "万",
            "1000000000000",
            "99999999999999999999",
        ] {
            assert_eq!(Yen::typed(text), None, "{text}");
        }
    }
}
