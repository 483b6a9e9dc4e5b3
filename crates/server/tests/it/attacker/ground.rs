//! The bank's pages over real sockets, and people who come to them: customers, and whoever means them harm.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use tokio::net::TcpSocket;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use warifu::ambient::{SystemEntropy, random};
use warifu::bank_store::staff;
use warifu::http::{Admission, Doors, Listener, serve};
use warifu::web::cookies;
use warifu::{bank_web, staff_web};
use warifu_bank::contract::ContractId;
use warifu_bank::session::SessionSecret;
use warifu_bank::staff::Role;

use crate::bank::sign_in::PASSWORD;
use crate::harness::{BankSite, Client, Engine, Reply, Token, customer_account};

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

    /// A contract whose password is [`PASSWORD`], with an account that holds so much.
    pub(super) async fn customer(&self, id: &str, number: u32, yen: i64) -> ContractId {
        let contract = self.site.contract(id, number, yen);
        self.site.give_password(contract, None).await;
        contract
    }

    /// Signs in at the customers' pages, with the code that the token shows where it is asked for.
    pub(super) fn signed_in(&self, id: &str, token: Option<&Token>, address: &str) -> Person {
        let mut person = self.person(address);
        let login = [("id", id), ("password", PASSWORD)];
        let to = person.posts("/login", &login);
        if let Some(token) = token {
            assert_eq!(to, "/login/code");
            let key = person.key_at("/login/code");
            let code = self.site.code(token).to_string();
            let fields = [("key", key.as_str()), ("code", code.as_str())];
            assert_eq!(person.posts("/login/code", &fields), "/top");
            self.site.next_code();
        } else {
            assert_eq!(to, "/top");
        }
        person
    }

    /// A member of the staff who is signed in.
    pub(super) fn member(&self, role: Role) -> Person {
        let secret = SessionSecret::from_random(random(&SystemEntropy));
        let now = self.site.now();
        let begun = self.site.place.with(|connection| {
            connection.transaction(|tx| {
                let new = staff::New {
                    name: role.word(),
                    display_name: "見本 担当",
                    role: role.word(),
                    password: "$argon2id$none",
                    password_due: false,
                    enrolment_until: now,
                };
                staff::insert(tx, &new, now)?;
                staff::begin_session(tx, secret.key(), role.word(), true, "", &[7; 32], now)
            })
        });
        begun.unwrap();
        let mut person = Person::at(self.staff, "192.0.2.9");
        let value = secret.to_cookie().to_string();
        person.cookies.insert(cookies::STAFF.into(), value);
        person
    }

    /// Today's transfer of so much to another bank from the account of this number, as it is typed.
    pub(super) fn transfer(&self, number: u32, amount: i64) -> Vec<(&'static str, String)> {
        let from = customer_account(number).to_stored().to_string();
        let texts = [
            ("bank", "0001"),
            ("branch", "001"),
            ("kind", "1"),
            ("number", "1234567"),
            ("name", "ﾐﾎﾝｼﾖｳｼﾞ(ｶ"),
        ];
        let texts = texts.map(|(name, value)| (name, value.to_owned()));
        let date = self.site.bank().today().to_string();
        let rest = [
            ("from", from),
            ("amount", amount.to_string()),
            ("date", date),
        ];
        texts.into_iter().chain(rest).collect()
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
    pub(super) at: SocketAddr,
    pub(super) address: String,
    pub(super) cookies: BTreeMap<String, String>,
    /// The form token of the page that was shown last.
    pub(super) token: String,
}

impl Person {
    pub(super) fn at(at: SocketAddr, address: &str) -> Self {
        Self {
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
        // A connection each: whoever's body was refused unread is hung up on.
        let mut client = Client::new(self.at);
        let reply = client.request(method, path, &all, body).unwrap();
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

    /// The status of a `HEAD`, whose answer has no body whatever it says of its length.
    pub(super) fn look_at_head(&self, path: &str) -> u16 {
        let (cookie, address) = (self.cookie(), &self.address);
        let request = format!(
            "HEAD {path} HTTP/1.1\r\nHost: {}\r\nX-Forwarded-For: {address}\r\nCookie: {cookie}\r\n\r\n",
            self.at
        );
        let reply = Client::new(self.at).send(request.as_bytes(), true);
        reply.unwrap().status
    }

    pub(super) fn get(&mut self, path: &str) -> Reply {
        self.send("GET", path, &[], b"")
    }

    /// Sends a form as the page that was shown last does. Who has seen none yet looks at one first.
    pub(super) fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Reply {
        for page in ["/login", "/", "/registration"] {
            if self.token.is_empty() {
                self.get(page);
            }
        }
        let body = form(&self.token, fields);
        self.send("POST", path, &OWN_FORM, body.as_bytes())
    }

    /// The hidden `key` of a page.
    pub(super) fn key_at(&mut self, path: &str) -> String {
        hidden(self.get(path).text(), "key").unwrap()
    }

    /// The same with values of one's own.
    pub(super) fn orders(&mut self, path: &str, fields: &[(&'static str, String)]) -> String {
        let fields: Vec<_> = fields.iter().map(|(k, v)| (*k, v.as_str())).collect();
        self.posts(path, &fields)
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
