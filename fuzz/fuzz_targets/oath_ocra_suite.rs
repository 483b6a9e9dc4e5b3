//! A suite is read or refused, is kept as written, and computes with any question.
#![no_main]

use libfuzzer_sys::fuzz_target;
use warifu_oath::ocra::{Inputs, Ocra, PinHash, Question, Suite};
use warifu_oath::{Secret, TimeStep};

fuzz_target!(|input: &str| {
    let (text, question) = input.split_once('\n').unwrap_or((input, "12345678"));
    let Ok(suite) = Suite::parse(text) else {
        return;
    };
    assert_eq!(suite.as_str(), text);

    let pin = suite.pin().map(|algorithm| PinHash::of(algorithm, b"1234"));
    let inputs = Inputs {
        counter: suite.has_counter().then_some(1),
        question: Question::One(question),
        pin: pin.as_ref(),
        session: suite.session().map(|_| b"s".as_slice()),
        time: suite.period().map(|_| TimeStep(1)),
    };
    let secret = Secret::from_bytes(b"12345678901234567890").expect("a valid length");
    if let Ok(response) = Ocra::new(suite, &secret).respond(&inputs) {
        assert!(response.matches(response.as_str()));
    }
});
