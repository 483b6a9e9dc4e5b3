//! Connections to one listener: so many at most, kept alive, each for one request at a time.

use std::net::{SocketAddr, ToSocketAddrs as _};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

use super::BenchError;
use crate::ambient::stopwatch;

/// Bytes of an answer at most.
const LONGEST: usize = 4 * 1024 * 1024;

/// A listener and the connections to it.
#[derive(Debug)]
pub struct Client {
    address: SocketAddr,
    host: HeaderValue,
    places: Semaphore,
    idle: Mutex<Vec<SendRequest<Body>>>,
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

/// When the requests of an operation went out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sent {
    /// The first one.
    pub first: Option<Instant>,
    /// The last one so far.
    pub last: Option<Instant>,
}

/// There is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoAnswer {
    /// No connection could be made.
    Connect,
    /// The connection ended before the answer was there.
    Broken,
}

impl Answer {
    /// A header's text; empty when there is none.
    #[must_use]
    pub fn header(&self, name: header::HeaderName) -> &str {
        let value = self.headers.get(name);
        value
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap_or_default()
    }
}

impl Client {
    /// Of `http://HOST:PORT`, with so many connections at most.
    ///
    /// # Errors
    /// When the address is none, or its name is known to nobody.
    pub fn new(address: &str, connections: usize) -> Result<Self, BenchError> {
        let wrong = |why: &str| BenchError::Said(format!("{address}: {why}"));
        let host = address
            .trim_end_matches('/')
            .strip_prefix("http://")
            .filter(|host| !host.contains('/'))
            .ok_or_else(|| wrong("expected http://HOST:PORT; load goes to the server itself, behind the proxy that ends TLS"))?;
        let with_port = if host
            .rsplit_once(':')
            .is_some_and(|(_, port)| port.parse::<u16>().is_ok())
        {
            host.to_owned()
        } else {
            format!("{host}:80")
        };
        let found = with_port
            .to_socket_addrs()
            .map_err(|error| wrong(&error.to_string()))?
            .next();
        Ok(Self {
            address: found.ok_or_else(|| wrong("nobody knows this name"))?,
            host: HeaderValue::from_str(host).map_err(|_| wrong("no host's name"))?,
            places: Semaphore::new(connections.max(1)),
            idle: Mutex::new(Vec::new()),
        })
    }

    /// Sends a request over a connection of its own and reads the answer; `sent` is told when it went out.
    ///
    /// # Errors
    /// [`NoAnswer`].
    pub async fn ask(&self, request: Asking<'_>, sent: &mut Sent) -> Result<Answer, NoAnswer> {
        let Ok(_place) = self.places.acquire().await else {
            return Err(NoAnswer::Connect);
        };
        let mut connection = self.connection().await?;
        let now = stopwatch();
        sent.first.get_or_insert(now);
        sent.last = Some(now);
        let answer = connection
            .send_request(request.build(&self.host))
            .await
            .map_err(|_| NoAnswer::Broken)?;
        let (parts, body) = answer.into_parts();
        let body = axum::body::to_bytes(Body::new(body), LONGEST)
            .await
            .map_err(|_| NoAnswer::Broken)?;
        if !connection.is_closed() {
            self.idle
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(connection);
        }
        Ok(Answer {
            status: parts.status,
            headers: parts.headers,
            body,
        })
    }

    /// A connection that nobody uses, or a new one.
    async fn connection(&self) -> Result<SendRequest<Body>, NoAnswer> {
        loop {
            let idle = self
                .idle
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .pop();
            let Some(mut idle) = idle else { break };
            // The server may have ended it meanwhile.
            if idle.ready().await.is_ok() {
                return Ok(idle);
            }
        }
        let stream = TcpStream::connect(self.address)
            .await
            .map_err(|_| NoAnswer::Connect)?;
        stream.set_nodelay(true).map_err(|_| NoAnswer::Connect)?;
        let (sender, connection) = handshake(TokioIo::new(stream))
            .await
            .map_err(|_| NoAnswer::Connect)?;
        tokio::spawn(async move {
            // Whoever waits for the answer is told of its end.
            let _ = connection.await;
        });
        Ok(sender)
    }
}

/// A request that is to be sent.
#[derive(Debug, Clone)]
pub struct Asking<'a> {
    /// GET or POST.
    pub method: Method,
    /// Path and query.
    pub path: &'a str,
    /// More headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

impl Asking<'_> {
    fn build(self, host: &HeaderValue) -> Request<Body> {
        let mut request = Request::new(Body::from(self.body));
        *request.method_mut() = self.method;
        // What is asked for was made here or came from a page of the bank: a path in either case.
        *request.uri_mut() = self.path.parse().unwrap_or_default();
        *request.headers_mut() = self.headers;
        request.headers_mut().insert(header::HOST, host.clone());
        request
    }
}
