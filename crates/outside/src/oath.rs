//! Texts of other people's tokens.

use warifu_oath::ocra::{Inputs, Ocra, PinHash, Question, Suite};
use warifu_oath::otpauth::KeyUri;
use warifu_oath::{Code, Secret, TimeStep, base32 as encoding};

/// Base32 and codes: what is read comes back equal from what is written.
pub(crate) fn base32(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(bytes) = encoding::decode(text) {
        let written = encoding::encode(&bytes);
        assert_eq!(encoding::decode(&written).as_ref(), Ok(&bytes));
    }
    if let Ok(code) = Code::parse(text) {
        assert_eq!(code.to_string(), text);
    }
}

/// A suite is read or refused, is kept as written, and computes with any question: the suite is the first line.
pub(crate) fn ocra_suite(bytes: &[u8]) {
    let Ok(input) = std::str::from_utf8(bytes) else {
        return;
    };
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
    let secret = Secret::from_bytes(b"12345678901234567890");
    assert!(secret.is_ok(), "a valid length");
    let Ok(secret) = secret else { return };
    if let Ok(response) = Ocra::new(suite, &secret).respond(&inputs) {
        assert!(response.matches(response.as_str()));
    }
}

/// A key URI is read or refused; what is read comes back equal from what is written.
pub(crate) fn otpauth_uri(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(key) = KeyUri::parse(text) {
        let written = key.to_uri();
        assert_eq!(KeyUri::parse(&written).as_ref(), Ok(&key));
    }
}
