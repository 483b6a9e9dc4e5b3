//! Which code each token shows next, so that the server must accept it by the wall clock.
//! How it can be said is in `warifu::bench::steps`.

use warifu::bench::steps::{self, Given};
use warifu_credentials::credential_id::CredentialId;
use warifu_credentials::{Code, TimeStep};

use crate::Result;
use crate::credentials::{ids, seed, shuffle};

/// Tokens that are asked in turn.
pub(crate) struct Steps {
    tokens: Vec<Token>,
    /// Whose turn is next.
    next: usize,
}

struct Token {
    id: CredentialId,
    last: Option<Last>,
}

#[derive(Clone, Copy)]
struct Last {
    /// The last accepted step.
    step: TimeStep,
    /// The server's step just before that round; it may have been one later when the code came.
    at: TimeStep,
}

/// A code to be sent.
pub(crate) struct Turn {
    token: usize,
    last: Last,
    /// Whose.
    pub(crate) id: CredentialId,
    /// The code.
    pub(crate) code: Code,
}

impl Steps {
    pub(crate) fn new(credentials: u32) -> Self {
        Self::of(credentials, usize::MAX)
    }

    /// At most so many tokens of those, taken at random.
    pub(crate) fn of(credentials: u32, most: usize) -> Self {
        let mut ids = ids(credentials);
        shuffle(&mut ids);
        ids.truncate(most);
        let tokens = ids.into_iter().map(|id| Token { id, last: None }).collect();
        Self { tokens, next: 0 }
    }

    /// The next turns, at most so many and one a token, up to the first token that has no new code yet.
    pub(crate) fn turns(&self, now: TimeStep, most: usize) -> Result<Vec<Turn>> {
        let most = most.min(self.tokens.len());
        let mut turns = Vec::with_capacity(most);
        let tokens = self.tokens.iter().enumerate().cycle().skip(self.next);
        for (number, token) in tokens.take(most) {
            let Some(step) = token.next_step(now) else {
                break;
            };
            if let Some(code) = token.clear_code(step)? {
                turns.push(Turn {
                    token: number,
                    last: Last { step, at: now },
                    id: token.id,
                    code,
                });
            }
        }
        Ok(turns)
    }

    /// Notes that these turns were accepted.
    pub(crate) fn spend(&mut self, turns: &[Turn]) {
        for turn in turns {
            if let Some(token) = self.tokens.get_mut(turn.token) {
                token.last = Some(turn.last);
            }
            self.next = (turn.token + 1) % self.tokens.len().max(1);
        }
    }

    /// The sum of the newest steps of all credentials; one without a turn has step −1.
    pub(crate) fn sum(&self) -> i64 {
        let steps = self.tokens.iter().map(|token| token.last);
        steps.map(|last| last.map_or(-1, |last| last.step.0)).sum()
    }
}

impl Token {
    fn next_step(&self, now: TimeStep) -> Option<TimeStep> {
        let last = self.last.map(|last| Given {
            step: last.step,
            at: last.at,
            taken: true,
        });
        steps::next(last, now)
    }

    /// The code of a step, where it is clear which step it spends.
    fn clear_code(&self, step: TimeStep) -> Result<Option<Code>> {
        let generator = seed().generator(self.id)?;
        Ok(steps::clear_code(&generator, step))
    }
}
