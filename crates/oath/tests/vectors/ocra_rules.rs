//! What RFC 6287 says beyond its vectors.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; the lint's exception covers only #[test] functions"
)]

use warifu_oath::ocra::{
    InputError, Inputs, Ocra, PinHash, Question, QuestionError, QuestionFormat, Response,
    ResponseForm, Suite, SuiteError,
};
use warifu_oath::{Algorithm, Generator, Period, Secret, TimeStep};

use super::{KEY_20, KEY_32};

fn ocra(suite: &str) -> Ocra {
    let secret = Secret::from_bytes(KEY_20).unwrap();
    Ocra::new(Suite::parse(suite).unwrap(), &secret)
}

fn respond(suite: &str, question: &str) -> Result<Response, InputError> {
    ocra(suite).respond(&Inputs::new(Question::One(question)))
}

#[test]
fn a_suite_tells_all_its_parts() {
    let text = "OCRA-1:HOTP-SHA512-10:C-QH40-PSHA256-S064-T48H";
    let suite: Suite = text.parse().unwrap();
    assert_eq!(suite.to_string(), text);
    assert_eq!(suite.algorithm(), Algorithm::Sha512);
    assert_eq!(suite.response(), ResponseForm::Digits(10));
    assert!(suite.has_counter());
    assert_eq!(suite.question().format(), QuestionFormat::Hexadecimal);
    assert_eq!(suite.question().max_len(), 40);
    assert_eq!(suite.pin(), Some(Algorithm::Sha256));
    assert_eq!(suite.session(), Some(64));
    assert_eq!(suite.period(), Period::from_seconds(172_800).ok());
}

#[test]
fn the_examples_of_the_rfc_are_suites() {
    for text in [
        "OCRA-1:HOTP-SHA512-8:C-QN08-PSHA1",
        "OCRA-1:HOTP-SHA256-6:QA10-T1M",
        "OCRA-1:HOTP-SHA1-4:QH8-S512",
        "OCRA-1:HOTP-SHA1-0:QN64-T59S",
    ] {
        assert!(Suite::parse(text).is_ok(), "{text}");
    }
}

#[test]
fn what_is_not_a_suite_is_refused_with_what_was_expected() {
    let cases = [
        ("", SuiteError::Parts),
        ("OCRA-1:HOTP-SHA1-6", SuiteError::Parts),
        ("OCRA-1:HOTP-SHA1-6:QN08:", SuiteError::Parts),
        ("OCRA-2:HOTP-SHA1-6:QN08", SuiteError::Version),
        ("ocra-1:HOTP-SHA1-6:QN08", SuiteError::Version),
        ("OCRA-1:TOTP-SHA1-6:QN08", SuiteError::Function),
        ("OCRA-1:HOTP-MD5-6:QN08", SuiteError::Function),
        ("OCRA-1:HOTP-SHA1:QN08", SuiteError::Function),
        ("OCRA-1:HOTP-SHA1-3:QN08", SuiteError::ResponseLength),
        ("OCRA-1:HOTP-SHA1-11:QN08", SuiteError::ResponseLength),
        ("OCRA-1:HOTP-SHA1-06:QN08", SuiteError::ResponseLength),
        ("OCRA-1:HOTP-SHA1-+6:QN08", SuiteError::ResponseLength),
        ("OCRA-1:HOTP-SHA1-6:", SuiteError::Question),
        ("OCRA-1:HOTP-SHA1-6:C", SuiteError::Question),
        ("OCRA-1:HOTP-SHA1-6:Q", SuiteError::Question),
        ("OCRA-1:HOTP-SHA1-6:QN03", SuiteError::Question),
        ("OCRA-1:HOTP-SHA1-6:QN65", SuiteError::Question),
        ("OCRA-1:HOTP-SHA1-6:QX08", SuiteError::Question),
        ("OCRA-1:HOTP-SHA1-6:Q割08", SuiteError::Question),
        ("OCRA-1:HOTP-SHA1-6:QN08-P", SuiteError::Pin),
        ("OCRA-1:HOTP-SHA1-6:QN08-S64", SuiteError::Session),
        ("OCRA-1:HOTP-SHA1-6:QN08-S000", SuiteError::Session),
        ("OCRA-1:HOTP-SHA1-6:QN08-S513", SuiteError::Session),
        ("OCRA-1:HOTP-SHA1-6:QN08-T", SuiteError::Time),
        ("OCRA-1:HOTP-SHA1-6:QN08-T0H", SuiteError::Time),
        ("OCRA-1:HOTP-SHA1-6:QN08-T60S", SuiteError::Time),
        ("OCRA-1:HOTP-SHA1-6:QN08-T49H", SuiteError::Time),
        ("OCRA-1:HOTP-SHA1-6:QN08-T1割", SuiteError::Time),
        ("OCRA-1:HOTP-SHA1-6:QN08-C", SuiteError::Input),
        ("OCRA-1:HOTP-SHA1-6:QN08-T1M-PSHA1", SuiteError::Input),
        ("OCRA-1:HOTP-SHA1-6:QN08-", SuiteError::Input),
    ];
    for (text, error) in cases {
        assert_eq!(Suite::parse(text), Err(error), "{text}");
    }
}

#[test]
fn an_input_must_be_given_exactly_when_the_suite_has_it() {
    let pin = PinHash::of(Algorithm::Sha1, b"1234");
    let bare = Inputs::new(Question::One("1234"));
    let full = Inputs {
        counter: Some(1),
        pin: Some(&pin),
        session: Some(&[1]),
        time: Some(TimeStep(1)),
        ..bare
    };
    let expected = Algorithm::Sha1;
    let all = "OCRA-1:HOTP-SHA1-6:C-QN08-PSHA1-S064-T1M";
    assert!(ocra(all).respond(&full).is_ok());

    let without = |inputs: Inputs<'_>, error: InputError| {
        assert_eq!(ocra(all).respond(&inputs).unwrap_err(), error);
    };
    let missing_session = InputError::SessionMissing { expected: 64 };
    without(
        Inputs {
            counter: None,
            ..full
        },
        InputError::CounterMissing,
    );
    without(
        Inputs { pin: None, ..full },
        InputError::PinMissing { expected },
    );
    without(
        Inputs {
            session: None,
            ..full
        },
        missing_session,
    );
    without(Inputs { time: None, ..full }, InputError::TimeMissing);

    let with = |inputs: Inputs<'_>, error: InputError| {
        let question_only = ocra("OCRA-1:HOTP-SHA1-6:QN08");
        assert_eq!(question_only.respond(&inputs).unwrap_err(), error);
    };
    with(
        Inputs {
            counter: full.counter,
            ..bare
        },
        InputError::CounterUnexpected,
    );
    with(
        Inputs {
            pin: full.pin,
            ..bare
        },
        InputError::PinUnexpected,
    );
    with(
        Inputs {
            session: full.session,
            ..bare
        },
        InputError::SessionUnexpected,
    );
    with(
        Inputs {
            time: full.time,
            ..bare
        },
        InputError::TimeUnexpected,
    );
}

#[test]
fn a_pin_hashed_with_another_hash_is_refused() {
    let pin = PinHash::of(Algorithm::Sha256, b"1234");
    let inputs = Inputs {
        pin: Some(&pin),
        ..Inputs::new(Question::One("1234"))
    };
    let expected = Algorithm::Sha1;
    let error = ocra("OCRA-1:HOTP-SHA1-6:QN08-PSHA1").respond(&inputs);
    assert_eq!(error.unwrap_err(), InputError::PinAlgorithm { expected });
}

#[test]
fn a_pin_hash_made_elsewhere_must_have_its_length_and_gives_the_same_response() {
    assert!(PinHash::from_bytes(Algorithm::Sha1, &[0; 19]).is_err());
    // The SHA-1 of `1234`, as printed in RFC 6287 appendix C.
    let bytes = [
        0x71, 0x10, 0xed, 0xa4, 0xd0, 0x9e, 0x06, 0x2a, 0xa5, 0xe4, 0xa3, 0x90, 0xb0, 0xa5, 0x72,
        0xac, 0x0d, 0x2c, 0x02, 0x20,
    ];
    let pin = PinHash::from_bytes(Algorithm::Sha1, &bytes).unwrap();
    let suite = Suite::parse("OCRA-1:HOTP-SHA256-8:QN08-PSHA1").unwrap();
    let ocra = Ocra::new(suite, &Secret::from_bytes(KEY_32).unwrap());
    let inputs = Inputs {
        pin: Some(&pin),
        ..Inputs::new(Question::One("00000000"))
    };
    assert_eq!(ocra.respond(&inputs).unwrap().as_str(), "83238735");
}

#[test]
fn a_short_session_is_padded_with_zeros_on_the_left() {
    let ocra = ocra("OCRA-1:HOTP-SHA1-6:QN08-S004");
    let respond = |session: &[u8]| {
        let inputs = Inputs {
            session: Some(session),
            ..Inputs::new(Question::One("1234"))
        };
        ocra.respond(&inputs)
            .map(|response| response.as_str().to_owned())
    };
    assert_eq!(respond(b"ab"), respond(b"\0\0ab"));
    assert_ne!(respond(b"ab"), respond(b"ab\0\0"));
    let error = InputError::SessionTooLong { expected: 4 };
    assert_eq!(respond(b"abcde"), Err(error));
}

#[test]
fn a_question_obeys_the_alphabet_and_the_length_of_the_suite() {
    let cases = [
        ("QN08", "", QuestionError::Empty { max: 8 }),
        ("QN08", "123456789", QuestionError::TooLong { max: 8 }),
        ("QN08", "1234567a", QuestionError::NotNumeric),
        ("QA08", "割符", QuestionError::NotAlphanumeric),
        ("QA08", "AB CD", QuestionError::NotAlphanumeric),
        ("QH08", "ABCDEFG", QuestionError::NotHexadecimal),
    ];
    for (rule, question, error) in cases {
        let response = respond(&format!("OCRA-1:HOTP-SHA1-6:{rule}"), question);
        assert_eq!(response.unwrap_err(), InputError::Question(error), "{rule}");
    }
}

#[test]
fn each_question_of_a_mutual_challenge_obeys_the_length_by_itself() {
    let ocra = ocra("OCRA-1:HOTP-SHA1-6:QA08");
    for (verifier, responder) in [("123456789", "1"), ("1", "123456789")] {
        let question = Question::Mutual {
            verifier,
            responder,
        };
        let error = InputError::Question(QuestionError::TooLong { max: 8 });
        assert_eq!(ocra.respond(&Inputs::new(question)).unwrap_err(), error);
    }
}

#[test]
fn hexadecimal_questions_have_no_case_and_fill_from_the_left() {
    let respond = |question: &str| {
        let response = respond("OCRA-1:HOTP-SHA1-0:QH40", question).unwrap();
        response.as_str().to_owned()
    };
    assert_eq!(respond("ABCDEF12"), respond("abcdef12"));
    assert_eq!(respond("ABC"), respond("ABC0"));
    assert_ne!(respond("ABC"), respond("0ABC"));
}

#[test]
fn without_truncation_the_response_is_the_whole_value_in_hexadecimal() {
    for (hash, len) in [("SHA1", 40), ("SHA256", 64), ("SHA512", 128)] {
        let response = respond(&format!("OCRA-1:HOTP-{hash}-0:QN08"), "1234").unwrap();
        assert_eq!(response.as_str().len(), len);
        assert!(response.matches(response.as_str()));
        assert!(response.to_code().is_err());
    }
}

#[test]
fn a_response_of_code_length_is_a_code_and_matches_only_itself() {
    let response = respond("OCRA-1:HOTP-SHA1-6:QN08", "00000000").unwrap();
    assert_eq!(response.to_code().unwrap().to_string(), "237653");
    assert!(response.matches("237653"));
    for other in ["237654", "0237653", "23765", ""] {
        assert!(!response.matches(other), "{other}");
    }
}

#[test]
fn nothing_secret_is_printed_for_debugging() {
    let secret = Secret::from_bytes(KEY_20).unwrap();
    let generator = Generator::new(&secret, Algorithm::Sha1, Default::default());
    let ocra = ocra("OCRA-1:HOTP-SHA1-6:QN08");
    let response = respond("OCRA-1:HOTP-SHA1-6:QN08", "00000000").unwrap();
    let pin = PinHash::of(Algorithm::Sha1, b"1234");
    let code = generator.hotp(0);
    let printed = format!("{secret:?} {generator:?} {ocra:?} {response:?} {pin:?} {code:?}");
    for secret in ["1234", "755224", "237653", "7110", "113"] {
        assert!(!printed.contains(secret), "{printed}");
    }
    assert_eq!(printed.matches("redacted").count(), 6);
}
