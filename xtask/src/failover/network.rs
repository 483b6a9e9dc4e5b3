//! Three nodes: in a network namespace each, joined by a bridge, so that one can be cut off; or all on loopback.

use anyhow::{Context, Result};

use crate::{ports, run};

/// How many nodes.
pub(super) const NODES: usize = 3;

/// A hardware address that nobody has: what is sent there is lost without a word.
const NOWHERE: &str = "02:00:00:00:00:ff";

/// The nodes and how they are reached.
pub(super) struct Network {
    namespaces: bool,
    nodes: Vec<Node>,
    /// Where HAProxy takes connections to the database.
    pub(super) database: u16,
}

/// A machine, in effect.
#[derive(Clone)]
pub(super) struct Node {
    /// Its number, from 0.
    pub(super) number: usize,
    /// Its address.
    pub(super) address: String,
    /// etcd, for those who ask it.
    pub(super) etcd: u16,
    /// etcd, among themselves.
    pub(super) etcd_peers: u16,
    /// PostgreSQL.
    pub(super) postgres: u16,
    /// Patroni's REST interface.
    pub(super) patroni: u16,
}

impl Node {
    /// `node1` …
    pub(super) fn name(&self) -> String {
        format!("node{}", self.number + 1)
    }
}

/// Whether network namespaces can be made here.
pub(super) fn namespaces_possible() -> bool {
    let mut try_it = run::program("unshare");
    try_it.args(["--net", "--mount", "ip", "link", "set", "lo", "up"]);
    run::captured(&mut try_it).is_ok()
}

impl Network {
    /// All on loopback, on ports that nobody listens on.
    pub(super) fn loopback() -> Result<Self> {
        let mut ports = ports::free::<{ NODES * 4 + 1 }>()?.into_iter();
        let mut next = || ports.next().context("not so many free ports");
        let mut nodes = Vec::new();
        for number in 0..NODES {
            nodes.push(Node {
                number,
                address: "127.0.0.1".to_owned(),
                etcd: next()?,
                etcd_peers: next()?,
                postgres: next()?,
                patroni: next()?,
            });
        }
        Ok(Self {
            namespaces: false,
            nodes,
            database: next()?,
        })
    }

    /// A namespace for each node beside the one that we are in, which must be one of our own: nothing of it is the
    /// machine's, and all of it is gone with its last process.
    pub(super) fn namespaces() -> Result<Self> {
        run::captured(run::program("mount").args(["-t", "tmpfs", "warifu-failover", "/run/netns"]))
            .or_else(|_| {
                std::fs::create_dir_all("/run/netns")?;
                run::captured(run::program("mount").args([
                    "-t",
                    "tmpfs",
                    "warifu-failover",
                    "/run/netns",
                ]))
            })?;
        ip("link set lo up")?;
        ip("link add hub type bridge")?;
        ip("addr add 10.77.0.254/24 dev hub")?;
        ip("link set hub up")?;
        let mut nodes = Vec::new();
        for number in 0..NODES {
            let node = Node {
                number,
                address: format!("10.77.0.{}", number + 1),
                etcd: 2379,
                etcd_peers: 2380,
                postgres: 5432,
                patroni: 8008,
            };
            let name = node.name();
            ip(&format!("netns add {name}"))?;
            ip(&format!(
                "link add to-{name} type veth peer name eth0 netns {name}"
            ))?;
            ip(&format!("link set to-{name} master hub up"))?;
            ip(&format!("-n {name} link set lo up"))?;
            ip(&format!("-n {name} addr add {}/24 dev eth0", node.address))?;
            ip(&format!("-n {name} link set eth0 up"))?;
            nodes.push(node);
        }
        Ok(Self {
            namespaces: true,
            nodes,
            database: 5000,
        })
    }

    /// The nodes.
    pub(super) fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// A node.
    pub(super) fn node(&self, number: usize) -> Result<&Node> {
        self.nodes.get(number).context("no such node")
    }

    /// The words before a program that runs on a node.
    pub(super) fn on(&self, node: &Node) -> Vec<String> {
        if self.namespaces {
            vec![
                "nsenter".to_owned(),
                format!("--net=/run/netns/{}", node.name()),
                "--".to_owned(),
            ]
        } else {
            Vec::new()
        }
    }

    /// Cuts a node off from the other nodes; HAProxy, and so the clients, reach it still. What is sent gets lost, as behind
    /// a switch that is broken: nobody is told.
    pub(super) fn cut_from_nodes(&self, node: &Node) -> Result<()> {
        self.neighbours(node, |from, to| {
            ip(&format!(
                "-n {} neigh replace {} lladdr {NOWHERE} dev eth0 nud permanent",
                from.name(),
                to.address
            ))
        })
    }

    /// Cuts a node off from everybody.
    pub(super) fn cut_from_all(&self, node: &Node) -> Result<()> {
        self.port(node, "disabled")
    }

    /// Takes both cuts back.
    pub(super) fn mend(&self, node: &Node) -> Result<()> {
        if !self.namespaces {
            return Ok(());
        }
        self.port(node, "forwarding")?;
        self.neighbours(node, |from, to| {
            // There is none where it was cut off from everybody.
            let _ = ip(&format!(
                "-n {} neigh del {} dev eth0",
                from.name(),
                to.address
            ));
            Ok(())
        })
    }

    fn neighbours(&self, node: &Node, work: impl Fn(&Node, &Node) -> Result<()>) -> Result<()> {
        for other in self.nodes.iter().filter(|it| it.number != node.number) {
            work(node, other)?;
            work(other, node)?;
        }
        Ok(())
    }

    fn port(&self, node: &Node, state: &str) -> Result<()> {
        let mut bridge = run::program("bridge");
        bridge.args(["link", "set", "dev", &format!("to-{}", node.name())]);
        run::captured(bridge.args(["state", state])).map(drop)
    }
}

fn ip(words: &str) -> Result<()> {
    run::captured(run::program("ip").args(words.split(' '))).map(drop)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_programs_get_one_port() {
        let network = Network::loopback().unwrap();
        let ports = network
            .nodes()
            .iter()
            .flat_map(|node| [node.etcd, node.etcd_peers, node.postgres, node.patroni]);
        let ports: BTreeSet<_> = ports.chain([network.database]).collect();
        assert_eq!(ports.len(), NODES * 4 + 1);
    }
}
