//! The edge of Warifu: configuration, HTTP, pages, database, metrics and the command line.
//!
//! A request goes route → handler → service → rule → store → answer, and never back up. Handlers parse, load, call the
//! rule and render; rules live in `warifu-credentials`.

pub mod ambient;
pub mod audit_trail;
pub mod bank;
pub mod bank_directory;
pub mod bank_sample;
pub mod bank_store;
pub mod bank_verify;
pub mod bank_web;
pub mod bench;
pub mod cli;
pub mod config;
pub mod database;
pub mod http;
pub mod lan;
pub mod letter;
pub mod logging;
pub mod mail;
pub mod metrics;
pub mod otp_link;
pub mod passwords;
pub mod service;
pub mod staff_web;
pub mod startup;
pub mod store;
pub mod token_api;
mod token_app;
pub mod web;
