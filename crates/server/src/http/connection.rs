use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;
use tower::Service as _;

use super::PeerAddress;

/// How long a client may take to send a request's head, and may keep a connection without sending one.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// The longest head of a request, bytes.
const HEAD_LIMIT: usize = 16 * 1024;

/// How many connections are let in after the end was told, and how long each is waited for.
const LAST_CALL: usize = 4096;
const LAST_CALL_WAIT: Duration = Duration::from_millis(10);

/// A bound listener with its name.
pub struct Listener {
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    /// Where it listens; the port is the real one when 0 was asked for.
    pub address: SocketAddr,
}

/// A listener that cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Somebody listens there already.
    #[error("{name}: port {} of {} is taken by another program; stop it, or set [{name}] listen to another address", .address.port(), .address.ip())]
    Taken {
        /// The section of the configuration.
        name: &'static str,
        /// The address.
        address: SocketAddr,
    },
    /// The address cannot be listened at.
    #[error("{name}: cannot listen at {address}: {error}")]
    Listen {
        /// The section of the configuration.
        name: &'static str,
        /// The address.
        address: SocketAddr,
        /// Why.
        error: io::Error,
    },
}

impl Listener {
    /// Listens at `address` for the section `name` of the configuration.
    ///
    /// # Errors
    /// [`ServeError`] names the section and the address.
    pub async fn bind(name: &'static str, address: SocketAddr) -> Result<Self, ServeError> {
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::AddrInUse => ServeError::Taken { name, address },
            _ => ServeError::Listen {
                name,
                address,
                error,
            },
        };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self {
            listener,
            tls: None,
            address,
        })
    }

    /// The same over TLS.
    #[must_use]
    pub fn over_tls(mut self, config: &Arc<ServerConfig>) -> Self {
        self.tls = Some(TlsAcceptor::from(Arc::clone(config)));
        self
    }
}

/// Serves until `stop` turns true; then lets in who waits at the door already, and gives the running requests `drain` to
/// end.
pub async fn serve(
    listener: Listener,
    router: Router,
    max_connections: usize,
    drain: Duration,
    mut stop: watch::Receiver<bool>,
) {
    let places = Arc::new(Semaphore::new(max_connections));
    let graceful = GracefulShutdown::new();
    while !*stop.borrow() {
        let accepted = tokio::select! {
            accepted = next_connection(&listener.listener, &places) => accepted,
            _ = stop.changed() => break,
        };
        match accepted {
            Ok(accepted) => begin(&listener, accepted, &router, &graceful),
            Err(error) => {
                // Out of file descriptors, say: waiting lets some go.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    // A connection that the operating system has made already would be reset with the listener.
    for _ in 0..LAST_CALL {
        let waiting = next_connection(&listener.listener, &places);
        match tokio::time::timeout(LAST_CALL_WAIT, waiting).await {
            Ok(Ok(accepted)) => begin(&listener, accepted, &router, &graceful),
            _ => break,
        }
    }
    drop(listener);
    if tokio::time::timeout(drain, graceful.shutdown())
        .await
        .is_err()
    {
        tracing::warn!("some requests did not end in time and were given up");
    }
}

/// A connection with its place among those that are served at once.
type Accepted = (TcpStream, SocketAddr, tokio::sync::OwnedSemaphorePermit);

/// Serves one connection on a task of its own.
fn begin(
    listener: &Listener,
    (stream, peer, place): Accepted,
    router: &Router,
    graceful: &GracefulShutdown,
) {
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(HEAD_LIMIT)
        .half_close(false);
    let router = router.clone();
    let service = hyper::service::service_fn(move |mut request: Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(PeerAddress(peer));
        router.clone().call(request)
    });
    let (tls, watcher) = (listener.tls.clone(), graceful.watcher());
    tokio::spawn(async move {
        let _place = place;
        let ended = match tls {
            None => {
                let connection = http.serve_connection(TokioIo::new(stream), service);
                watcher.watch(connection).await
            }
            Some(tls) => {
                // Beside the listener, and not for longer than a request's head may take.
                let shaken = tokio::time::timeout(HEAD_TIMEOUT, tls.accept(stream)).await;
                let Ok(Ok(stream)) = shaken else {
                    tracing::debug!("a TLS handshake came to nothing");
                    return;
                };
                let connection = http.serve_connection(TokioIo::new(stream), service);
                watcher.watch(connection).await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "a connection ended early");
        }
    });
}

async fn next_connection(listener: &TcpListener, places: &Arc<Semaphore>) -> io::Result<Accepted> {
    // The place first: whoever is one too many waits in the operating system's queue and costs nothing here.
    let place = Arc::clone(places)
        .acquire_owned()
        .await
        .map_err(io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    stream.set_nodelay(true)?;
    Ok((stream, peer, place))
}
