//! Enrols what a plan asks for, through the server's own door.

use std::fs::File;
use std::io::Write;
use std::sync::Mutex;
use std::time::Instant;

use anyhow::{Context, Result, anyhow};
use data_encoding::HEXLOWER;

use super::super::provision::Provisioner;
use super::plan::Server;

/// Enrolments under way at once.
const AT_ONCE: usize = 4;

struct Listing {
    file: File,
    count: usize,
    wanted: usize,
}

/// Brings the file of credentials to the number that the plan asks for.
pub(super) fn enrol(server: &Server) -> Result<()> {
    let path = &server.credentials;
    let present = match std::fs::read_to_string(path) {
        Ok(text) => text.lines().count(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => 0,
        Err(error) => return Err(error).with_context(|| format!("reading {}", path.display())),
    };
    let file = File::options().append(true).create(true).open(path);
    let listing = Mutex::new(Listing {
        file: file.with_context(|| format!("opening {}", path.display()))?,
        count: present,
        wanted: server.count,
    });
    let start = Instant::now();
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..AT_ONCE)
            .map(|_| scope.spawn(|| work(server, &listing)))
            .collect();
        workers
            .into_iter()
            .try_for_each(|worker| worker.join().map_err(|_| anyhow!("a worker is gone"))?)
    })?;
    let new = server.count.saturating_sub(present);
    let took = start.elapsed().as_secs_f64();
    println!("{}: {new} credentials enrolled in {took:.0} s", server.name);
    Ok(())
}

fn work(server: &Server, listing: &Mutex<Listing>) -> Result<()> {
    let mut provisioner = Provisioner::new(&server.adapter, &server.url)?;
    loop {
        let mut listing_now = listing.lock().map_err(|_| anyhow!("a worker failed"))?;
        if listing_now.count >= listing_now.wanted {
            return Ok(());
        }
        // Counted before it is there, so that no worker makes one too many.
        listing_now.count += 1;
        drop(listing_now);
        let credential = provisioner.next()?;
        let secret = HEXLOWER.encode(&credential.secret);
        let line = format!("{} {secret}\n", credential.id);
        let mut listing_now = listing.lock().map_err(|_| anyhow!("a worker failed"))?;
        listing_now.file.write_all(line.as_bytes())?;
    }
}
