use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What a token service's door does with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Lets it through, and the answer back.
    Open,
    /// Takes it, and never says anything.
    Silent,
    /// Lets it through, and keeps the answer.
    KeepsAnswers,
    /// Hangs up.
    HangsUp,
    /// Says what is no HTTP.
    Babbles,
    /// Says 200, and what is no answer.
    Garbage,
    /// Says a status, with a page for people.
    Status(u16),
}

/// A way to the token service, which may fail in the ways of proxies, networks and programs that hang.
pub(super) struct Door {
    pub(super) address: SocketAddr,
    mode: Arc<Mutex<Mode>>,
}

impl Door {
    pub(super) fn to(service: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let door = Self {
            address: listener.local_addr().unwrap(),
            mode: Arc::new(Mutex::new(Mode::Open)),
        };
        let mode = Arc::clone(&door.mode);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let mode = Arc::clone(&mode);
                std::thread::spawn(move || stand(stream, service, &mode));
            }
        });
        door
    }

    pub(super) fn set(&self, mode: Mode) {
        *self.mode.lock().unwrap() = mode;
    }
}

fn stand(near: TcpStream, service: SocketAddr, mode: &Mutex<Mode>) {
    let mut out = near.try_clone().unwrap();
    let mut near = BufReader::new(near);
    while let Some(request) = message(&mut near) {
        let now = *mode.lock().unwrap();
        let said = match now {
            Mode::Open | Mode::KeepsAnswers => {
                let mut far = TcpStream::connect(service).unwrap();
                far.write_all(&request).unwrap();
                let answer = message(&mut BufReader::new(far));
                answer.filter(|_| now == Mode::Open)
            }
            Mode::Silent => None,
            Mode::HangsUp => return,
            Mode::Babbles => Some(b"\x16\x03\x01 what?\r\n\r\n".to_vec()),
            Mode::Garbage => Some(reply(200, r#"{"result":"maybe"}"#)),
            Mode::Status(status) => Some(reply(status, "<html><h1>Sorry</h1></html>")),
        };
        match said {
            Some(said) => {
                if out.write_all(&said).is_err() {
                    return;
                }
            }
            // Until the other side has had enough.
            None => {
                let _ = near.read(&mut [0]);
                return;
            }
        }
    }
}

fn reply(status: u16, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status} So\r\nContent-Length: {length}\r\n\r\n{body}").into_bytes()
}

/// A head and its body, as they came; none at the end.
fn message(from: &mut BufReader<TcpStream>) -> Option<Vec<u8>> {
    let (mut bytes, mut length) = (Vec::new(), 0);
    loop {
        let begin = bytes.len();
        if from.read_until(b'\n', &mut bytes).ok()? == 0 {
            return None;
        }
        let line = String::from_utf8_lossy(&bytes[begin..]).to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    from.read_exact(&mut body).ok()?;
    bytes.extend(body);
    Some(bytes)
}
