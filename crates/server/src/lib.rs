//! The edge of Warifu: configuration, HTTP, pages, database, metrics and the command line.
//!
//! A request goes route → handler → service → rule → store → answer, and never back up. Handlers parse, load, call the
//! rule and render; rules live in `warifu-credentials`.

pub mod ambient;
pub mod config;
pub mod database;
pub mod http;
pub mod metrics;
pub mod service;
pub mod store;
pub mod token_api;
