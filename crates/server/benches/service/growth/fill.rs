//! Lays audit rows over a database, many times faster than validations would: they go the way of the service's own
//! (its chain, its streams, its index of requests), but no code is checked for them.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;
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
use crate::database::Prepared;
use crate::driver::Driven;
use crate::round::real;
use crate::used::Used;

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

/// What it came to, a million rows at a time.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Laid {
    /// Rows so far.
    pub(super) rows: u64,
    /// A second.
    pub(super) per_second: f64,
    /// CPU of this process and of PostgreSQL, µs a row.
    pub(super) cpu_us: f64,
    /// Bytes that this process had written to the disk, a row.
    pub(super) written: f64,
}

/// Lays at least `count` rows; how many there are.
pub(super) fn fill(
    runtime: &Runtime,
    prepared: Prepared,
    size: u32,
    count: u64,
    laid: &mut Vec<Laid>,
) -> Result<(Prepared, u64)> {
    let maker = Maker {
        ids: Arc::new(credentials::ids(size)),
        party: prepared.party,
        first: Timestamp::UNIX_EPOCH,
    };
    let mut rows = 0;
    let driven = Driven::open(prepared, size)?;
    while rows < count {
        let some = (count - rows).min(1_000_000).next_multiple_of(AT_ONCE);
        let one = million(runtime, &maker, &driven, rows, some)?;
        rows = one.rows;
        laid.push(one);
    }
    Ok((driven.close()?.0, rows))
}

fn million(
    runtime: &Runtime,
    maker: &Maker,
    driven: &Driven,
    first: u64,
    count: u64,
) -> Result<Laid> {
    let before = Used::here()?;
    let start = stopwatch();
    runtime.block_on(lay(maker, driven, first, count))?;
    let took = start.elapsed();
    let spent = Used::here()?.since(&before);
    let laid = Laid {
        rows: first + count,
        per_second: real(count) / took.as_secs_f64(),
        cpu_us: spent.cpu.as_secs_f64() * 1e6 / real(count),
        written: real(spent.written) / real(count),
    };
    println!(
        "  {:.1} million audit rows laid, {:.0}/s, {:.1} µs CPU, {:.0} B written",
        millions(laid.rows),
        laid.per_second,
        laid.cpu_us,
        laid.written
    );
    Ok(laid)
}

async fn lay(maker: &Maker, driven: &Driven, first: u64, count: u64) -> Result<()> {
    let mut running = JoinSet::new();
    let mut next = first;
    while next < first + count || !running.is_empty() {
        while next < first + count && running.len() < TRANSACTIONS {
            let events = maker.events(next);
            next += AT_ONCE;
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
    Ok(())
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
            // Not accepted: no step is spent here, and a verification would miss it in the credential.
            outcome: Outcome::Rejected,
            credential: usize::try_from(place)
                .ok()
                .and_then(|place| self.ids.get(place))
                .copied(),
            party: Some(self.party),
            detail: spent_to_stored(STEP, 0),
            request: Some(RequestDigest::new(request, credentials::second(number))),
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
