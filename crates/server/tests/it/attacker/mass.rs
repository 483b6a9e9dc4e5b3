//! Tokens by the thousand: one address, however many connections and spellings it has, gets its burst and no more (S1).

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::harness::{Beginning, Client, Engine, Site};
use warifu_wire::Platform;

both_engines!(a_flood_of_provisionings_leaves_its_burst_and_keeps_nobody_else_out);

fn new_key() -> String {
    let request = Beginning::new().request(Platform::Cli);
    request.public_key.to_string()
}

async fn a_flood_of_provisionings_leaves_its_burst_and_keeps_nobody_else_out(engine: Engine) {
    let limits = "provision_burst = 5\nprovision_per_hour = 1\ntrusted_proxies = ['127.0.0.1']";
    let site = Site::with(engine, limits, "info", "");
    let server = site.serve();
    let made = AtomicUsize::new(0);
    let provision = |client: &mut Client, address: &str| {
        let reply = client.provision(&new_key(), &[("X-Forwarded-For", address)]);
        match reply.status {
            201 => made.fetch_add(1, Ordering::Relaxed),
            429 => 0,
            other => panic!("{other}"),
        };
        reply.status
    };
    // Eight connections at once: one address in its spellings, and one network's many addresses.
    std::thread::scope(|scope| {
        for lane in 0..8 {
            let (provision, server) = (&provision, &server);
            scope.spawn(move || {
                let mut client = server.client();
                for number in 0..10 {
                    let ipv4 = ["198.51.100.66", " 198.51.100.66 ", "::ffff:198.51.100.66"];
                    provision(&mut client, ipv4[number % 3]);
                    let ipv6 = format!("2001:db8:66:1:{lane:x}:{number:x}::1");
                    provision(&mut client, &ipv6);
                    // Whoever writes an address of his own before the proxy's is himself all the same.
                    provision(&mut client, &format!("203.0.113.{number}, 198.51.100.66"));
                }
            });
        }
    });
    assert_eq!(made.load(Ordering::Relaxed), 10, "five and five");
    assert_eq!(site.place.count("SELECT COUNT(*) FROM credentials"), 10);
    // Somebody else is served meanwhile.
    assert_eq!(provision(&mut server.client(), "203.0.113.5"), 201);
    site.require_whole();
}
