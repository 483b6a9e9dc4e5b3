//! What the token reads: its vault, its service's address and its service's answers; and those that the bank reads.

use warifu::otp_link;
use warifu_token::{CredentialId, ServiceAddress, ServiceError, read_answer, read_vault};
use warifu_wire::{
    EnableAnswer, Problem, ProvisionAnswer, PublicKey, ResyncAnswer, StopAnswer, TimeAnswer,
    UnlockAnswer, ValidateAnswer,
};

/// Statuses that an answer comes with.
const STATUSES: [u16; 8] = [200, 201, 302, 404, 409, 422, 500, 503];

/// The first byte chooses a status, the rest is an answer; it is read as a vault and an address besides.
pub(crate) fn reads(bytes: &[u8]) {
    let (first, rest) = bytes.split_first().unwrap_or((&0, &[]));
    let status = STATUSES
        .get(usize::from(*first) % STATUSES.len())
        .copied()
        .unwrap_or(200);
    token(status, rest);
    if let Ok(text) = std::str::from_utf8(rest) {
        bank(status, text);
        address(text);
    }
    if let Ok(header) = read_vault(rest) {
        let id = header.credential_id.as_str();
        assert!(id.parse::<CredentialId>().is_ok());
        let written = serde_json::to_vec(&header).unwrap_or_default();
        let line = [written.as_slice(), b"\n"].concat();
        assert!(read_vault(&line).is_ok_and(|again| again == header));
    }
}

fn token(status: u16, bytes: &[u8]) {
    said(read_answer::<ProvisionAnswer>(status, 201, bytes).map(drop));
    said(read_answer::<TimeAnswer>(status, 200, bytes).map(drop));
    if let Ok(problem) = serde_json::from_slice::<Problem>(bytes) {
        assert!(serde_json::to_vec(&problem).is_ok());
    }
}

/// No answer steers the terminal that it is shown on.
fn said(read: Result<(), ServiceError>) {
    if let Err(error) = read {
        let text = error.to_string();
        assert!(!text.chars().any(char::is_control), "{text:?}");
        assert!(text.chars().count() <= 500);
    }
}

fn bank(status: u16, text: &str) {
    let read = [
        otp_link::read_answer::<ValidateAnswer>(status, text).map(drop),
        otp_link::read_answer::<ResyncAnswer>(status, text).map(drop),
        otp_link::read_answer::<StopAnswer>(status, text).map(drop),
        otp_link::read_answer::<EnableAnswer>(status, text).map(drop),
        otp_link::read_answer::<UnlockAnswer>(status, text).map(drop),
    ];
    for error in read.into_iter().filter_map(Result::err) {
        assert!(
            error.to_string().len() < 200,
            "a text from outside is in no log"
        );
    }
}

fn address(text: &str) {
    if let Ok(address) = text.parse::<ServiceAddress>() {
        assert_eq!(address.to_string().parse(), Ok(address.clone()));
        let (_, rest) = address.as_str().split_once("://").unwrap_or_default();
        let authority = rest.split('/').next().unwrap_or_default();
        assert!(!authority.is_empty() && !authority.contains(['@', '?', '#']));
        assert_eq!(
            address.is_plain_loopback(),
            address.as_str().starts_with("http://")
        );
    }
    if let Ok(key) = text.parse::<PublicKey>() {
        assert_eq!(key.to_string(), text);
    }
}
