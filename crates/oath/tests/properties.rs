//! What holds for every input.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use warifu_oath::ocra::{Inputs, Ocra, Question, Suite};
use warifu_oath::otpauth::{KeyUri, Kind, Label};
use warifu_oath::{Algorithm, Code, Digits, Generator, Period, Secret, TimeStep, base32};

fn secrets() -> impl Strategy<Value = Secret> {
    vec(any::<u8>(), 1..=Secret::MAX_LEN)
        .prop_filter_map("1 to 128 bytes", |bytes| Secret::new(bytes).ok())
}

fn algorithms() -> impl Strategy<Value = Algorithm> {
    select(Algorithm::ALL.to_vec())
}

fn digits() -> impl Strategy<Value = Digits> {
    select(vec![Digits::SIX, Digits::SEVEN, Digits::EIGHT])
}

fn suites() -> impl Strategy<Value = String> {
    "OCRA-1:HOTP-SHA(1|256|512)-(0|[4-9]|10):(C-)?Q[ANH](0[4-9]|[1-5][0-9]|6[0-4])\
     (-PSHA(1|256|512))?(-S(0[0-9][1-9]|[1-4][0-9]{2}|50[0-9]))?(-T([1-9][SMH]|[1-4][0-8][SMH]))?"
}

fn key_uris() -> impl Strategy<Value = KeyUri> {
    let part = || r"[^\p{Cc}\p{Zs}:]([^\p{Cc}:]{0,20}[^\p{Cc}\p{Zs}:])?";
    let label = (option::of(part()), part()).prop_filter_map("a label", |(issuer, account)| {
        Label::new(issuer.as_deref(), &account).ok()
    });
    let totp = (1..=u32::MAX)
        .prop_filter_map("a period", |seconds| Period::from_seconds(seconds).ok())
        .prop_map(Kind::Totp);
    let kind = prop_oneof![totp, any::<u64>().prop_map(Kind::Hotp)];
    (kind, label, secrets(), algorithms(), digits()).prop_map(
        |(kind, label, secret, algorithm, digits)| KeyUri {
            kind,
            label,
            secret,
            algorithm,
            digits,
        },
    )
}

proptest! {
    #[test]
    fn parsing_any_text_never_panics(text in ".{0,200}") {
        let _ = Code::parse(&text);
        let _ = Suite::parse(&text);
        let _ = KeyUri::parse(&text);
        let _ = base32::decode(&text);
    }

    #[test]
    fn parsing_almost_a_key_uri_never_panics(
        label in ".{0,20}",
        query in "((secret|issuer|algorithm|digits|period|counter)=[A-Z0-9%+&=#]{0,20}&){0,6}",
    ) {
        let _ = KeyUri::parse(&format!("otpauth://totp/{label}?{query}"));
        let _ = KeyUri::parse(&format!("otpauth://hotp/{label}?{query}"));
    }

    #[test]
    fn a_key_uri_comes_back_equal_from_its_text(key in key_uris()) {
        let text = key.to_uri();
        let back = KeyUri::parse(&text).unwrap();
        prop_assert_eq!(&back, &key);
        prop_assert_eq!(back.to_uri(), text);
    }

    #[test]
    fn base32_comes_back_from_its_text_in_any_dress(bytes in vec(any::<u8>(), 0..200)) {
        let text = base32::encode(&bytes);
        let back = base32::decode(&text).unwrap();
        prop_assert_eq!(&*back, &bytes);
        let dressed: String = text.to_lowercase().chars().flat_map(|c| [c, ' ', '-']).collect();
        let back = base32::decode(&(dressed + "==")).unwrap();
        prop_assert_eq!(&*back, &bytes);
    }

    #[test]
    fn base32_that_is_read_is_written_back_without_its_dress(text in "[A-Za-z2-7 -]{0,40}={0,6}") {
        if let Ok(bytes) = base32::decode(&text) {
            let bare: String = text.chars().filter(char::is_ascii_alphanumeric).collect();
            let written = base32::encode(&bytes);
            prop_assert_eq!(&*written, &bare.to_uppercase());
        }
    }

    #[test]
    fn a_code_comes_back_equal_from_its_text(text in "[0-9]{6,8}") {
        let code = Code::parse(&text).unwrap();
        prop_assert_eq!(code.to_string(), text.as_str());
        prop_assert_eq!(usize::from(code.digits().get()), text.len());
    }

    #[test]
    fn a_code_has_the_asked_digits_and_ends_like_a_longer_one(
        secret in secrets(),
        algorithm in algorithms(),
        counter: u64,
    ) {
        let code = |digits| Generator::new(&secret, algorithm, digits).hotp(counter).to_string();
        let (six, seven, eight) = (code(Digits::SIX), code(Digits::SEVEN), code(Digits::EIGHT));
        prop_assert_eq!((six.len(), seven.len(), eight.len()), (6, 7, 8));
        prop_assert!(eight.ends_with(&seven) && seven.ends_with(&six));
    }

    #[test]
    fn a_search_finds_what_a_plain_comparison_finds(
        secret in secrets(),
        algorithm in algorithms(),
        step: i64,
        past in 0_u32..20,
        future in 0_u32..20,
        drift in -25_i64..25,
    ) {
        let generator = Generator::new(&secret, algorithm, Digits::SIX);
        let now = TimeStep(step);
        let code = generator.totp(now.offset(drift));
        let plain = now.window(past, future).find(|step| {
            generator.totp(*step).to_string() == code.to_string()
        });
        prop_assert_eq!(generator.find_step(&code, now.window(past, future)), plain);
    }

    #[test]
    fn a_step_contains_its_second(seconds: i64, period in 1..=u32::MAX) {
        let period = Period::from_seconds(period).unwrap();
        let start = TimeStep::from_unix_seconds(seconds, period).start_unix_seconds(period);
        let into_step = i128::from(seconds) - i128::from(start);
        prop_assert!((0..i128::from(period.seconds())).contains(&into_step));
    }

    #[test]
    fn every_suite_of_the_grammar_is_read_and_kept_as_written(text in suites()) {
        prop_assert_eq!(Suite::parse(&text).map(|suite| suite.to_string()), Ok(text));
    }

    #[test]
    fn responding_to_anything_never_panics(
        suite in suites(),
        secret in secrets(),
        question in "[0-9]{0,70}|[0-9A-Fa-f]{0,70}|.{0,70}",
        own in option::of("[0-9]{0,70}"),
        counter in option::of(any::<u64>()),
        session in option::of(vec(any::<u8>(), 0..520)),
        time in option::of(any::<i64>()),
    ) {
        let ocra = Ocra::new(Suite::parse(&suite).unwrap(), &secret);
        let question = match &own {
            Some(own) => Question::Mutual { verifier: &question, responder: own },
            None => Question::One(&question),
        };
        let inputs = Inputs {
            counter,
            session: session.as_deref(),
            time: time.map(TimeStep),
            ..Inputs::new(question)
        };
        let _ = ocra.respond(&inputs);
    }

    #[test]
    fn leading_zeros_do_not_change_a_decimal_question(number: u64) {
        let suite = Suite::parse("OCRA-1:HOTP-SHA1-0:QN64").unwrap();
        let ocra = Ocra::new(suite, &Secret::from_bytes(b"12345678901234567890").unwrap());
        let respond = |question: &str| {
            let response = ocra.respond(&Inputs::new(Question::One(question))).unwrap();
            response.as_str().to_owned()
        };
        prop_assert_eq!(respond(&format!("{number}")), respond(&format!("{number:064}")));
    }
}
