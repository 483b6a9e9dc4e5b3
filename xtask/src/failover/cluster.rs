//! Three etcd, three PostgreSQL under Patroni, HAProxy before them.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use ureq::Agent;

use super::network::{NODES, Network, Node};
use super::place::{Place, Process, children, signal_to};
use crate::{packages, postgres, run};

/// How long Patroni's leader may be silent until another takes its place, seconds.
pub(super) const TTL: u64 = 10;
/// Patroni asks that `loop_wait` + 2 × `retry_timeout` is at most the ttl.
const LOOP_WAIT: u64 = 2;
const RETRY_TIMEOUT: u64 = 4;

/// How long the cluster is waited for.
const PATIENCE: Duration = Duration::from_secs(120);

/// The cluster.
pub(super) struct Cluster<'a> {
    place: &'a Place,
    network: Network,
    programs: PathBuf,
    agent: Agent,
    etcd: [Option<Process>; NODES],
    patroni: [Option<Process>; NODES],
    haproxy: Option<Process>,
}

/// The folder where all of PostgreSQL's programs are: what is in the path may be a link to one of them.
fn programs() -> Result<PathBuf> {
    let initdb = postgres::programs()?.join("initdb").canonicalize()?;
    let folder = initdb.parent().context("initdb is in no folder")?;
    Ok(folder.to_path_buf())
}

impl<'a> Cluster<'a> {
    /// Starts all of it and waits until it is whole.
    pub(super) fn start(place: &'a Place, network: Network) -> Result<Self> {
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(2)))
            .proxy(None)
            .build()
            .into();
        let mut cluster = Self {
            place,
            network,
            programs: programs()?,
            agent,
            etcd: [const { None }; NODES],
            patroni: [const { None }; NODES],
            haproxy: None,
        };
        for number in 0..NODES {
            cluster.start_etcd(number)?;
        }
        cluster.wait_for_etcd()?;
        for number in 0..NODES {
            cluster.start_patroni(number)?;
        }
        cluster.start_haproxy()?;
        cluster.wait_until_whole()?;
        Ok(cluster)
    }

    /// The nodes and their addresses.
    pub(super) fn network(&self) -> &Network {
        &self.network
    }

    /// Starts the etcd of a node, on what it kept.
    pub(super) fn start_etcd(&mut self, number: usize) -> Result<()> {
        let node = self.network.node(number)?;
        let (name, address) = (node.name(), &node.address);
        let clients = format!("http://{address}:{}", node.etcd);
        let peers = format!("http://{address}:{}", node.etcd_peers);
        let all: Vec<_> = self
            .network
            .nodes()
            .iter()
            .map(|node| {
                format!(
                    "{}=http://{}:{}",
                    node.name(),
                    node.address,
                    node.etcd_peers
                )
            })
            .collect();
        let folder = self.place.folder(&name)?;
        let mut etcd = self.place.unprivileged(&self.network.on(node), "etcd");
        etcd.args(["--name", &name, "--data-dir"])
            .arg(folder.join("etcd"))
            .args(["--listen-client-urls", &clients])
            .args(["--advertise-client-urls", &clients])
            .args(["--listen-peer-urls", &peers])
            .args(["--initial-advertise-peer-urls", &peers])
            .args(["--initial-cluster", &all.join(",")])
            .args([
                "--initial-cluster-state",
                "new",
                "--initial-cluster-token",
                "warifu-failover",
            ])
            .args([
                "--heartbeat-interval",
                "100",
                "--election-timeout",
                "1000",
                "--enable-v2",
            ])
            .args(["--logger", "zap", "--log-level", "warn"]);
        let process = self.place.start(&format!("etcd-{name}"), etcd)?;
        if let Some(place) = self.etcd.get_mut(number) {
            *place = Some(process);
        }
        Ok(())
    }

    /// Starts the Patroni of a node, and with it its PostgreSQL.
    pub(super) fn start_patroni(&mut self, number: usize) -> Result<()> {
        let node = self.network.node(number)?;
        let name = node.name();
        let folder = self.place.folder(&name)?;
        // JSON is YAML.
        let settings = folder.join("patroni.yml");
        let text = serde_json::to_vec_pretty(&self.settings(node, &folder.display().to_string()))?;
        std::fs::write(&settings, text)?;
        let mut patroni = self.place.unprivileged(&self.network.on(node), "patroni");
        patroni.arg(&settings).env("LC_ALL", "C.UTF-8");
        let process = self.place.start(&format!("patroni-{name}"), patroni)?;
        if let Some(place) = self.patroni.get_mut(number) {
            *place = Some(process);
        }
        Ok(())
    }

    fn settings(&self, node: &Node, folder: &str) -> Value {
        let hosts: Vec<_> = self
            .network
            .nodes()
            .iter()
            .map(|node| format!("{}:{}", node.address, node.etcd))
            .collect();
        let rest = format!("{}:{}", node.address, node.patroni);
        let database = format!("{}:{}", node.address, node.postgres);
        // Nobody but us is in this network, or a machine's own users for a minute.
        let user = |name: &str| json!({ "username": name, "password": "unused" });
        json!({
            "scope": "warifu",
            "name": node.name(),
            "restapi": { "listen": rest, "connect_address": rest },
            // Not etcd3: after a cut Patroni 3.0.2 puts its leader key back there without asking whether it is still its own.
            "etcd": { "hosts": hosts },
            "bootstrap": {
                "dcs": {
                    "ttl": TTL,
                    "loop_wait": LOOP_WAIT,
                    "retry_timeout": RETRY_TIMEOUT,
                    "maximum_lag_on_failover": 1_048_576,
                    "synchronous_mode": true,
                    "synchronous_mode_strict": true,
                    "failsafe_mode": true,
                    // A primary that was cut off does not wait for the replicas that it cannot reach.
                    "primary_stop_timeout": RETRY_TIMEOUT,
                    "postgresql": {
                        "use_pg_rewind": true,
                        "use_slots": true,
                        "parameters": {
                            "synchronous_commit": "on",
                            "fsync": "on",
                            "full_page_writes": "on",
                            "max_connections": 60,
                            "shared_buffers": "32MB",
                            "wal_keep_size": "256MB",
                            "max_wal_size": "512MB",
                        },
                    },
                },
                "initdb": [
                    { "encoding": "UTF8" }, { "locale": "C.UTF-8" }, "data-checksums",
                ],
            },
            "postgresql": {
                "listen": database,
                "connect_address": database,
                "bin_dir": self.programs,
                "data_dir": format!("{folder}/data"),
                "pgpass": format!("{folder}/pgpass"),
                "authentication": {
                    "superuser": user("postgres"),
                    "replication": user("replicator"),
                    "rewind": user("rewinder"),
                },
                "parameters": { "unix_socket_directories": folder },
                "pg_hba": [
                    "local all all trust",
                    "host all all 0.0.0.0/0 trust",
                    "host replication all 0.0.0.0/0 trust",
                ],
            },
            "watchdog": { "mode": "off" },
        })
    }

    /// Starts HAProxy: who answers 200 to `/primary` gets the connections, and whoever no longer does loses them.
    pub(super) fn start_haproxy(&mut self) -> Result<()> {
        let mut text = format!(
            "global\n  maxconn 500\ndefaults\n  mode tcp\n  retries 1\n  timeout connect 2s\n  timeout client 1h\n  timeout server 1h\n  timeout check 1s\n\
             listen postgres\n  bind 127.0.0.1:{}\n  option httpchk GET /primary\n  http-check expect status 200\n\
             \x20 default-server inter 500ms fastinter 250ms downinter 500ms fall 2 rise 1 on-marked-down shutdown-sessions\n",
            self.network.database
        );
        for node in self.network.nodes() {
            text.push_str(&format!(
                "  server {} {}:{} maxconn 100 check port {}\n",
                node.name(),
                node.address,
                node.postgres,
                node.patroni
            ));
        }
        let folder = self.place.folder("haproxy")?;
        let settings = folder.join("haproxy.cfg");
        std::fs::write(&settings, text)?;
        let mut haproxy = self.place.unprivileged(&[], packages::HAPROXY);
        haproxy.arg("-db").arg("-f").arg(&settings);
        self.haproxy = Some(self.place.start("haproxy", haproxy)?);
        Ok(())
    }

    /// Mends whatever a fault that went wrong may have left: cuts, what stands still, what does not run.
    pub(super) fn restore(&mut self) -> Result<()> {
        for number in 0..NODES {
            let node = self.network.node(number)?.clone();
            self.network.mend(&node)?;
            if self.etcd.get(number).is_some_and(Option::is_none) {
                self.start_etcd(number)?;
            }
            if self.patroni.get(number).is_some_and(Option::is_none) {
                self.start_patroni(number)?;
            }
            self.signal_patroni(number, "CONT")?;
        }
        if self.haproxy.is_none() {
            self.start_haproxy()?;
        }
        Ok(())
    }

    /// Ends HAProxy at once.
    pub(super) fn kill_haproxy(&mut self) -> Result<()> {
        self.haproxy.take().context("no HAProxy runs")?.kill()
    }

    /// Ends the etcd of a node at once.
    pub(super) fn kill_etcd(&mut self, number: usize) -> Result<()> {
        let etcd = self.etcd.get_mut(number).and_then(Option::take);
        etcd.context("no etcd runs there")?.kill()
    }

    /// Ends Patroni and PostgreSQL of a node at once, as a loss of power does.
    pub(super) fn kill_node(&mut self, number: usize) -> Result<()> {
        let patroni = self.patroni.get_mut(number).and_then(Option::take);
        let patroni = patroni.context("no Patroni runs there")?;
        let postmaster = self.postmaster(number)?;
        patroni.signal("STOP")?;
        let mut all = children(postmaster)?;
        all.insert(0, postmaster);
        let all: Vec<_> = all.iter().map(u32::to_string).collect();
        // One that has ended meanwhile is an error to `kill`, and none here.
        let _ = signal_to("KILL", &all);
        patroni.kill()
    }

    /// Sends a signal to the Patroni of a node.
    pub(super) fn signal_patroni(&self, number: usize, signal: &str) -> Result<()> {
        let patroni = self.patroni.get(number).and_then(Option::as_ref);
        patroni.context("no Patroni runs there")?.signal(signal)
    }

    fn postmaster(&self, number: usize) -> Result<u32> {
        let name = self.network.node(number)?.name();
        let path = self.place.file(&format!("{name}/data/postmaster.pid"));
        let text = std::fs::read_to_string(path)?;
        let first = text.lines().next().unwrap_or_default();
        first.parse().context("the number of the postmaster")
    }

    /// The node that is the primary by its own words.
    pub(super) fn primary(&self) -> Option<usize> {
        (0..NODES).find(|number| self.is_primary(*number))
    }

    /// Whether a node's Patroni says that it is the primary and may be written to.
    pub(super) fn is_primary(&self, number: usize) -> bool {
        self.ask(number, "/primary")
            .is_some_and(|(status, _)| status == 200)
    }

    /// The node that a commit waits for.
    pub(super) fn synchronous_standby(&self, primary: usize) -> Result<usize> {
        (0..NODES)
            .filter(|number| *number != primary)
            .find(|number| {
                self.ask(*number, "/synchronous")
                    .is_some_and(|(status, _)| status == 200)
            })
            .context("there is no synchronous standby")
    }

    fn ask(&self, number: usize, path: &str) -> Option<(u16, Value)> {
        let node = self.network.node(number).ok()?;
        let address = format!("http://{}:{}{path}", node.address, node.patroni);
        let mut answer = self.agent.get(&address).call().ok()?;
        let text = answer.body_mut().read_to_string().ok()?;
        let value = serde_json::from_str(&text).unwrap_or_default();
        Some((answer.status().as_u16(), value))
    }

    /// Waits until another node than this one is the primary and takes writes: Patroni says so a moment before it does, while
    /// it still may receive what the old one sends.
    pub(super) fn wait_for_another_primary(&self, old: usize) -> Result<usize> {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            let found = (0..NODES).find(|number| *number != old && self.is_primary(*number));
            if let Some(found) = found {
                let node = self.network.node(found)?;
                let recovers = self.sql_on(node, 3, "postgres", "SELECT pg_is_in_recovery()");
                if recovers.is_ok_and(|it| it == "f") {
                    return Ok(found);
                }
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        bail!("no other node took the place of node{}", old + 1)
    }

    fn wait_for_etcd(&mut self) -> Result<()> {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if self.etcd_is_whole() {
                return Ok(());
            }
            for etcd in self.etcd.iter_mut().flatten() {
                etcd.check()?;
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        bail!("etcd did not come up")
    }

    fn etcd_is_whole(&self) -> bool {
        self.network.nodes().iter().all(|node| {
            let address = format!("http://{}:{}/health", node.address, node.etcd);
            self.agent
                .get(&address)
                .call()
                .is_ok_and(|answer| answer.status() == 200)
        })
    }

    /// Waits until every etcd has a quorum, one node is the primary, and both others stream from it, one of them
    /// synchronously. Tells how long that took.
    pub(super) fn wait_until_whole(&mut self) -> Result<Duration> {
        let begun = Instant::now();
        let mut missing = String::new();
        while begun.elapsed() < PATIENCE {
            match self.what_is_missing() {
                None => return Ok(begun.elapsed()),
                Some(what) => missing = what,
            }
            let all = self.etcd.iter_mut().chain(&mut self.patroni);
            for process in all.chain([&mut self.haproxy]).flatten() {
                process.check()?;
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        bail!(
            "the cluster is not whole after {} s: {missing}",
            PATIENCE.as_secs()
        )
    }

    fn what_is_missing(&self) -> Option<String> {
        if !self.etcd_is_whole() {
            return Some("an etcd has no quorum".into());
        }
        let Some(primary) = self.primary() else {
            return Some("there is no primary".into());
        };
        for number in (0..NODES).filter(|number| *number != primary) {
            let state = self
                .ask(number, "/patroni")
                .map(|(_, state)| state)
                .unwrap_or_default();
            let replica = state.get("role").and_then(Value::as_str) == Some("replica")
                && state.get("state").and_then(Value::as_str) == Some("running");
            if !replica {
                return Some(format!("node{} is no running replica: {state}", number + 1));
            }
        }
        let (_, state) = self.ask(primary, "/patroni")?;
        let streams = state
            .get("replication")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default();
        let with = |name: &str, value: &str| {
            let is = |stream: &&Value| stream.get(name).and_then(Value::as_str) == Some(value);
            streams.iter().filter(is).count()
        };
        let whole = with("state", "streaming") == NODES - 1 && with("sync_state", "sync") == 1;
        (!whole).then(|| format!("the replicas do not stream yet: {streams:?}"))
    }

    /// What a statement gives, sent through HAProxy as the database's owner.
    pub(super) fn sql(&self, database: &str, sql: &str) -> Result<String> {
        let address = format!(
            "host=127.0.0.1 port={} dbname={database}",
            self.network.database
        );
        let mut psql = self.psql(&[], &address, sql);
        run::captured(&mut psql).map(|text| text.trim_end().to_owned())
    }

    /// The same on a node itself, from the node itself, given up after some seconds by a `kill -9` that cancels nothing.
    pub(super) fn sql_on(
        &self,
        node: &Node,
        seconds: u32,
        database: &str,
        sql: &str,
    ) -> Result<String> {
        let mut before = self.network.on(node);
        before.extend([
            "timeout".into(),
            "--signal=KILL".into(),
            format!("{seconds}s"),
        ]);
        let address = format!(
            "host={} port={} dbname={database}",
            node.address, node.postgres
        );
        let mut psql = self.psql(&before, &address, sql);
        run::captured(&mut psql).map(|text| text.trim_end().to_owned())
    }

    fn psql(&self, before: &[String], address: &str, sql: &str) -> std::process::Command {
        let mut psql = self.place.unprivileged(before, self.programs.join("psql"));
        psql.args(["--no-psqlrc", "--no-align", "--tuples-only", "--quiet"])
            .args(["--set", "ON_ERROR_STOP=1", "--dbname"])
            .arg(format!("{address} user=postgres connect_timeout=3"))
            .args(["--command", sql])
            .stdin(std::process::Stdio::null());
        psql
    }
}
