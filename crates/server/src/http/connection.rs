use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use prometheus_client::metrics::counter::Counter;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_io_timeout::TimeoutStream;
use tokio_rustls::TlsAcceptor;
use tower::Service as _;

use super::PeerAddress;
use super::crowd::Crowd;
use super::framing::{ends_its_connection, names_its_host};

/// How long a client may take to send a request's head, to shake hands (TLS), to keep a connection without a request, and to
/// take something of an answer.
const PATIENCE: Duration = Duration::from_secs(30);

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

/// How many are let in, and how long they are waited for.
#[derive(Debug, Clone)]
pub struct Doors {
    /// Connections at once; one more waits in the operating system's queue.
    pub most: usize,
    /// Connections of one client address at once (IPv4, or IPv6 /64); one more is closed at once. This machine itself
    /// (`127.0.0.1`, `::1`) is not counted.
    pub most_of_one: usize,
    /// Peers that are not counted, since they speak for many: trusted proxies.
    pub exempt: Vec<IpAddr>,
    /// Counts what was closed at once.
    pub refused: Counter,
    /// How long a client may take to send a head, to shake hands (TLS), to keep a connection without a request, and to
    /// take something of an answer.
    pub patience: Duration,
}

impl Doors {
    /// So many connections, so many of one client address; 30 s of patience.
    #[must_use]
    pub fn new(most: usize, most_of_one: usize) -> Self {
        Self {
            most,
            most_of_one,
            exempt: Vec::new(),
            refused: Counter::default(),
            patience: PATIENCE,
        }
    }
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
    doors: Doors,
    drain: Duration,
    mut stop: watch::Receiver<bool>,
) {
    let house = House {
        tls: listener.tls,
        places: Arc::new(Semaphore::new(doors.most)),
        crowd: Crowd::new(doors.most_of_one, &doors.exempt, doors.refused),
        patience: doors.patience,
        router,
        graceful: GracefulShutdown::new(),
    };
    let listener = listener.listener;
    while !*stop.borrow() {
        let accepted = tokio::select! {
            accepted = house.next_connection(&listener) => accepted,
            _ = stop.changed() => break,
        };
        match accepted {
            Ok(accepted) => house.begin(accepted),
            Err(error) => {
                // Out of file descriptors, say: waiting lets some go.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    // A connection that the operating system has made already would be reset with the listener.
    for _ in 0..LAST_CALL {
        let waiting = house.next_connection(&listener);
        match tokio::time::timeout(LAST_CALL_WAIT, waiting).await {
            Ok(Ok(accepted)) => house.begin(accepted),
            _ => break,
        }
    }
    drop(listener);
    if tokio::time::timeout(drain, house.graceful.shutdown())
        .await
        .is_err()
    {
        tracing::warn!("some requests did not end in time and were given up");
    }
}

/// A connection with its place among those that are served at once.
type Accepted = (TcpStream, SocketAddr, OwnedSemaphorePermit);

/// What serves the connections of one listener.
struct House {
    tls: Option<TlsAcceptor>,
    places: Arc<Semaphore>,
    crowd: Arc<Crowd>,
    patience: Duration,
    router: Router,
    graceful: GracefulShutdown,
}

impl House {
    async fn next_connection(&self, listener: &TcpListener) -> io::Result<Accepted> {
        // The place first: whoever is one too many waits in the operating system's queue and costs nothing here.
        let place = Arc::clone(&self.places)
            .acquire_owned()
            .await
            .map_err(io::Error::other)?;
        let (stream, peer) = listener.accept().await?;
        Ok((stream, peer, place))
    }

    /// Serves one connection on a task of its own, unless its client has as many as he may.
    fn begin(&self, (stream, peer, place): Accepted) {
        let Some(member) = self.crowd.join(peer.ip()) else {
            // A reset: no bytes are sent, and nothing of the connection stays in the operating system.
            let _ = stream.set_zero_linger();
            return;
        };
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection was gone before it began");
            return;
        }
        let (tls, patience) = (self.tls.clone(), self.patience);
        let (router, watcher) = (self.router.clone(), self.graceful.watcher());
        tokio::spawn(async move {
            let _held = (place, member);
            let ended = match tls {
                None => converse(stream, peer, router, patience, watcher).await,
                Some(tls) => {
                    // Beside the listener, and not for longer than a request's head may take.
                    let shaken = tokio::time::timeout(patience, tls.accept(stream)).await;
                    let Ok(Ok(stream)) = shaken else {
                        tracing::debug!("a TLS handshake came to nothing");
                        return;
                    };
                    converse(stream, peer, router, patience, watcher).await
                }
            };
            if let Err(error) = ended {
                tracing::debug!(%error, "a connection ended early");
            }
        });
    }
}

/// Answers the requests of one connection, one after the other, until it ends.
async fn converse<S>(
    stream: S,
    peer: SocketAddr,
    router: Router,
    patience: Duration,
    watcher: Watcher,
) -> Result<(), hyper::Error>
where
    S: AsyncRead + AsyncWrite + Send + 'static,
{
    let mut stream = TimeoutStream::new(stream);
    // Whoever asks and then reads nothing would hold his place for as long as he likes.
    stream.set_write_timeout(Some(patience));
    let service = hyper::service::service_fn(move |request| answer(router.clone(), peer, request));
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(patience)
        .max_buf_size(HEAD_LIMIT)
        .half_close(false);
    let connection = http.serve_connection(TokioIo::new(Box::pin(stream)), service);
    watcher.watch(connection).await
}

async fn answer(
    mut router: Router,
    peer: SocketAddr,
    mut request: Request<Incoming>,
) -> Result<Response, Infallible> {
    let mut is_last = ends_its_connection(&request);
    let mut response = if names_its_host(&request) {
        request.extensions_mut().insert(PeerAddress(peer));
        router.call(request).await?
    } else {
        is_last = true;
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::BAD_REQUEST;
        response
    };
    if is_last {
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(header::CONNECTION, close);
    }
    Ok(response)
}
