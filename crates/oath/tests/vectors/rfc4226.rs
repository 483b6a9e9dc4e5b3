//! RFC 4226 appendix D.

use warifu_oath::{Algorithm, Digits, Generator};

use super::KEY_20;

/// The truncated values of counters 0 to 9 in decimal, before the reduction to digits.
const TRUNCATED: [u32; 10] = [
    1_284_755_224,
    1_094_287_082,
    137_359_152,
    1_726_969_429,
    1_640_338_314,
    868_254_676,
    1_918_287_922,
    82_162_583,
    673_399_871,
    645_520_489,
];

const CODES: [&str; 10] = [
    "755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871",
    "520489",
];

#[test]
fn every_vector_of_rfc_4226_appendix_d_holds() {
    let generator = Generator::from_bytes(KEY_20, Algorithm::Sha1, Digits::SIX).unwrap();
    for (counter, code) in (0..).zip(CODES) {
        assert_eq!(generator.hotp(counter).to_string(), code, "{counter}");
    }
}

#[test]
fn more_digits_show_more_of_the_truncated_value_of_rfc_4226_appendix_d() {
    for digits in [Digits::SEVEN, Digits::EIGHT] {
        let generator = Generator::from_bytes(KEY_20, Algorithm::Sha1, digits).unwrap();
        let width = usize::from(digits.get());
        for (counter, value) in (0..).zip(TRUNCATED) {
            let tail = format!("{value:010}").split_off(10 - width);
            assert_eq!(generator.hotp(counter).to_string(), tail, "{counter}");
        }
    }
}

#[test]
fn a_counter_is_found_within_the_look_ahead_and_not_beyond() {
    let generator = Generator::from_bytes(KEY_20, Algorithm::Sha1, Digits::SIX).unwrap();
    let code = CODES[7].parse().unwrap();
    assert_eq!(generator.find_counter(&code, 3..=9), Some(7));
    assert_eq!(generator.find_counter(&code, 3..=6), None);
    assert_eq!(generator.find_counter(&code, 8..=9), None);
    assert_eq!(generator.find_counter(&code, []), None);
}
