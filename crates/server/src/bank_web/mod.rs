//! The customer's pages (rules B1 to B18).
//!
//! Each handler parses its form, calls the bank and builds a page. What goes wrong in a way that no page of ours leads to
//! is a [`Failure`], written out by `layer` in the reader's language.

pub(crate) mod ask;
pub(crate) mod confirm;
pub(crate) mod failure;
pub(crate) mod layer;
mod profile;
mod routes;
pub(crate) mod say;
pub(crate) mod sign_in;
mod statement;
mod top;
mod transfer;
mod wizard;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

pub use failure::Failure;
pub use layer::TurnedAway;
pub use routes::{ROUTES, router};

use crate::ambient::Entropy;
use crate::bank::Bank;
use crate::http::Admission;

/// What every handler has at hand.
pub struct BankWeb {
    /// The bank.
    pub bank: Arc<Bank>,
    /// Random bytes.
    pub entropy: Arc<dyn Entropy>,
    /// Proxies whose word on the client's address is believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// How much of the customers is in work at once; the staff's pages are not counted.
    pub admission: Arc<Admission>,
    /// How long a form may take to arrive: a request that trickles in would hold its place for as long as it likes.
    pub form_time: Duration,
    /// What whoever is one too many reads, by language: rendered once.
    pub turned_away: TurnedAway,
}

impl std::fmt::Debug for BankWeb {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BankWeb(…)")
    }
}
