#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| warifu_outside::run("api_body", bytes));
