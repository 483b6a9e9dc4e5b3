//! One round: so many connections, so long, one server.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};

use super::super::answer::{self, Meaning};
use super::super::http::{self, Values};
use super::super::rounds::Keys;
use super::super::totp;
use super::credentials::Credentials;
use super::plan::Server;
use super::{cpu, process_id};

/// What a round found.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// Of accepted codes, sorted.
    pub(super) latencies: Vec<Duration>,
    /// Answers other than "accepted", and how many of each.
    pub(super) others: BTreeMap<String, usize>,
    pub(super) elapsed: Duration,
    /// The CPU time of each named process and its descendants.
    pub(super) cpu: BTreeMap<String, Duration>,
}

/// Loads a server.
pub(super) fn run(
    server: &Server,
    credentials: &Credentials,
    connections: usize,
    length: Duration,
) -> Result<Outcome> {
    credentials.wait(&server.adapter.totp)?;
    let keys = Keys::new()?;
    let before = used(server)?;
    let start = Instant::now();
    let deadline = start + length;
    let parts = std::thread::scope(|scope| {
        let callers: Vec<_> = (0..connections)
            .map(|_| scope.spawn(|| call(server, credentials, &keys, deadline)))
            .collect();
        callers
            .into_iter()
            .map(|caller| caller.join().map_err(|_| anyhow!("a caller is gone"))?)
            .collect::<Result<Vec<_>>>()
    })?;
    let elapsed = start.elapsed();
    let mut outcome = Outcome {
        elapsed,
        ..Outcome::default()
    };
    for (latencies, others) in parts {
        outcome.latencies.extend(latencies);
        for (what, count) in others {
            *outcome.others.entry(what).or_default() += count;
        }
    }
    outcome.latencies.sort_unstable();
    for (name, after) in used(server)? {
        let earlier = before.get(&name).copied().unwrap_or_default();
        outcome.cpu.insert(name, after.saturating_sub(earlier));
    }
    Ok(outcome)
}

fn used(server: &Server) -> Result<BTreeMap<String, Duration>> {
    let processes = server.processes.iter();
    processes
        .map(|(name, path)| Ok((name.clone(), cpu::used(process_id(path)?)?)))
        .collect()
}

type Part = (Vec<Duration>, BTreeMap<String, usize>);

/// One connection: a code, its answer, the next code, until the time or the codes are over.
fn call(
    server: &Server,
    credentials: &Credentials,
    keys: &Keys,
    deadline: Instant,
) -> Result<Part> {
    let (adapter, agent) = (&server.adapter, http::agent());
    let (mut latencies, mut others) = (Vec::new(), BTreeMap::new());
    while Instant::now() < deadline {
        let (step, _) = totp::now(&adapter.totp)?;
        let Some(credential) = credentials.claim(step) else {
            break;
        };
        let code = totp::code(&adapter.totp, &credential.secret, step)?;
        let key = keys.next();
        let values = Values::from([
            ("id", credential.id.as_str()),
            ("code", code.as_str()),
            ("key", key.as_str()),
        ]);
        let request = adapter.validate.fill(&values)?;
        let sent = Instant::now();
        let reply = request.send(&agent, &server.url);
        let latency = sent.elapsed();
        let said = match reply {
            Err(error) => format!("no answer: {error:#}"),
            Ok(reply) => match answer::meaning(&adapter.answer, reply.status, &reply.body) {
                Some(Meaning::Accepted) => {
                    latencies.push(latency);
                    continue;
                }
                Some(meaning) => format!("{meaning:?}"),
                None => format!("status {}", reply.status),
            },
        };
        *others.entry(said).or_default() += 1;
    }
    Ok((latencies, others))
}

impl Outcome {
    /// Accepted codes a second.
    pub(super) fn rate(&self) -> f64 {
        count(self.latencies.len()) / self.elapsed.as_secs_f64()
    }

    /// The latency in milliseconds that so many of a hundred accepted codes do not exceed.
    pub(super) fn percentile(&self, percent: usize) -> Option<f64> {
        let rank = (self.latencies.len() * percent).div_ceil(100);
        let latency = self.latencies.get(rank.checked_sub(1)?)?;
        Some(latency.as_secs_f64() * 1e3)
    }

    /// The CPU time in milliseconds that a process used for one accepted code.
    pub(super) fn cpu_each(&self, process: &str) -> Option<f64> {
        let used = self.cpu.get(process)?.as_secs_f64() * 1e3;
        (!self.latencies.is_empty()).then(|| used / count(self.latencies.len()))
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (accepted, seconds) = (self.latencies.len(), self.elapsed.as_secs_f64());
        write!(f, "{accepted} in {seconds:.2} s, {:.1}/s", self.rate())?;
        for percent in [50, 99] {
            if let Some(latency) = self.percentile(percent) {
                write!(f, ", p{percent} {latency:.2} ms")?;
            }
        }
        for process in self.cpu.keys() {
            if let Some(each) = self.cpu_each(process) {
                write!(f, ", {process} {each:.3} ms")?;
            }
        }
        for (what, count) in &self.others {
            write!(f, ", {count} times {what}")?;
        }
        Ok(())
    }
}

/// A count as a number to divide by.
fn count(number: usize) -> f64 {
    u32::try_from(number).map_or(f64::INFINITY, f64::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_by_nearest_rank() {
        let milliseconds = 1..=200;
        let outcome = Outcome {
            latencies: milliseconds.map(Duration::from_millis).collect(),
            elapsed: Duration::from_secs(4),
            cpu: [("server".to_owned(), Duration::from_secs(1))].into(),
            ..Outcome::default()
        };
        assert_eq!(outcome.percentile(50), Some(100.0));
        assert_eq!(outcome.percentile(99), Some(198.0));
        assert_eq!(outcome.cpu_each("server"), Some(5.0));
        assert!((outcome.rate() - 50.0).abs() < 1e-9);
        assert_eq!(Outcome::default().percentile(99), None);
    }
}
