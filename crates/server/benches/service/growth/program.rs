//! The program from outside: how long a start takes, and a verification of the whole trail.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Stdio;
use std::time::Duration;

use serde::Serialize;
use warifu::ambient::{Clock as _, SystemClock, stopwatch};
use warifu::audit_trail::append_checkpoint;
use warifu::database::Connection;
use warifu::service::secrets::ServiceSecrets;
use warifu::store::audit;

use super::millions;
use crate::Result;
use crate::credentials::{PURPOSE, ids};
use crate::database::Prepared;
use crate::machine::highest_kib;
use crate::site::Site;

/// One start.
#[derive(Debug, Default, Serialize)]
pub(super) struct Start {
    /// Seconds until it listens.
    pub(super) listening_s: f64,
    /// Seconds until it answered a validation: by then everything that memory holds is read back.
    pub(super) answered_s: f64,
    /// Its resident memory then, KiB.
    pub(super) kib: u64,
}

/// One verification of a whole trail.
#[derive(Debug, Default, Serialize)]
pub(super) struct Verify {
    /// How long it took.
    pub(super) seconds: f64,
    /// Its largest resident memory, KiB.
    pub(super) kib: u64,
}

/// Starts the program, asks for one validation of a code that is most likely wrong, and ends it with `kill -9`.
pub(super) fn start(site: &Site) -> Result<Start> {
    let begin = stopwatch();
    let serving = site.serve()?;
    let listening_s = begin.elapsed().as_secs_f64();
    let id = ids(1).into_iter().next().ok_or("no credential")?;
    let body = format!("{{\"code\":\"000000\",\"purpose\":\"{PURPOSE}\"}}");
    let mut stream = TcpStream::connect(serving.address)?;
    // Another name for each start.
    let name = SystemClock.now().as_microsecond();
    write!(
        stream,
        "POST /v1/credentials/{id}/validate HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer {}\r\n\
         Idempotency-Key: start-{name}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        site.api_key.expose(),
        body.len()
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    if !answer.starts_with("HTTP/1.1 200 ") {
        return Err(format!("not the expected answer:\n{answer}").into());
    }
    let start = Start {
        listening_s,
        answered_s: begin.elapsed().as_secs_f64(),
        kib: serving.resident_kib()?,
    };
    serving.kill()?;
    println!(
        "  a start: listens after {:.2} s, answered after {:.2} s",
        start.listening_s, start.answered_s
    );
    Ok(start)
}

/// Signs the heads as they are and has the program verify every row up to them.
pub(super) fn verify(site: &Site, prepared: &Prepared) -> Result<Verify> {
    let mut connection = Connection::open_reader(&prepared.location)?;
    let secrets = connection.read(|tx| ServiceSecrets::read(tx, &prepared.keyring))?;
    let heads = connection.read(audit::heads)?;
    append_checkpoint(
        &site.checkpoints(),
        &secrets.signer.sign(SystemClock.now(), &heads),
    )?;
    let rows: u64 = heads.iter().map(|head| head.position.sequence).sum();
    let begin = stopwatch();
    let mut child = site
        .program()
        .args(["audit", "verify"])
        .stdout(Stdio::null())
        .spawn()?;
    let mut kib = 0;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        // It may end while it is looked at.
        kib = highest_kib(&child.id().to_string()).unwrap_or(kib).max(kib);
        std::thread::sleep(Duration::from_millis(20));
    };
    if !status.success() {
        return Err("the audit trail does not hold".into());
    }
    let seconds = begin.elapsed().as_secs_f64();
    println!(
        "  verified {:.2} million rows in {seconds:.1} s",
        millions(rows)
    );
    Ok(Verify { seconds, kib })
}
