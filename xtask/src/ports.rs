//! Ports for programs that are told theirs before they listen.

use std::net::TcpListener;

use anyhow::{Context, Result};

/// Where systems leave ports alone: outgoing connections take theirs from 32,768 on (Linux) or above.
const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;

/// Different ports of loopback that nobody listens on, and that no outgoing connection takes meanwhile.
pub(crate) fn free<const N: usize>() -> Result<[u16; N]> {
    let mut held = Vec::with_capacity(N);
    for _ in 0..10_000 {
        if held.len() == N {
            break;
        }
        let mut random = [0; 2];
        getrandom::fill(&mut random).map_err(|error| anyhow::anyhow!("{error}"))?;
        let port = FIRST + u16::from_ne_bytes(random) % COUNT;
        // Held until all are found, so that none comes twice.
        if let Ok(listener) = TcpListener::bind(("127.0.0.1", port)) {
            held.push((port, listener));
        }
    }
    let ports: Vec<_> = held.iter().map(|(port, _)| *port).collect();
    ports.try_into().ok().context("not so many free ports")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    #[test]
    fn free_ports_are_different_and_none_is_one_that_outgoing_connections_take() {
        let ports = super::free::<200>().unwrap();
        assert_eq!(BTreeSet::from(ports).len(), 200);
        assert!(ports.iter().all(|port| (20_000..32_000).contains(port)));
    }
}
