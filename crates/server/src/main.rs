//! warifu
fn main() {}
