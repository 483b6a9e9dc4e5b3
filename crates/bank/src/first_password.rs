//! The password that the bank prints for a new contract (rule F2).

use jiff::SignedDuration;
use zeroize::Zeroizing;

/// Letters and digits that nobody takes for one another on paper: 32 of them, so that each holds five random bits.
const ALPHABET: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";

/// How long a printed password holds.
pub const HOLDS_FOR: SignedDuration = SignedDuration::from_hours(24 * 30);

/// Sixteen characters in groups of four (80 random bits): `7K3M-9QX2-VDTR-4HWP`.
#[must_use]
pub fn first_password(random: &[u8; 16]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(19));
    for (place, byte) in random.iter().enumerate() {
        if place > 0 && place % 4 == 0 {
            text.push('-');
        }
        let letter = ALPHABET
            .get(usize::from(byte & 31))
            .copied()
            .unwrap_or(b'2');
        text.push(char::from(letter));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_printed_password_has_sixteen_clear_characters() {
        let random: [u8; 16] = std::array::from_fn(|index| u8::try_from(index * 17).unwrap());
        let text = first_password(&random);
        assert_eq!(text.len(), 19);
        assert!(!text.contains(['0', 'O', '1', 'I']));
        assert_eq!(text.split('-').count(), 4);
        assert_ne!(text, first_password(&[3; 16]));
    }
}
