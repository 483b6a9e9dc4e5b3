//! Clients of the token service: each has a new code checked under a key that it wrote down, and asks under the same key until
//! there is an answer.

use std::time::{Duration, Instant};

use anyhow::Result;

use super::browser::{Addresses, Http};
use super::record::{Kind, Paper, Record, Validation};
use super::sample::{Sample, Token, now};

/// How long one outcome is asked for.
const PATIENCE: Duration = Duration::from_secs(120);
/// Between two questions.
const PAUSE: Duration = Duration::from_millis(250);
/// From one code to the next: with so many tokens that each has a new code whenever it is its turn again.
pub(super) const PACE: Duration = Duration::from_millis(130);
/// So many tokens.
pub(super) const TOKENS: u32 = 240;

/// One client.
pub(super) struct Validator<'a> {
    number: usize,
    copies: &'a [Addresses],
    api_key: &'a str,
    record: &'a Record,
    tokens: Vec<Token>,
    paper: Paper,
    http: Http,
    turn: usize,
}

/// What an answer says.
enum Said {
    Accepted,
    Refused,
    Wrong(String),
}

impl<'a> Validator<'a> {
    /// With tokens that have shown nothing yet.
    pub(super) fn new(
        number: usize,
        (copies, sample, record): (&'a [Addresses], &'a Sample, &'a Record),
        tokens: Vec<Token>,
        paper: Paper,
    ) -> Self {
        Self {
            number,
            copies,
            api_key: &sample.api_key,
            record,
            tokens,
            paper,
            http: Http::new(),
            turn: 0,
        }
    }

    /// The next token's code is checked, if nobody has seen it yet.
    pub(super) fn next(&mut self) -> Result<()> {
        self.turn += 1;
        let turn = self.turn;
        let place = turn % self.tokens.len();
        let Some(token) = self.tokens.get_mut(place) else {
            return Ok(());
        };
        let Some(code) = token.show(now()?)? else {
            return Ok(());
        };
        let id = token.id.clone();
        let key = format!("failover-{}-{turn}", self.number);
        let mut asked = vec![(key, None)];
        self.write(&asked, &id, &code)?;
        let begun = Instant::now();
        for attempt in 0.. {
            for (key, answer) in asked.iter_mut().filter(|(_, answer)| answer.is_none()) {
                *answer = self.ask(attempt, (key, &id, &code));
            }
            if asked.iter().all(|(_, answer)| answer.is_some()) {
                break;
            }
            if begun.elapsed() > PATIENCE {
                self.record.fault(format!("{id}: no answer to {asked:?}"));
                break;
            }
            if attempt == 0 {
                self.record.settled().unknown += 1;
                if turn.is_multiple_of(4) {
                    // A thief who saw the code tries it too, as if nothing had happened: one of both at most is accepted.
                    asked.push((format!("failover-{}-{turn}-thief", self.number), None));
                    self.write(&asked, &id, &code)?;
                }
            }
            std::thread::sleep(PAUSE);
        }
        let accepted = asked.iter().filter(|(_, it)| *it == Some(true)).count();
        let mut settled = self.record.settled();
        if accepted > 1 {
            settled
                .faults
                .push(format!("{id}: {code} was accepted twice: {asked:?}"));
        }
        let code = &code;
        let all = asked.into_iter().map(|(key, accepted)| Validation {
            key,
            id: id.clone(),
            code: code.clone(),
            accepted: accepted == Some(true),
        });
        settled.validations.extend(all);
        Ok(())
    }

    /// On paper before it is sent.
    fn write(&mut self, asked: &[(String, Option<bool>)], id: &str, code: &str) -> Result<()> {
        match asked.last() {
            Some((key, _)) => self.paper.write(&format!("{key} {id} {code}")),
            None => Ok(()),
        }
    }

    /// Whether the code was accepted; none: nobody knows.
    fn ask(&self, attempt: usize, request: (&str, &str, &str)) -> Option<bool> {
        let copy = self
            .copies
            .get((self.number + attempt) % self.copies.len())?;
        let reply = self.http.validate(copy, self.api_key, request)?;
        match said(reply.status, &reply.text) {
            Said::Accepted => {
                self.record.acknowledged(Kind::Validation);
                Some(true)
            }
            Said::Refused => Some(false),
            Said::Wrong(what) => {
                self.record.fault(format!("{}: {what}", request.0));
                Some(false)
            }
        }
    }
}

/// A code that came too late is refused; anything else than these two is none of ours.
fn said(status: u16, text: &str) -> Said {
    let result = ["accepted", "rejected", "replayed", "resync_needed"]
        .into_iter()
        .find(|word| text.starts_with(&format!("{{\"result\":\"{word}\"")));
    match (status, result) {
        (200, Some("accepted")) => Said::Accepted,
        (200, Some(_)) => Said::Refused,
        _ => Said::Wrong(format!("{status} {text}")),
    }
}

/// Asks again for what was settled: the same answer must come (rule S7). Gives what is wrong.
pub(super) fn ask_again(
    copies: &[Addresses],
    api_key: &str,
    settled: &[Validation],
) -> Vec<String> {
    let http = Http::new();
    let mut faults = Vec::new();
    for (number, one) in settled.iter().enumerate() {
        let answer = (0..40).find_map(|attempt| {
            let copy = copies.get((number + attempt) % copies.len())?;
            let reply = http.validate(copy, api_key, (&one.key, &one.id, &one.code));
            if reply.is_none() {
                std::thread::sleep(PAUSE);
            }
            reply
        });
        let Some(reply) = answer else {
            faults.push(format!("{}: no answer afterwards", one.key));
            continue;
        };
        let accepted = matches!(said(reply.status, &reply.text), Said::Accepted);
        if accepted != one.accepted {
            let before = if one.accepted { "accepted" } else { "refused" };
            faults.push(format!("{} was {before}, now: {}", one.key, reply.text));
        }
    }
    faults
}

/// Tries codes that were accepted under new keys: none may be accepted again (rule S3). Gives what is wrong.
pub(super) fn try_again(
    copies: &[Addresses],
    api_key: &str,
    round: usize,
    settled: &[Validation],
) -> Vec<String> {
    let http = Http::new();
    let mut faults = Vec::new();
    for (number, one) in settled.iter().enumerate().filter(|(_, one)| one.accepted) {
        let Some(copy) = copies.get(number % copies.len()) else {
            continue;
        };
        let key = format!("{}-again-{round}", one.key);
        let reply = http.validate(copy, api_key, (&key, &one.id, &one.code));
        match reply.map(|reply| said(reply.status, &reply.text)) {
            Some(Said::Refused) => {}
            Some(Said::Accepted) => {
                faults.push(format!("{}: its code was accepted again", one.key))
            }
            Some(Said::Wrong(what)) => faults.push(format!("{key}: {what}")),
            None => faults.push(format!("{key}: no answer")),
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_plain_yes_is_an_acceptance_and_a_lock_is_a_fault() {
        let is = |status, text: &str| match said(status, text) {
            Said::Accepted => "accepted",
            Said::Refused => "refused",
            Said::Wrong(_) => "wrong",
        };
        assert_eq!(is(200, r#"{"result":"accepted"}"#), "accepted");
        assert_eq!(
            is(200, r#"{"result":"rejected","tries_left":4}"#),
            "refused"
        );
        assert_eq!(is(200, r#"{"result":"replayed"}"#), "refused");
        assert_eq!(is(200, r#"{"result":"locked"}"#), "wrong");
        assert_eq!(is(404, "{}"), "wrong");
        assert_eq!(is(202, r#"{"result":"accepted"}"#), "wrong");
    }
}
