use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use warifu_credentials::credential_id::CredentialId;
use warifu_wire::{Platform, Problem, ProblemType, ProvisionAnswer};

use super::token::{Beginning, Token};

/// HTTP/1.1 by hand: any bytes can be sent, nothing is asked twice.
pub(crate) struct Client {
    address: SocketAddr,
    connection: Option<BufReader<TcpStream>>,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(header, _)| header == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Every header as it came, its name in small letters.
    pub(crate) fn headers(&self) -> &[(String, String)] {
        &self.headers
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The word of a 200.
    pub(crate) fn result(&self) -> String {
        assert_eq!(self.status, 200, "{}", self.text());
        self.json()["result"].as_str().unwrap().to_owned()
    }

    /// A problem document that says what it should.
    pub(crate) fn problem(&self) -> Problem {
        assert_eq!(
            self.header("content-type"),
            Some("application/problem+json"),
            "{self:?}"
        );
        let problem: Problem = serde_json::from_slice(&self.body).unwrap();
        assert_eq!(problem.status, self.status);
        assert_eq!(problem.instance.as_deref(), self.header("x-request-id"));
        assert!(!problem.title.is_empty() && !problem.detail.is_empty());
        problem
    }

    pub(crate) fn require(&self, status: u16, kind: ProblemType) {
        let problem = self.problem();
        assert_eq!((self.status, problem.kind), (status, kind), "{problem:?}");
    }
}

impl Client {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self {
            address,
            connection: None,
        }
    }

    /// Over a connection that is there, unless it was reset already.
    pub(crate) fn over(stream: TcpStream) -> io::Result<Self> {
        Ok(Self {
            address: stream.peer_addr()?,
            connection: Some(buffered(stream)?),
        })
    }

    pub(crate) fn request(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> io::Result<Reply> {
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\n", self.address);
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if !body.is_empty() || !matches!(method, "GET" | "HEAD") {
            head.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(body);
        self.send(&bytes, method == "HEAD")
    }

    /// Sends bytes as they are and reads one answer.
    pub(crate) fn send(&mut self, bytes: &[u8], without_body: bool) -> io::Result<Reply> {
        let mut connection = self.connect()?;
        // Who refuses a long request may close before all of it is sent; the answer is there all the same.
        let sent = connection.get_mut().write_all(bytes);
        let reply = read_reply(&mut connection, without_body);
        if sent.is_ok()
            && let Ok(reply) = &reply
            && reply.header("connection") != Some("close")
        {
            self.connection = Some(connection);
        }
        reply
    }

    /// Sends bytes, as many as are taken, and no more after them.
    pub(crate) fn finish_sending(&mut self, bytes: &[u8]) {
        let mut connection = self.connect().unwrap();
        // Whoever does not like the first of them may hang up before the last.
        let _ = connection.get_mut().write_all(bytes);
        let _ = connection.get_mut().shutdown(Shutdown::Write);
        self.connection = Some(connection);
    }

    /// Reads one answer and hangs up.
    pub(crate) fn receive(&mut self) -> io::Result<Reply> {
        read_reply(&mut self.connect()?, false)
    }

    fn connect(&mut self) -> io::Result<BufReader<TcpStream>> {
        if let Some(connection) = self.connection.take() {
            return Ok(connection);
        }
        buffered(TcpStream::connect(self.address)?)
    }

    pub(crate) fn get(&mut self, path: &str) -> Reply {
        self.request("GET", path, &[], b"").unwrap()
    }

    pub(crate) fn provision(&mut self, public_key: &str, headers: &[(&str, &str)]) -> Reply {
        let body = serde_json::json!({ "public_key": public_key, "platform": "cli" }).to_string();
        let mut all = vec![("Content-Type", "application/json")];
        all.extend_from_slice(headers);
        self.request("POST", "/v1/credentials", &all, body.as_bytes())
            .unwrap()
    }

    pub(crate) fn token(&mut self) -> Token {
        let beginning = Beginning::new();
        let key = beginning.request(Platform::Cli).public_key.to_string();
        let reply = self.provision(&key, &[]);
        assert_eq!(reply.status, 201, "{}", reply.text());
        let answer: ProvisionAnswer = serde_json::from_slice(&reply.body).unwrap();
        beginning.end(&answer)
    }
}

fn buffered(stream: TcpStream) -> io::Result<BufReader<TcpStream>> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    Ok(BufReader::new(stream))
}

fn read_reply(connection: &mut BufReader<TcpStream>, without_body: bool) -> io::Result<Reply> {
    let broken = || io::Error::from(io::ErrorKind::UnexpectedEof);
    let mut line = String::new();
    connection.read_line(&mut line)?;
    let status = line.split(' ').nth(1).ok_or_else(broken)?;
    let status = status.parse().map_err(io::Error::other)?;
    let mut headers = Vec::new();
    loop {
        line.clear();
        if connection.read_line(&mut line)? == 0 {
            return Err(broken());
        }
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let mut reply = Reply {
        status,
        headers,
        body: Vec::new(),
    };
    let length = reply
        .header("content-length")
        .map_or(0, |length| length.parse().unwrap());
    if !without_body {
        reply.body.resize(length, 0);
        connection.read_exact(&mut reply.body)?;
    }
    Ok(reply)
}

/// A relying party at one copy of the service.
pub(crate) struct Party {
    pub(crate) client: Client,
    key: String,
}

impl Party {
    pub(crate) fn new(address: SocketAddr, key: &str) -> Self {
        Self {
            client: Client::new(address),
            key: format!("Bearer {key}"),
        }
    }

    pub(crate) fn post(
        &mut self,
        id: CredentialId,
        verb: &str,
        key: &str,
        body: &str,
    ) -> io::Result<Reply> {
        let headers = [
            ("Authorization", self.key.as_str()),
            ("Content-Type", "application/json"),
            ("Idempotency-Key", key),
        ];
        let path = format!("/v1/credentials/{id}/{verb}");
        self.client
            .request("POST", &path, &headers, body.as_bytes())
    }

    pub(crate) fn validate(
        &mut self,
        id: CredentialId,
        key: &str,
        code: &str,
    ) -> io::Result<Reply> {
        let body = serde_json::json!({ "code": code, "purpose": "login" }).to_string();
        self.post(id, "validate", key, &body)
    }

    pub(crate) fn status(&mut self, id: CredentialId) -> Reply {
        let headers = [("Authorization", self.key.as_str())];
        self.client
            .request("GET", &format!("/v1/credentials/{id}"), &headers, b"")
            .unwrap()
    }
}
