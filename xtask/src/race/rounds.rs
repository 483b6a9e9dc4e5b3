//! The two parts of the race test.

use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result};
use data_encoding::HEXLOWER;

use super::Args;
use super::adapter::Adapter;
use super::answer::{self, Meaning};
use super::callers::Callers;
use super::credential::Credential;
use super::http::{Ready, Reply, Values};
use super::provision::{self, Provisioner};
use super::report::Report;
use super::totp;

/// Runs every round.
pub(crate) fn run(args: &Args, adapter: &Adapter) -> Result<Report> {
    let first = args.urls.first().context("no address")?;
    let mut race = Race {
        adapter,
        keys: Keys::new()?,
        report: Report::new(adapter, args.callers),
    };
    let mut provisioner = Provisioner::new(adapter, first)?;
    let callers = Callers::new(args.callers, &args.urls);
    for number in 1..=args.rounds {
        let credential = provisioner.next()?;
        race.right_code(&credential, &callers, args.callers)?;
        progress("right codes", number, args.rounds);
    }
    drop(callers);
    let callers = Callers::new(args.at_once, &args.urls);
    for number in 1..=args.lock_rounds {
        let credential = provisioner.next()?;
        race.wrong_codes(&credential, &callers, args.wrong_codes)?;
        progress("wrong codes", number, args.lock_rounds);
    }
    Ok(race.report)
}

fn progress(what: &str, number: usize, all: usize) {
    if number.is_multiple_of(100) || number == all {
        println!("{what}: round {number} of {all}");
    }
}

struct Race<'a> {
    adapter: &'a Adapter,
    keys: Keys,
    report: Report,
}

impl Race<'_> {
    /// The same right code from every caller at once.
    fn right_code(
        &mut self,
        credential: &Credential,
        callers: &Callers,
        count: usize,
    ) -> Result<()> {
        let step = totp::step_with_time_left(&self.adapter.totp)?;
        let code = totp::code(&self.adapter.totp, &credential.secret, step)?;
        let requests = (0..count)
            .map(|_| self.request(credential, &code))
            .collect::<Result<_>>()?;
        let said = self.read(callers.fire(requests)?);
        self.report.right_code(count_of(&said, Meaning::Accepted));
        Ok(())
    }

    /// Wrong codes, several at once; then the right one, which a locked credential refuses.
    fn wrong_codes(
        &mut self,
        credential: &Credential,
        callers: &Callers,
        count: usize,
    ) -> Result<()> {
        let totp = &self.adapter.totp;
        let step = totp::step_with_time_left(totp)?;
        let requests = totp::wrong_codes(totp, &credential.secret, step, count)?
            .iter()
            .map(|code| self.request(credential, code))
            .collect::<Result<_>>()?;
        let said = self.read(callers.fire(requests)?);
        let evaluated = count_of(&said, Meaning::Rejected) + count_of(&said, Meaning::Accepted);
        let step = totp::step_with_time_left(totp)?;
        let code = totp::code(totp, &credential.secret, step)?;
        let right = self.request(credential, &code)?;
        let after = self.read(callers.fire(vec![right])?);
        self.report
            .wrong_codes(evaluated, count_of(&after, Meaning::Accepted) > 0);
        Ok(())
    }

    fn request(&self, credential: &Credential, code: &str) -> Result<Ready> {
        let key = self.keys.next();
        let values = Values::from([
            ("id", credential.id.as_str()),
            ("code", code),
            ("key", key.as_str()),
        ]);
        self.adapter.validate.fill(&values)
    }

    /// What the answers mean; what is no answer goes into the report.
    fn read(&mut self, replies: Vec<Result<Reply>>) -> Vec<Meaning> {
        let mut said = Vec::new();
        for reply in replies {
            match reply {
                Err(error) => self.report.no_answer(&format!("{error:#}")),
                Ok(reply) if reply.status >= 500 => {
                    self.report.server_error(reply.status, &reply.body);
                }
                Ok(reply) => {
                    match answer::meaning(&self.adapter.answer, reply.status, &reply.body) {
                        Some(meaning) => said.push(meaning),
                        None => self.report.unknown(reply.status, &reply.body),
                    }
                }
            }
        }
        said
    }
}

fn count_of(said: &[Meaning], wanted: Meaning) -> usize {
    said.iter().filter(|meaning| **meaning == wanted).count()
}

/// Idempotency keys: another for every call of every run.
pub(super) struct Keys {
    run: String,
    count: AtomicU64,
}

impl Keys {
    /// Keys of a new run.
    pub(super) fn new() -> Result<Self> {
        Ok(Self {
            run: HEXLOWER.encode(&provision::random::<8>()?),
            count: AtomicU64::new(0),
        })
    }

    /// The next.
    pub(super) fn next(&self) -> String {
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        format!("race-{}-{number}", self.run)
    }
}
