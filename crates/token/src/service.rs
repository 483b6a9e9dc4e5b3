use std::io;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use ureq::http::Response;
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, Body};
use warifu_wire::{Problem, ProvisionAnswer, ProvisionRequest, TimeAnswer};

use crate::ServiceAddress;

/// No answer of the service is longer, in bytes; a real one has some 300.
const MAX_ANSWER: u64 = 16 * 1024;

/// A problem's text is cut here, in characters, before it is shown.
const MAX_DETAIL: usize = 400;

/// What the token asks of its service.
pub trait Service {
    /// `POST /v1/credentials` (rule S1).
    ///
    /// # Errors
    /// When the service is out of reach, refuses, or answers something else.
    fn provision(&self, request: &ProvisionRequest) -> Result<ProvisionAnswer, ServiceError>;

    /// `GET /v1/time` (rule T6).
    ///
    /// # Errors
    /// When the service is out of reach, refuses, or answers something else.
    fn time(&self) -> Result<TimeAnswer, ServiceError>;
}

/// Why the service gave no usable answer.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// No connection, no certificate that holds, or no answer in time.
    #[error("the token service cannot be reached ({0})")]
    Unreachable(String),
    /// The service says what is wrong (RFC 9457 `detail`), safe to print.
    #[error("the token service refused: {0}")]
    Refused(String),
    /// An HTTP status that means nothing here; redirects are among them, none is followed.
    #[error("the token service answered with status {0}")]
    Status(u16),
    /// Not the answer that was asked for.
    #[error("what answered is no token service")]
    NotUnderstood,
}

/// The service over HTTP.
#[derive(Debug, Clone)]
pub struct HttpService {
    agent: Agent,
    address: ServiceAddress,
    language: &'static str,
}

impl HttpService {
    /// A client of the service at `address`, whose refusals shall come in `language` (`ja`, `en`).
    #[must_use]
    pub fn new(address: ServiceAddress, language: &'static str) -> Self {
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::PlatformVerifier)
            .build();
        let config = Agent::config_builder()
            .tls_config(tls)
            .https_only(!address.is_plain_loopback())
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_connect(Some(Duration::from_secs(5)))
            .timeout_global(Some(Duration::from_secs(10)))
            .user_agent(concat!("warifu-token/", env!("CARGO_PKG_VERSION")));
        // What stays on this machine goes through no proxy.
        let config = if address.is_plain_loopback() {
            config.proxy(None)
        } else {
            config
        };
        Self {
            agent: config.build().new_agent(),
            address,
            language,
        }
    }

    fn post<B: Serialize, A: DeserializeOwned>(
        &self,
        path: &str,
        body: &B,
    ) -> Result<A, ServiceError> {
        let answer = self
            .agent
            .post(self.address.join(path))
            .header("Accept-Language", self.language)
            .send_json(body);
        read(answer, 201)
    }

    fn get<A: DeserializeOwned>(&self, path: &str) -> Result<A, ServiceError> {
        let answer = self
            .agent
            .get(self.address.join(path))
            .header("Accept-Language", self.language)
            .call();
        read(answer, 200)
    }
}

impl Service for HttpService {
    fn provision(&self, request: &ProvisionRequest) -> Result<ProvisionAnswer, ServiceError> {
        self.post("/v1/credentials", request)
    }

    fn time(&self) -> Result<TimeAnswer, ServiceError> {
        self.get("/v1/time")
    }
}

fn read<A: DeserializeOwned>(
    answer: Result<Response<Body>, ureq::Error>,
    expected_status: u16,
) -> Result<A, ServiceError> {
    let mut answer = answer.map_err(unreachable_because)?;
    let status = answer.status().as_u16();
    let bytes = answer
        .body_mut()
        .with_config()
        .limit(MAX_ANSWER)
        .read_to_vec()
        .map_err(|error| match error {
            ureq::Error::BodyExceedsLimit(_) => ServiceError::NotUnderstood,
            other => unreachable_because(other),
        })?;
    read_answer(status, expected_status, &bytes)
}

/// What an answer of the service says.
///
/// # Errors
/// When it is a refusal, or not what was asked for.
#[doc(hidden)]
pub fn read_answer<A: DeserializeOwned>(
    status: u16,
    expected_status: u16,
    bytes: &[u8],
) -> Result<A, ServiceError> {
    if status == expected_status {
        return serde_json::from_slice(bytes).map_err(|_| ServiceError::NotUnderstood);
    }
    match serde_json::from_slice::<Problem>(bytes) {
        Ok(problem) => Err(ServiceError::Refused(printable(&problem.detail))),
        Err(_) => Err(ServiceError::Status(status)),
    }
}

fn unreachable_because(error: ureq::Error) -> ServiceError {
    ServiceError::Unreachable(match error {
        ureq::Error::Io(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            "connection refused".to_owned()
        }
        other => printable(&other.to_string()),
    })
}

/// Text from outside must not steer the terminal (control characters) or flood it.
fn printable(text: &str) -> String {
    text.chars()
        .map(|character| {
            if character.is_control() {
                ' '
            } else {
                character
            }
        })
        .take(MAX_DETAIL)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_the_service_cannot_steer_the_terminal() {
        assert_eq!(printable("a\u{1b}[2Jb\nc\u{9b}d"), "a [2Jb c d");
        assert_eq!(printable(&"長".repeat(1000)).chars().count(), MAX_DETAIL);
    }
}
