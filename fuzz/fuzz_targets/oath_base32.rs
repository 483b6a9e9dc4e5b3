//! Base32 and codes: what is read comes back equal from what is written.
#![no_main]

use libfuzzer_sys::fuzz_target;
use warifu_oath::{Code, base32};

fuzz_target!(|text: &str| {
    if let Ok(bytes) = base32::decode(text) {
        let written = base32::encode(&bytes);
        assert_eq!(base32::decode(&written).as_ref(), Ok(&bytes));
    }
    if let Ok(code) = Code::parse(text) {
        assert_eq!(code.to_string(), text);
    }
});
