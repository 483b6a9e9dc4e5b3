//! What the token service is told after a loss, until it answers (rules B7, F4, F5).

use jiff::SignedDuration;
use warifu_bank::otp_policy::{OtpVerifier as _, Verdict};
use warifu_wire::StopReason;

use super::{Bank, BankError};
use crate::bank_store::token_command::{self, Command, Stored};

/// How many are told at a time.
const AT_A_TIME: i64 = 20;

impl Bank {
    /// Tells the token service what is due, and how many commands were answered. In the bank itself a stop holds from
    /// the moment of its own transaction, whatever becomes of this.
    ///
    /// # Errors
    /// [`BankError`] of the bank's database.
    pub async fn tell_token_service(&self) -> Result<usize, BankError> {
        let now = self.now();
        let due = self
            .database
            .read(move |tx| token_command::due(tx, now, AT_A_TIME))
            .await?;
        let mut answered = 0;
        for command in due {
            answered += usize::from(self.tell_one(command).await?);
        }
        Ok(answered)
    }

    async fn tell_one(&self, command: Stored) -> Result<bool, BankError> {
        let key = command.id.to_string();
        let answer = match command.command {
            Command::StopLost => self.tell_stop(&command, StopReason::Lost, &key).await,
            Command::StopStolen => self.tell_stop(&command, StopReason::Stolen, &key).await,
            Command::Enable => self
                .verifier
                .enable(&command.token, &key)
                .await
                .map(|verdict| match verdict {
                    Verdict::Answer(true) => "enabled",
                    Verdict::Answer(false) => "refused",
                    Verdict::UnknownToken | Verdict::RequestReused => "unknown",
                }),
            Command::Unlock => self
                .verifier
                .unlock(&command.token, &key)
                .await
                .map(|verdict| match verdict {
                    Verdict::Answer(()) => "unlocked",
                    Verdict::UnknownToken | Verdict::RequestReused => "unknown",
                }),
        };
        let (id, now) = (command.id, self.now());
        match answer {
            Ok(word) => {
                self.database
                    .write(move |tx| token_command::done(tx, id, word, now))
                    .await?;
                Ok(true)
            }
            Err(error) => {
                tracing::warn!(%error, "the token service could not be told of a stop or release; it is told again");
                let minutes = 1_i64 << command.attempts.clamp(0, 6);
                let next = now
                    .checked_add(SignedDuration::from_mins(minutes))
                    .unwrap_or(now);
                self.database
                    .write(move |tx| token_command::postpone(tx, id, next))
                    .await?;
                Ok(false)
            }
        }
    }

    async fn tell_stop(
        &self,
        command: &Stored,
        reason: StopReason,
        key: &str,
    ) -> Result<&'static str, crate::otp_link::LinkError> {
        let verdict = self.verifier.stop(&command.token, reason, key).await?;
        Ok(match verdict {
            Verdict::Answer(()) => "stopped",
            Verdict::UnknownToken | Verdict::RequestReused => "unknown",
        })
    }
}
