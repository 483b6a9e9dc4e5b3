//! RFC 6238 appendix B.

use warifu_oath::{Algorithm, Code, Digits, Generator, Period, TimeStep};

use super::{KEY_20, KEY_32, KEY_64};

/// Unix seconds, then the codes by SHA-1, SHA-256 and SHA-512.
const VECTORS: [(i64, [&str; 3]); 6] = [
    (59, ["94287082", "46119246", "90693936"]),
    (1_111_111_109, ["07081804", "68084774", "25091201"]),
    (1_111_111_111, ["14050471", "67062674", "99943326"]),
    (1_234_567_890, ["89005924", "91819424", "93441116"]),
    (2_000_000_000, ["69279037", "90698825", "38618901"]),
    (20_000_000_000, ["65353130", "77737706", "47863826"]),
];

#[test]
fn every_vector_of_rfc_6238_appendix_b_holds() {
    for (algorithm, key, column) in [
        (Algorithm::Sha1, KEY_20, 0),
        (Algorithm::Sha256, KEY_32, 1),
        (Algorithm::Sha512, KEY_64, 2),
    ] {
        let generator = Generator::from_bytes(key, algorithm, Digits::EIGHT).unwrap();
        for (seconds, codes) in VECTORS {
            let step = TimeStep::from_unix_seconds(seconds, Period::DEFAULT);
            let code = generator.totp(step).to_string();
            assert_eq!(code, codes[column], "{algorithm} at {seconds}");
        }
    }
}

#[test]
fn a_step_begins_at_its_first_second_and_ends_before_the_next() {
    let steps = [(-31, -2), (-30, -1), (-1, -1), (0, 0), (29, 0), (30, 1)];
    for (seconds, step) in steps {
        let found = TimeStep::from_unix_seconds(seconds, Period::DEFAULT);
        assert_eq!(found, TimeStep(step), "{seconds}");
    }
    assert_eq!(TimeStep(-2).start_unix_seconds(Period::DEFAULT), -60);
    assert_eq!(TimeStep(2).start_unix_seconds(Period::DEFAULT), 60);
}

#[test]
fn a_window_runs_from_the_past_to_the_future_and_stops_at_the_ends_of_time() {
    let steps = |step: i64| TimeStep(step).window(2, 1).map(|at| at.0);
    assert!(steps(5).eq([3, 4, 5, 6]));
    assert!(steps(i64::MAX).eq([i64::MAX - 2, i64::MAX - 1, i64::MAX]));
    assert!(steps(i64::MIN).eq([i64::MIN, i64::MIN + 1]));
}

#[test]
fn a_code_is_found_one_step_off_and_not_two() {
    let generator = Generator::from_bytes(KEY_32, Algorithm::Sha256, Digits::SIX).unwrap();
    let now = TimeStep(58_000_000);
    for drift in -3..=3 {
        let step = now.offset(drift);
        let found = generator.find_step(&generator.totp(step), now.window(1, 1));
        assert_eq!(found, (drift.abs() <= 1).then_some(step), "{drift}");
    }
}

#[test]
fn a_search_finds_the_first_of_two_equal_codes_also_before_1970() {
    let generator = Generator::from_bytes(KEY_20, Algorithm::Sha1, Digits::SIX).unwrap();
    let early = TimeStep(-7);
    let found = generator.find_step(&generator.totp(early), [TimeStep(3), early, early]);
    assert_eq!(found, Some(early));
}

#[test]
fn a_code_of_another_length_never_matches() {
    let generator = Generator::from_bytes(KEY_20, Algorithm::Sha1, Digits::EIGHT).unwrap();
    // The eight-digit code of 1111111109 begins with a zero, so seven digits have its value.
    let step = TimeStep::from_unix_seconds(1_111_111_109, Period::DEFAULT);
    let short: Code = "7081804".parse().unwrap();
    assert_eq!(generator.find_step(&short, [step]), None);
}
