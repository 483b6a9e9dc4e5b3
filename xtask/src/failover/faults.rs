//! The faults: what is broken, how long, and how it is mended.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use clap::ValueEnum;

use super::bank::Bank;
use super::cluster::{Cluster, TTL};

/// What may break.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Fault {
    /// kill -9 of the primary's PostgreSQL and Patroni at once; they come back as a replica
    Kill,
    /// SIGSTOP of the primary's Patroni for longer than its ttl, then SIGCONT
    Stop,
    /// The primary is cut from the other nodes and etcd, not from the clients; commits that wait are cancelled
    Cut,
    /// The primary is cut from everybody
    CutOff,
    /// kill -9 of the synchronous standby's PostgreSQL and Patroni
    Standby,
    /// kill -9 of the etcd beside the primary
    OneEtcd,
    /// kill -9 of two etcd
    TwoEtcd,
    /// kill -9 of a warifu
    Warifu,
    /// kill -9 of HAProxy, and its start
    Haproxy,
}

/// Longer than the cluster needs to notice.
const LONG: Duration = Duration::from_secs(TTL + 5);

/// A write straight to a server that may no longer be written to.
const PROBE: &str = "INSERT INTO probe DEFAULT VALUES";

impl Fault {
    /// All of them, in the order of the table.
    pub(super) const ALL: [Self; 9] = [
        Self::Kill,
        Self::Stop,
        Self::Cut,
        Self::CutOff,
        Self::Standby,
        Self::OneEtcd,
        Self::TwoEtcd,
        Self::Warifu,
        Self::Haproxy,
    ];

    /// For the table.
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Kill => "kill -9 of the primary with its Patroni",
            Self::Stop => "Patroni of the primary stands still past its ttl",
            Self::Cut => "primary cut from nodes and etcd, not from clients; commits cancelled",
            Self::CutOff => "primary cut from everybody",
            Self::Standby => "kill -9 of the synchronous standby",
            Self::OneEtcd => "loss of one etcd, the primary's",
            Self::TwoEtcd => "loss of two etcd",
            Self::Warifu => "kill -9 of one warifu",
            Self::Haproxy => "kill -9 and start of HAProxy",
        }
    }

    /// Whether a node has to be cut off for it.
    pub(super) fn needs_a_cut(self) -> bool {
        matches!(self, Self::Cut | Self::CutOff)
    }

    /// Breaks it and mends it; what is to be said of it.
    pub(super) fn happen(self, cluster: &mut Cluster, bank: &mut Bank) -> Result<String> {
        let Some(primary) = cluster.primary() else {
            bail!("there is no primary to begin with");
        };
        match self {
            Self::Kill => {
                cluster.kill_node(primary)?;
                let new = cluster.wait_for_another_primary(primary)?;
                cluster.start_patroni(primary)?;
                Ok(moved(primary, new))
            }
            Self::Stop => stand_still(cluster, primary),
            Self::Cut => cut(cluster, primary, true),
            Self::CutOff => cut(cluster, primary, false),
            Self::Standby => {
                let standby = cluster.synchronous_standby(primary)?;
                cluster.kill_node(standby)?;
                std::thread::sleep(LONG);
                cluster.start_patroni(standby)?;
                stayed(cluster, primary)
            }
            Self::OneEtcd => without_etcd(cluster, primary, &[primary]),
            Self::TwoEtcd => {
                let others = cluster.network().nodes().iter().map(|node| node.number);
                let others: Vec<_> = others.filter(|it| *it != primary).collect();
                without_etcd(cluster, primary, &others)
            }
            Self::Warifu => {
                bank.kill(0)?;
                std::thread::sleep(Duration::from_secs(3));
                bank.start(0)?;
                stayed(cluster, primary)
            }
            Self::Haproxy => {
                cluster.kill_haproxy()?;
                std::thread::sleep(Duration::from_secs(1));
                cluster.start_haproxy()?;
                stayed(cluster, primary)
            }
        }
    }
}

fn stand_still(cluster: &Cluster, primary: usize) -> Result<String> {
    let begun = Instant::now();
    cluster.signal_patroni(primary, "STOP")?;
    let new = cluster.wait_for_another_primary(primary)?;
    let refused = take_no_write(cluster, primary)?;
    std::thread::sleep(LONG.saturating_sub(begun.elapsed()));
    cluster.signal_patroni(primary, "CONT")?;
    Ok(format!("{}; {refused}", moved(primary, new)))
}

fn cut(cluster: &Cluster, primary: usize, reached_by_clients: bool) -> Result<String> {
    let begun = Instant::now();
    let node = cluster.network().node(primary)?.clone();
    let mut said = String::new();
    if reached_by_clients {
        cluster.network().cut_from_nodes(&node)?;
        let cancelled = cancel_commits(cluster, primary);
        said = format!("{cancelled} commits cancelled; ");
    } else {
        cluster.network().cut_from_all(&node)?;
    }
    let new = cluster.wait_for_another_primary(primary)?;
    let refused = take_no_write(cluster, primary)?;
    std::thread::sleep(LONG.saturating_sub(begun.elapsed()));
    cluster.network().mend(&node)?;
    Ok(format!("{}; {said}{refused}", moved(primary, new)))
}

fn without_etcd(cluster: &mut Cluster, primary: usize, lost: &[usize]) -> Result<String> {
    for number in lost {
        cluster.kill_etcd(*number)?;
    }
    std::thread::sleep(LONG);
    let said = stayed(cluster, primary)?;
    for number in lost {
        cluster.start_etcd(*number)?;
    }
    Ok(said)
}

fn moved(old: usize, new: usize) -> String {
    format!("node{} → node{}", old + 1, new + 1)
}

fn stayed(cluster: &Cluster, primary: usize) -> Result<String> {
    if !cluster.is_primary(primary) {
        bail!(
            "node{} should still be the primary, and is not",
            primary + 1
        );
    }
    Ok(format!("node{} stays", primary + 1))
}

/// A write straight to the old primary must not be acknowledged, whether it still believes in itself or not.
fn take_no_write(cluster: &Cluster, old: usize) -> Result<String> {
    let node = cluster.network().node(old)?;
    match cluster.sql_on(node, 3, "postgres", PROBE) {
        Ok(_) => bail!(
            "node{} acknowledged a write beside the new primary",
            old + 1
        ),
        Err(error) => {
            let error = error.to_string();
            let how = if error.contains("read-only") {
                "is read-only"
            } else if error.contains("signal: 9") || error.contains("exit status: 137") {
                "lets a write wait for ever"
            } else {
                "answers nobody"
            };
            Ok(format!("the old one {how}"))
        }
    }
}

/// As an administrator does who sees statements hang: every commit that waits for its standby is cancelled. PostgreSQL then
/// says that it is committed, with a warning.
fn cancel_commits(cluster: &Cluster, primary: usize) -> u32 {
    const CANCEL: &str = "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity \
        WHERE wait_event = 'SyncRep' AND usename = 'warifu'";
    let mut cancelled = 0;
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(4) {
        // Patroni may have stopped the server by now.
        if let Ok(node) = cluster.network().node(primary)
            && let Ok(count) = cluster.sql_on(node, 3, "postgres", CANCEL)
        {
            cancelled += count.parse::<u32>().unwrap_or_default();
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    cancelled
}
