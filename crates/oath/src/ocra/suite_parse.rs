//! The grammar of a suite (RFC 6287 sections 6.1 to 6.3).

use alloc::string::ToString;

use super::question::{QuestionFormat, QuestionRule};
use super::suite::{ResponseForm, Suite, SuiteError};
use crate::{Algorithm, Period};

impl Suite {
    /// Parses a suite: `OCRA-1:HOTP-<hash>-<t>:[C-]QFxx[-PH][-Snnn][-TG]`.
    ///
    /// Two readings of the RFC are settled here. A question length may be written with one
    /// digit, as in the RFC's own example `QH8`. And `T0H`, which its table allows, is refused:
    /// a step of no time has no number.
    ///
    /// # Errors
    /// [`SuiteError`], naming the part and what was expected there.
    pub fn parse(text: &str) -> Result<Self, SuiteError> {
        let mut parts = text.split(':');
        let (Some(version), Some(function), Some(inputs), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(SuiteError::Parts);
        };
        if version != "OCRA-1" {
            return Err(SuiteError::Version);
        }
        let (algorithm, response) = parse_function(function)?;

        let mut inputs = inputs.split('-').peekable();
        let counter = inputs.next_if_eq(&"C").is_some();
        let question = inputs.next().ok_or(SuiteError::Question)?;
        let question = parse_question(question).ok_or(SuiteError::Question)?;
        let pin = parse_next(&mut inputs, 'P', SuiteError::Pin, |hash| hash.parse().ok())?;
        let session = parse_next(&mut inputs, 'S', SuiteError::Session, parse_session)?;
        let period = parse_next(&mut inputs, 'T', SuiteError::Time, parse_period)?;
        if inputs.next().is_some() {
            return Err(SuiteError::Input);
        }
        Ok(Self {
            text: text.to_string(),
            algorithm,
            response,
            counter,
            question,
            pin,
            session,
            period,
        })
    }
}

fn parse_function(text: &str) -> Result<(Algorithm, ResponseForm), SuiteError> {
    let (hash, length) = text
        .strip_prefix("HOTP-")
        .and_then(|rest| rest.split_once('-'))
        .ok_or(SuiteError::Function)?;
    let algorithm = hash.parse().map_err(|_| SuiteError::Function)?;
    let response = match number(length, 2) {
        Some(0) if length == "0" => ResponseForm::Full,
        Some(digits @ 4..=10) if !length.starts_with('0') => ResponseForm::Digits(digits as u8),
        _ => return Err(SuiteError::ResponseLength),
    };
    Ok((algorithm, response))
}

fn parse_question(text: &str) -> Option<QuestionRule> {
    let rest = text.strip_prefix('Q')?;
    let (format, length) = rest.split_at_checked(1)?;
    let format = match format {
        "A" => QuestionFormat::Alphanumeric,
        "N" => QuestionFormat::Numeric,
        "H" => QuestionFormat::Hexadecimal,
        _ => return None,
    };
    let max_len = number(length, 2).filter(|length| (4..=64).contains(length))?;
    Some(QuestionRule {
        format,
        max_len: max_len.into(),
    })
}

/// Parses the next input if it has this letter; another letter is left for the next rule.
fn parse_next<'a, T>(
    inputs: &mut core::iter::Peekable<impl Iterator<Item = &'a str>>,
    letter: char,
    error: SuiteError,
    parse: impl FnOnce(&'a str) -> Option<T>,
) -> Result<Option<T>, SuiteError> {
    let Some(input) = inputs.next_if(|input| input.starts_with(letter)) else {
        return Ok(None);
    };
    let value = input.strip_prefix(letter).and_then(parse).ok_or(error)?;
    Ok(Some(value))
}

fn parse_session(text: &str) -> Option<u16> {
    let length = number(text, 3).filter(|length| (1..=512).contains(length))?;
    (text.len() == 3).then_some(length)
}

fn parse_period(text: &str) -> Option<Period> {
    let (count, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if count.starts_with('0') {
        return None;
    }
    let count = number(count, 2)?;
    let seconds = match (unit, count) {
        ("S", 1..=59) => 1,
        ("M", 1..=59) => 60,
        ("H", 1..=48) => 3_600,
        _ => return None,
    };
    Period::from_seconds(u32::from(count) * seconds).ok()
}

/// A number of one to `max_len` ASCII digits, no sign; `max_len` is at most 4, to fit.
fn number(text: &str, max_len: usize) -> Option<u16> {
    let digits_only = text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits_only || text.len() > max_len {
        return None;
    }
    text.parse().ok()
}
