//! token
fn main() {}
