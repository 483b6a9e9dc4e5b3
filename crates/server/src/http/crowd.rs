//! How many connections one client has open at once: whoever opens as many as he can must not take everybody's place.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use prometheus_client::metrics::counter::Counter;

use super::ClientAddress;
use super::seldom::Seldom;

/// The open connections of one listener, by client.
#[derive(Debug)]
pub(super) struct Crowd {
    most: usize,
    exempt: Vec<IpAddr>,
    open: Mutex<HashMap<ClientAddress, usize>>,
    refused: Counter,
    log: Seldom,
}

/// A connection that is counted, unless its peer is exempt; it counts no more when this is dropped.
#[derive(Debug)]
pub(super) struct Member(Option<(Arc<Crowd>, ClientAddress)>);

impl Crowd {
    /// At most so many connections of one client at once. `exempt` speak for many clients: trusted proxies. This machine
    /// itself (`127.0.0.1`, `::1`) is exempt too: what comes from there is its proxy, its own load, or whoever runs it.
    pub(super) fn new(most: usize, exempt: &[IpAddr], refused: Counter) -> Arc<Self> {
        let this_machine = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
        Arc::new(Self {
            most,
            exempt: exempt
                .iter()
                .map(IpAddr::to_canonical)
                .chain(this_machine)
                .collect(),
            open: Mutex::default(),
            refused,
            log: Seldom::new(),
        })
    }

    /// Counts a connection; none when its client has as many as he may. The log is told once a second at most.
    pub(super) fn join(self: &Arc<Self>, peer: IpAddr) -> Option<Member> {
        let peer = peer.to_canonical();
        if self.exempt.contains(&peer) {
            return Some(Member(None));
        }
        let client = ClientAddress::new(peer);
        let mut open = self.open();
        let count = open.entry(client).or_insert(0);
        if *count < self.most {
            *count += 1;
            drop(open);
            return Some(Member(Some((Arc::clone(self), client))));
        }
        drop(open);
        let refused = self.refused.inc() + 1;
        if self.log.is_due() {
            tracing::warn!(
                %client,
                most = self.most,
                refused,
                "a client opens more connections than one may have: what is beyond is closed at once"
            );
        }
        None
    }

    fn open(&self) -> MutexGuard<'_, HashMap<ClientAddress, usize>> {
        // Nothing panics while it is held; were it otherwise, the counts are right all the same.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        let Some((crowd, client)) = &self.0 else {
            return;
        };
        let mut open = crowd.open();
        if let Some(count) = open.get_mut(client) {
            *count -= 1;
            if *count == 0 {
                open.remove(client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crowd(most: usize) -> Arc<Crowd> {
        let proxy: IpAddr = "192.0.2.9".parse().unwrap();
        Crowd::new(most, &[proxy], Counter::default())
    }

    fn join(crowd: &Arc<Crowd>, peer: &str) -> Option<Member> {
        crowd.join(peer.parse().unwrap())
    }

    #[test]
    fn one_client_has_so_many_and_another_has_his_own() {
        let crowd = crowd(2);
        let first = join(&crowd, "192.0.2.1");
        let _second = join(&crowd, "::ffff:192.0.2.1").unwrap();
        assert!(join(&crowd, "192.0.2.1").is_none());
        assert!(join(&crowd, "192.0.2.2").is_some());
        assert_eq!(crowd.refused.get(), 1);
        drop(first);
        assert!(join(&crowd, "192.0.2.1").is_some());
    }

    #[test]
    fn the_addresses_of_one_ipv6_network_are_one_client() {
        let crowd = crowd(2);
        let _open = [
            join(&crowd, "2001:db8:1:2::1").unwrap(),
            join(&crowd, "2001:db8:1:2:3:4:5:6").unwrap(),
        ];
        assert!(join(&crowd, "2001:db8:1:2::7").is_none());
        assert!(join(&crowd, "2001:db8:1:3::7").is_some());
    }

    #[test]
    fn trusted_proxies_and_this_machine_speak_for_many() {
        let crowd = crowd(1);
        for peer in ["192.0.2.9", "::ffff:192.0.2.9", "127.0.0.1", "::1"] {
            let open: Vec<_> = (0..9).map(|_| join(&crowd, peer).unwrap()).collect();
            assert_eq!(open.len(), 9, "{peer}");
        }
        assert_eq!(crowd.refused.get(), 0);
    }

    #[test]
    fn whoever_left_leaves_nothing_behind() {
        let crowd = crowd(3);
        let open: Vec<_> = (0..3).map(|_| join(&crowd, "192.0.2.1")).collect();
        assert_eq!(crowd.open().len(), 1);
        drop(open);
        assert!(crowd.open().is_empty());
    }
}
