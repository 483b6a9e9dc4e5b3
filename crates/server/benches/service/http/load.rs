//! A load generator that knows just enough HTTP/1.1: requests are written beforehand, answers are hardly looked at.

use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use warifu::ambient::stopwatch;

use super::steps::Turn;
use crate::Result;
use crate::credentials::{PURPOSE, request_key};

/// Requests ready to be sent, and how the right answer's body begins.
pub(crate) struct Requests {
    bytes: Vec<u8>,
    /// Where each request ends; one alone is sent again and again.
    ends: Vec<usize>,
    expected: &'static [u8],
}

impl Requests {
    /// The server's bare JSON answer.
    pub(crate) fn bare() -> Self {
        let bytes = b"GET /v1/time HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec();
        Self {
            ends: vec![bytes.len()],
            bytes,
            expected: b"{\"service_time\":\"",
        }
    }

    /// A validation for each turn; the requests are named from `first` on.
    pub(crate) fn validations(turns: &[Turn], api_key: &str, first: u64) -> Result<Self> {
        let mut bytes = Vec::with_capacity(turns.len() * 300);
        let mut ends = Vec::with_capacity(turns.len());
        for (number, turn) in (first..).zip(turns) {
            let Turn { id, code, .. } = turn;
            let body = format!("{{\"code\":\"{code}\",\"purpose\":\"{PURPOSE}\"}}");
            write!(
                bytes,
                "POST /v1/credentials/{id}/validate HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {api_key}\r\n\
                 Idempotency-Key: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                request_key(number),
                body.len()
            )?;
            ends.push(bytes.len());
        }
        Ok(Self {
            bytes,
            ends,
            expected: b"{\"result\":\"accepted\"}",
        })
    }

    fn get(&self, number: usize) -> Option<&[u8]> {
        if self.ends.len() == 1 {
            return Some(&self.bytes);
        }
        let start = match number.checked_sub(1) {
            Some(before) => *self.ends.get(before)?,
            None => 0,
        };
        self.bytes.get(start..*self.ends.get(number)?)
    }
}

/// Connections to the server.
pub(crate) async fn connect(address: SocketAddr, count: usize) -> Result<Vec<TcpStream>> {
    let mut streams = Vec::with_capacity(count);
    for _ in 0..count {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        streams.push(stream);
    }
    Ok(streams)
}

/// Sends requests over all connections, on each the next one after the answer, until the time is over or none is left.
/// Gives how long each answer took, and all of them together.
pub(crate) async fn run(
    streams: Vec<TcpStream>,
    requests: &Arc<Requests>,
    length: Duration,
) -> Result<(Vec<Duration>, Duration)> {
    let next = Arc::new(AtomicUsize::new(0));
    let start = stopwatch();
    let end = start + length;
    let mut connections = JoinSet::new();
    for stream in streams {
        connections.spawn(connection(
            stream,
            Arc::clone(requests),
            Arc::clone(&next),
            end,
        ));
    }
    let mut waits = Vec::new();
    while let Some(done) = connections.join_next().await {
        waits.extend(done??);
    }
    Ok((waits, start.elapsed()))
}

async fn connection(
    mut stream: TcpStream,
    requests: Arc<Requests>,
    next: Arc<AtomicUsize>,
    end: Instant,
) -> Result<Vec<Duration>> {
    let mut waits = Vec::new();
    let mut buffer = [0; 4096];
    while stopwatch() < end {
        let Some(request) = requests.get(next.fetch_add(1, Ordering::Relaxed)) else {
            break;
        };
        let start = stopwatch();
        stream.write_all(request).await?;
        let mut filled = 0;
        while !complete(buffer.get(..filled).unwrap_or_default(), requests.expected)? {
            let free = buffer.get_mut(filled..).unwrap_or_default();
            match stream.read(free).await? {
                0 => return Err("the server closed a connection, or its answer is too long".into()),
                read => filled += read,
            }
        }
        waits.push(start.elapsed());
    }
    Ok(waits)
}

/// Whether an answer is there as a whole; an error unless it is the right one.
fn complete(answer: &[u8], expected: &[u8]) -> Result<bool> {
    let Some(head) = answer.windows(4).position(|four| four == b"\r\n\r\n") else {
        return Ok(false);
    };
    let (head, body) = answer.split_at(head + 4);
    let length = std::str::from_utf8(head)?
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .ok_or("an answer has no Content-Length")?
        .1
        .trim()
        .parse::<usize>()?;
    if body.len() < length {
        return Ok(false);
    }
    if head.starts_with(b"HTTP/1.1 200 ") && body.starts_with(expected) && body.len() == length {
        Ok(true)
    } else {
        let answer = String::from_utf8_lossy(answer);
        Err(format!("not the expected answer:\n{answer}").into())
    }
}
