//! Lays audit rows over a database, many times faster than validations would: they go the way of the service's own
//! (its chain, its streams, its index of requests), but no code is checked for them.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use warifu::ambient::stopwatch;
use warifu::store::audit;
use warifu_credentials::TimeStep;
use warifu_credentials::audit::{Event, Kind, Outcome};
use warifu_credentials::credential_id::CredentialId;
use warifu_credentials::party::PartyId;
use warifu_credentials::record::spent_to_stored;
use warifu_credentials::request::{Fingerprint, RequestDigest};

use super::millions;
use crate::Result;
use crate::credentials::{self, PURPOSE};
use crate::driver::Driven;
use crate::round::real;

/// Rows of one transaction.
const AT_ONCE: u64 = 2_000;

/// Transactions at once: as many as the machine has cores for, on PostgreSQL.
const TRANSACTIONS: usize = 3;

/// The step that these rows say was spent: older than every step that a round spends.
const STEP: TimeStep = TimeStep(50_000_000);

/// What makes rows, each another one.
#[derive(Clone)]
struct Maker {
    ids: Arc<Vec<CredentialId>>,
    party: PartyId,
    first: Timestamp,
}

/// Fills a trail up to a number of rows.
pub(super) struct Filler {
    maker: Maker,
    filled: u64,
}

impl Filler {
    pub(super) fn new(driven: &Driven, size: u32) -> Self {
        Self {
            maker: Maker {
                ids: Arc::new(credentials::ids(size)),
                party: driven.prepared.party,
                first: Timestamp::UNIX_EPOCH,
            },
            filled: 0,
        }
    }

    /// How many rows came from here.
    pub(super) fn filled(&self) -> u64 {
        self.filled
    }

    /// Fills up to `goal` rows in all; how many a second, over the last million; none when the trail is that long already.
    pub(super) fn fill(
        &mut self,
        runtime: &Runtime,
        driven: &Driven,
        goal: u64,
    ) -> Result<Option<f64>> {
        let mut last = None;
        let mut missing = goal.saturating_sub(super::rows(&driven.prepared.location)?);
        while missing > 0 {
            let some = missing.min(1_000_000);
            let start = stopwatch();
            let filled = runtime.block_on(self.some(driven, some))?;
            let rate = real(filled) / start.elapsed().as_secs_f64();
            println!(
                "  {:.1} million audit rows laid, the last million at {rate:.0}/s",
                millions(self.filled)
            );
            missing = missing.saturating_sub(filled);
            last = Some(rate);
        }
        Ok(last)
    }

    async fn some(&mut self, driven: &Driven, count: u64) -> Result<u64> {
        let goal = self.filled + count;
        let before = self.filled;
        let mut running = JoinSet::new();
        while self.filled < goal || !running.is_empty() {
            while self.filled < goal && running.len() < TRANSACTIONS {
                let events = self.maker.events(self.filled);
                self.filled += AT_ONCE;
                let database = driven.database();
                let chain = driven.prepared.chain.clone();
                running.spawn(async move {
                    database
                        .write(move |tx| audit::append(tx, &chain, &events))
                        .await
                });
            }
            if let Some(done) = running.join_next().await {
                done??;
            }
        }
        Ok(self.filled - before)
    }
}

impl Maker {
    fn events(&self, first: u64) -> Vec<Event> {
        (first..first + AT_ONCE)
            .map(|number| self.event(number))
            .collect()
    }

    fn event(&self, number: u64) -> Event {
        let place = mix(number) % u64::try_from(self.ids.len().max(1)).unwrap_or(1);
        let request = bytes(mix(number ^ (1 << 62)), mix(number ^ (1 << 63)));
        let micros = i64::try_from(number).unwrap_or_default();
        Event {
            outcome: Outcome::Accepted,
            credential: usize::try_from(place)
                .ok()
                .and_then(|place| self.ids.get(place))
                .copied(),
            party: Some(self.party),
            detail: spent_to_stored(STEP, 0),
            request: Some(RequestDigest(request)),
            fingerprint: Some(Fingerprint(bytes(mix(number ^ (3 << 61)), number))),
            note: PURPOSE.to_owned(),
            ..Event::new(
                self.first + jiff::SignedDuration::from_micros(micros),
                Kind::Validated,
            )
        }
    }
}

fn bytes(left: u64, right: u64) -> [u8; 16] {
    ((u128::from(left) << 64) | u128::from(right)).to_be_bytes()
}

/// As good as random, and another number for each (the finaliser of `SplitMix64`).
fn mix(number: u64) -> u64 {
    let mut mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
