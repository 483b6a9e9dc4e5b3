//! The key URI and the base32 within it.

use warifu_oath::base32::{self, Base32Error};
use warifu_oath::otpauth::{KeyUri, KeyUriError, Kind, Label, LabelError};
use warifu_oath::{Algorithm, Code, CodeError, Digits, Period, Secret, SecretError};

const SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

#[test]
fn a_full_uri_is_read_and_written_back_unchanged() {
    let text = "otpauth://totp/Example%20Bank:1234567?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\
                &issuer=Example%20Bank&algorithm=SHA256&digits=8&period=60";
    let key: KeyUri = text.parse().unwrap();
    assert_eq!(key.kind, Kind::Totp(Period::from_seconds(60).unwrap()));
    assert_eq!(key.label.issuer(), Some("Example Bank"));
    assert_eq!(key.label.account(), "1234567");
    assert_eq!(key.secret.expose(), b"12345678901234567890");
    assert_eq!(key.algorithm, Algorithm::Sha256);
    assert_eq!(key.digits, Digits::EIGHT);
    assert_eq!(key.to_uri().as_str(), text);
}

#[test]
fn a_uri_with_only_a_secret_has_the_defaults_of_the_format() {
    let key = KeyUri::parse(&format!("otpauth://totp/account?secret={SECRET}")).unwrap();
    assert_eq!(key.kind, Kind::Totp(Period::DEFAULT));
    assert_eq!(key.label, Label::new(None, "account").unwrap());
    assert_eq!(key.algorithm, Algorithm::Sha1);
    assert_eq!(key.digits, Digits::SIX);
    assert_eq!(key.generator().hotp(0).to_string(), "755224");
}

#[test]
fn a_counter_key_carries_its_counter() {
    let text = format!("otpauth://hotp/account?secret={SECRET}&algorithm=SHA1&digits=6&counter=7");
    let key = KeyUri::parse(&text).unwrap();
    assert_eq!(key.kind, Kind::Hotp(7));
    assert_eq!(key.to_uri().as_str(), text);
}

#[test]
fn japanese_labels_are_written_in_percent_encoding_and_read_in_either_form() {
    let label = Label::new(Some("見本銀行"), "普通 1234567").unwrap();
    let encoded = "%E8%A6%8B%E6%9C%AC%E9%8A%80%E8%A1%8C";
    for issuer in ["見本銀行", encoded] {
        for colon in [":", "%3A", "%3a%20"] {
            let text = format!(
                "otpauth://totp/{issuer}{colon}普通%201234567?secret={SECRET}&issuer={issuer}"
            );
            assert_eq!(KeyUri::parse(&text).unwrap().label, label, "{text}");
        }
    }
    let text = format!("otpauth://totp/{encoded}:a?secret={SECRET}");
    let written = KeyUri::parse(&text).unwrap().to_uri();
    assert!(written.starts_with(&format!("otpauth://totp/{encoded}:a?")));
}

#[test]
fn what_other_issuers_write_is_read() {
    let spaced = "gezd-gnbv gy3t%20qojq GEZDGNBVGY3TQOJQ====";
    for text in [
        format!("OTPAUTH://TOTP/account?secret={SECRET}&algorithm=sha1"),
        format!("otpauth://totp/account?secret={spaced}&image=x&color"),
        format!("otpauth://totp/account?&issuer=&secret={SECRET}&counter=no"),
    ] {
        let key = KeyUri::parse(&text).unwrap();
        assert_eq!(key.secret.to_base32().as_str(), SECRET, "{text}");
    }
}

#[test]
fn the_issuer_comes_from_the_prefix_or_from_the_parameter() {
    for text in [
        "Bank:a?issuer=Bank&",
        "Bank:a?",
        "a?issuer=Bank&",
        "Bank:a?issuer=&",
    ] {
        let key = KeyUri::parse(&format!("otpauth://totp/{text}secret={SECRET}")).unwrap();
        assert_eq!(key.label.issuer(), Some("Bank"), "{text}");
    }
}

#[test]
fn what_is_not_a_key_uri_is_refused_with_what_was_expected() {
    let base32 = |error| KeyUriError::Secret(SecretError::Base32(error));
    let cases = [
        ("", KeyUriError::Scheme),
        ("https://totp/a?secret=AA", KeyUriError::Scheme),
        ("otpauth://totp", KeyUriError::Kind),
        ("otpauth://yotp/a?secret=AA", KeyUriError::Kind),
        ("otpauth://totp/a", KeyUriError::SecretMissing),
        (
            "otpauth://totp/a?secret",
            KeyUriError::Secret(SecretError::Empty),
        ),
        (
            "otpauth://totp/a?secret=A1",
            base32(Base32Error::Character(1)),
        ),
        (
            "otpauth://totp/?secret=AA",
            KeyUriError::Label(LabelError::Empty),
        ),
        (
            "otpauth://totp/:a?secret=AA",
            KeyUriError::Label(LabelError::Empty),
        ),
        (
            "otpauth://totp/a:b:c?secret=AA",
            KeyUriError::Label(LabelError::Character),
        ),
        (
            "otpauth://totp/a%0A?secret=AA",
            KeyUriError::Label(LabelError::Character),
        ),
        (
            "otpauth://totp/a%0Ab?secret=AA",
            KeyUriError::Label(LabelError::Character),
        ),
        (
            "otpauth://totp/A:a?secret=AA&issuer=B",
            KeyUriError::IssuerMismatch,
        ),
        ("otpauth://totp/a%2?secret=AA", KeyUriError::Encoding),
        ("otpauth://totp/a%+1?secret=AA", KeyUriError::Encoding),
        ("otpauth://totp/%FF?secret=AA", KeyUriError::Encoding),
        ("otpauth://totp/a?secret=AA#x", KeyUriError::Encoding),
        (
            "otpauth://totp/a?secret=AA&algorithm=MD5",
            KeyUriError::Algorithm,
        ),
        ("otpauth://totp/a?secret=AA&digits=9", KeyUriError::Digits),
        ("otpauth://totp/a?secret=AA&digits=+6", KeyUriError::Digits),
        ("otpauth://totp/a?secret=AA&period=0", KeyUriError::Period),
        (
            "otpauth://totp/a?secret=AA&period=4294967296",
            KeyUriError::Period,
        ),
        ("otpauth://hotp/a?secret=AA", KeyUriError::Counter),
        (
            "otpauth://hotp/a?secret=AA&counter=-1",
            KeyUriError::Counter,
        ),
        (
            "otpauth://totp/a?secret=AA&secret=AA",
            KeyUriError::Duplicate("secret"),
        ),
    ];
    for (text, error) in cases {
        assert_eq!(KeyUri::parse(text).unwrap_err(), error, "{text}");
    }
}

#[test]
fn the_vectors_of_rfc_4648_section_10_hold_without_their_padding() {
    let vectors = [
        ("", ""),
        ("f", "MY"),
        ("fo", "MZXQ"),
        ("foo", "MZXW6"),
        ("foob", "MZXW6YQ"),
        ("fooba", "MZXW6YTB"),
        ("foobar", "MZXW6YTBOI"),
    ];
    for (bytes, text) in vectors {
        assert_eq!(base32::encode(bytes.as_bytes()).as_str(), text);
        assert_eq!(base32::decode(text).unwrap().as_slice(), bytes.as_bytes());
        let padded = format!("{text:=<8}");
        assert_eq!(
            base32::decode(&padded).unwrap().as_slice(),
            bytes.as_bytes()
        );
    }
}

#[test]
fn what_is_not_base32_is_refused_with_its_place() {
    let cases = [
        ("MY0", Base32Error::Character(2)),
        ("割", Base32Error::Character(0)),
        ("MY======MY", Base32Error::PaddingInside(7)),
        ("MYA", Base32Error::Length),
        ("M", Base32Error::Length),
        ("MZ", Base32Error::TrailingBits),
    ];
    for (text, error) in cases {
        assert_eq!(base32::decode(text).unwrap_err(), error, "{text}");
    }
}

#[test]
fn a_secret_has_1_to_128_bytes() {
    assert_eq!(Secret::from_bytes(&[]), Err(SecretError::Empty));
    assert_eq!(Secret::from_base32("- =="), Err(SecretError::Empty));
    assert!(Secret::new(vec![7]).is_ok());
    assert!(Secret::new(vec![7; 128]).is_ok());
    assert_eq!(Secret::new(vec![7; 129]), Err(SecretError::TooLong(129)));
}

#[test]
fn a_code_is_6_to_8_ascii_digits_and_keeps_its_leading_zeros() {
    for text in ["000000", "0000001", "00000012", "99999999"] {
        assert_eq!(Code::parse(text).unwrap().to_string(), text);
    }
    for text in ["", "12345", "123456789"] {
        assert_eq!(Code::parse(text), Err(CodeError::Length), "{text}");
    }
    for text in ["12345a", " 123456", "+12345", "１２３４５６"] {
        assert_eq!(Code::parse(text), Err(CodeError::Character), "{text}");
    }
    assert_ne!(Code::parse("000001"), Code::parse("0000001"));
}
