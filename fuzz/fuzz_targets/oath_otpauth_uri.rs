//! A key URI is read or refused; what is read comes back equal from what is written.
#![no_main]

use libfuzzer_sys::fuzz_target;
use warifu_oath::otpauth::KeyUri;

fuzz_target!(|text: &str| {
    if let Ok(key) = KeyUri::parse(text) {
        let written = key.to_uri();
        assert_eq!(KeyUri::parse(&written).as_ref(), Ok(&key));
    }
});
