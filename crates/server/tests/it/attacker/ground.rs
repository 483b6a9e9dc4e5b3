//! The bank's pages over real sockets, and people who come to them: customers, and whoever means them harm.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use tokio::net::TcpSocket;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use warifu::http::{Admission, Doors, Listener, serve};
use warifu::{bank_web, staff_web};

use crate::harness::{BankSite, Client, Engine, Reply};

/// The customers' and the staff's pages, each at a port of its own. Whoever comes from `127.0.0.1` comes through the
/// bank's own proxy.
pub(super) struct Ground {
    pub(super) site: BankSite,
    pub(super) bank: SocketAddr,
    pub(super) staff: SocketAddr,
    /// Dropped, it ends the listeners.
    stop: watch::Sender<bool>,
    serving: Vec<JoinHandle<()>>,
}

impl Ground {
    pub(super) async fn new(engine: Engine) -> Self {
        Self::with(engine, Doors::new(256, 64)).await
    }

    pub(super) async fn with(engine: Engine, doors: Doors) -> Self {
        let site = BankSite::new(engine).await;
        let proxies = vec![Ipv4Addr::LOCALHOST.into()];
        let web = site.web_behind(&Admission::new(64), proxies);
        let (stop, stopping) = watch::channel(false);
        let mut serving = Vec::new();
        let mut at = Vec::new();
        for router in [bank_web::router(web.clone()), staff_web::router(web)] {
            let listener = Listener::bind("test", ([127, 0, 0, 1], 0).into());
            let listener = listener.await.unwrap();
            at.push(listener.address);
            let drain = Duration::from_secs(1);
            let (doors, stopping) = (doors.clone(), stopping.clone());
            serving.push(tokio::spawn(serve(
                listener, router, doors, drain, stopping,
            )));
        }
        Self {
            site,
            bank: at[0],
            staff: at[1],
            stop,
            serving,
        }
    }

    /// Ends the listeners, so that the bank can end too.
    pub(super) async fn close(self) {
        let _ = self.stop.send(true);
        for served in self.serving {
            served.await.unwrap();
        }
    }

    /// Somebody at the customers' pages, at this address as the proxy tells it.
    pub(super) fn person(&self, address: &str) -> Person {
        Person::at(self.bank, address)
    }
}

/// A connection from one of this machine's many addresses.
pub(super) async fn connect_from(from: [u8; 4], to: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::new(IpAddr::from(from), 0))?;
    let stream = socket.connect(to).await?.into_std()?;
    stream.set_nonblocking(false)?;
    Ok(stream)
}

/// Somebody with a browser that keeps cookies and sends the forms that it is shown.
pub(super) struct Person {
    client: Client,
    pub(super) at: SocketAddr,
    pub(super) address: String,
    pub(super) cookies: BTreeMap<String, String>,
    /// The form token of the page that was shown last.
    pub(super) token: String,
}

impl Person {
    pub(super) fn at(at: SocketAddr, address: &str) -> Self {
        Self {
            client: Client::new(at),
            at,
            address: address.to_owned(),
            cookies: BTreeMap::new(),
            token: String::new(),
        }
    }

    /// The `Cookie` header of this browser.
    pub(super) fn cookie(&self) -> String {
        let pairs = self.cookies.iter();
        let pairs: Vec<_> = pairs
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        pairs.join("; ")
    }

    /// Sends this; keeps the cookies that are set, and the token of a form that is shown.
    pub(super) fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Reply {
        let (cookie, address) = (self.cookie(), self.address.clone());
        let mut all = vec![("X-Forwarded-For", address.as_str())];
        if !cookie.is_empty() {
            all.push(("Cookie", &cookie));
        }
        all.extend_from_slice(headers);
        let reply = self.client.request(method, path, &all, body).unwrap();
        for (_, value) in reply
            .headers()
            .iter()
            .filter(|(name, _)| name == "set-cookie")
        {
            let pair = value.split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        if let Some(token) = hidden(&String::from_utf8_lossy(&reply.body), "form") {
            self.token = token;
        }
        reply
    }

    pub(super) fn get(&mut self, path: &str) -> Reply {
        self.send("GET", path, &[], b"")
    }

    /// Sends a form as the page that was shown last does. Who has seen no page yet looks at the login page first.
    pub(super) fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Reply {
        for page in ["/login", "/"] {
            if self.token.is_empty() {
                self.get(page);
            }
        }
        let body = form(&self.token, fields);
        self.send("POST", path, &OWN_FORM, body.as_bytes())
    }

    /// Where a form leads, or its status.
    pub(super) fn posts(&mut self, path: &str, fields: &[(&str, &str)]) -> String {
        told(&self.post(path, fields))
    }
}

/// The headers of a form that a page of the bank sent.
pub(super) const OWN_FORM: [(&str, &str); 2] = [
    ("Content-Type", "application/x-www-form-urlencoded"),
    ("Sec-Fetch-Site", "same-origin"),
];

/// The body of a form.
pub(super) fn form(token: &str, fields: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new())
        .append_pair("form", token)
        .extend_pairs(fields)
        .finish()
}

/// The value of a hidden field.
pub(super) fn hidden(page: &str, name: &str) -> Option<String> {
    let (_, rest) = page.split_once(&format!("name=\"{name}\" value=\""))?;
    rest.split('"').next().map(str::to_owned)
}

/// Where an answer leads, or its status.
pub(super) fn told(reply: &Reply) -> String {
    let to = reply.header("location").map(str::to_owned);
    to.unwrap_or_else(|| reply.status.to_string())
}
