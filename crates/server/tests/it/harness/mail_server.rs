use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::place::apart;

/// A mail server that says what it is told to say, and shows what it was told.
pub(crate) struct MailServer {
    pub(crate) port: u16,
    talks: UnboundedReceiver<Talk>,
    thread: JoinHandle<()>,
}

/// What a client said in one connection.
#[derive(Debug, Default)]
pub(crate) struct Talk {
    /// Its commands.
    pub(crate) commands: Vec<String>,
    /// The mail, if it came so far.
    pub(crate) mail: Option<String>,
}

impl MailServer {
    /// One connection an answer to `RCPT TO`: `250 …` goes on to the mail, another one ends it.
    pub(crate) fn start(answers: &'static [&'static str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (tell, talks) = unbounded_channel();
        let thread = std::thread::spawn(move || {
            for answer in answers {
                let (stream, _) = listener.accept().unwrap();
                talk(stream, answer, &tell);
            }
        });
        Self {
            port,
            talks,
            thread,
        }
    }

    /// The next talk that came to its end. Who waits in vain fails, and does not wait for ever.
    pub(crate) async fn next(&mut self) -> Talk {
        tokio::time::timeout(Duration::from_secs(30), self.talks.recv())
            .await
            .expect("nobody talks to the mail server")
            .unwrap()
    }

    /// Waits until each connection came and went.
    pub(crate) fn end(self) {
        apart(|| self.thread.join().unwrap());
    }
}

fn talk(stream: TcpStream, answer: &str, tell: &UnboundedSender<Talk>) {
    let mut out = stream.try_clone().unwrap();
    let mut say = |line: &str| out.write_all(format!("{line}\r\n").as_bytes()).unwrap();
    let mut lines = BufReader::new(stream).lines();
    let mut heard = Talk::default();
    say("220 mail.example ESMTP");
    while let Some(Ok(command)) = lines.next() {
        let word = command.get(..4).unwrap_or_default().to_ascii_uppercase();
        heard.commands.push(command);
        match word.as_str() {
            "EHLO" => say("250-mail.example\r\n250 8BITMIME"),
            "RCPT" => say(answer),
            "DATA" => {
                say("354 go on");
                let mail: Vec<String> = lines
                    .by_ref()
                    .map(Result::unwrap)
                    .take_while(|line| line != ".")
                    .collect();
                heard.mail = Some(mail.join("\r\n"));
                say("250 taken");
            }
            "QUIT" => {
                say("221 bye");
                break;
            }
            _ => say("250 well"),
        }
    }
    tell.send(heard).unwrap();
}
