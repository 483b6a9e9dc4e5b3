//! Models beside the real thing: thousands of operations, each answer compared with a plain model's
//! (docs/decisions/0028).
//!
//! A case is a list of operations that is made from a seed and ends where an answer differs; it is then cut down to
//! what still differs, and printed with its seed. `WARIFU_MODEL_SEED` is the seed of the first case, and
//! `WARIFU_MODEL_CASES` how many follow each other.

mod bank;
mod drive;
mod token_service;
