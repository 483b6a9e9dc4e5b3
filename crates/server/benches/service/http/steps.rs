//! Which code each token shows next, so that the server must accept it by the wall clock.
//!
//! A token whose clock runs ahead is followed step by step: a code of the step after the last accepted one is accepted
//! as long as it is within one step of the drift that the server learned, up to ten steps (rule S4). So a credential
//! gives some ten codes at once and one more every 30 seconds, all of them right and none of them twice.

use warifu_credentials::TimeStep;
use warifu_credentials::credential::{LEARNED_DRIFT_LIMIT, WINDOW};
use warifu_credentials::credential_id::CredentialId;

use crate::credentials::{ids, shuffle};

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

struct Last {
    /// The last accepted step.
    step: TimeStep,
    /// The server's step just before that round; it may have been one later when the code came.
    at: TimeStep,
}

impl Steps {
    pub(crate) fn new(credentials: u32) -> Self {
        let mut ids = ids(credentials);
        shuffle(&mut ids);
        let tokens = ids.into_iter().map(|id| Token { id, last: None }).collect();
        Self { tokens, next: 0 }
    }

    /// The next turns, one a token, up to the first token that has no new code yet.
    pub(crate) fn turns(&self, now: TimeStep) -> Vec<(CredentialId, TimeStep)> {
        self.tokens
            .iter()
            .cycle()
            .skip(self.next)
            .take(self.tokens.len())
            .map_while(|token| Some((token.id, token.next_step(now)?)))
            .collect()
    }

    /// Notes that the first `count` turns were accepted in a round that began at `now`.
    pub(crate) fn spend(&mut self, count: usize, now: TimeStep) {
        for _ in 0..count {
            if let Some(token) = self.tokens.get_mut(self.next)
                && let Some(step) = token.next_step(now)
            {
                token.last = Some(Last { step, at: now });
            }
            self.next = (self.next + 1) % self.tokens.len().max(1);
        }
    }
}

impl Token {
    /// A step that is accepted now and also one step later, whichever of both the server finds on its clock.
    fn next_step(&self, now: TimeStep) -> Option<TimeStep> {
        let Some(last) = &self.last else {
            return Some(now);
        };
        let drift = (last.step.0 - last.at.0).clamp(-LEARNED_DRIFT_LIMIT, LEARNED_DRIFT_LIMIT);
        let center = now.offset(drift);
        let step = center.max(last.step.offset(1));
        (step <= center.offset(WINDOW)).then_some(step)
    }
}
