//! From a request's bytes to a message that means something, or to a problem that names the field.

use std::future::{Future as _, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody as _, to_bytes};
use axum::http::{HeaderMap, header};
use serde::de::DeserializeOwned;
use serde_json::Value;
use warifu_wire::ProblemType;

use super::problem::ApiProblem;
use super::text::Text;

/// The longest body, bytes: the largest message has some hundred.
pub(super) const LIMIT: usize = 16 * 1024;

/// How long a body may take to arrive.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A field of a message, and what is expected there.
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) expected: Text,
    pub(super) fits: fn(&Value) -> bool,
}

/// A JSON object that a POST takes.
pub(super) trait Message: DeserializeOwned {
    /// What it means once every field is as expected.
    type Meaning;
    /// Its fields, all required.
    const FIELDS: &'static [Field];
    /// `None` when a field is not as expected.
    fn meaning(self) -> Option<Self::Meaning>;
}

/// Reads a body and what it means.
pub(super) async fn read<M: Message>(
    headers: &HeaderMap,
    body: Body,
) -> Result<M::Meaning, ApiProblem> {
    read_within::<M>(TIMEOUT, headers, body).await
}

async fn read_within<M: Message>(
    patience: Duration,
    headers: &HeaderMap,
    body: Body,
) -> Result<M::Meaning, ApiProblem> {
    require_json(headers)?;
    if body.size_hint().lower() > LIMIT as u64 {
        return Err(too_large());
    }
    let bytes = match arrived(body, patience).await {
        Some(Ok(bytes)) => bytes,
        // Too long, or cut off on the way: to the latter nobody listens any more.
        Some(Err(_)) => return Err(too_large()),
        None => {
            return Err(ApiProblem::new(
                ProblemType::Timeout,
                Text {
                    en: "The body did not arrive within 10 seconds.",
                    ja: "本文が10秒以内に届きませんでした。",
                },
            ));
        }
    };
    understand::<M>(&bytes)
}

/// The bytes of a body; none where they take longer than `patience`.
async fn arrived(body: Body, patience: Duration) -> Option<Result<Bytes, axum::Error>> {
    let mut whole = pin!(to_bytes(body, LIMIT));
    // Most bodies came with their heads: no clock is set for them.
    match poll_fn(|context| Poll::Ready(whole.as_mut().poll(context))).await {
        Poll::Ready(bytes) => Some(bytes),
        Poll::Pending => tokio::time::timeout(patience, whole).await.ok(),
    }
}

/// What the bytes of a body mean.
pub(super) fn understand<M: Message>(bytes: &[u8]) -> Result<M::Meaning, ApiProblem> {
    // serde would take an array of a struct's fields for the struct.
    let is_object = bytes.trim_ascii_start().starts_with(b"{");
    let message = is_object
        .then(|| serde_json::from_slice::<M>(bytes).ok())
        .flatten();
    message
        .and_then(M::meaning)
        .ok_or_else(|| diagnose(bytes, M::FIELDS))
}

/// What is wrong with a body that means nothing. Only the refused pay for the second look.
fn diagnose(bytes: &[u8], fields: &[Field]) -> ApiProblem {
    let not_json = Text {
        en: "The body is not JSON (RFC 8259).",
        ja: "本文が JSON（RFC 8259）ではありません。",
    };
    let Ok(value) = serde_json::from_slice::<Value>(bytes) else {
        return ApiProblem::malformed(not_json);
    };
    let Value::Object(object) = value else {
        return ApiProblem::malformed(Text {
            en: "The body is not a JSON object.",
            ja: "本文が JSON オブジェクトではありません。",
        });
    };
    let mut wrong: Vec<_> = fields
        .iter()
        .filter(|field| !object.get(field.name).is_some_and(field.fits))
        .map(|field| (field.name, field.expected))
        .collect();
    if object
        .keys()
        .any(|name| !fields.iter().any(|field| field.name == name))
    {
        wrong.push((
            "(body)",
            Text {
                en: "no other fields than the documented ones",
                ja: "文書にある項目だけ",
            },
        ));
    }
    if wrong.is_empty() {
        return ApiProblem::malformed(Text {
            en: "A field stands twice in the body.",
            ja: "本文に同じ項目が2回あります。",
        });
    }
    ApiProblem::fields(wrong)
}

/// `application/json`, with whatever parameters.
fn require_json(headers: &HeaderMap) -> Result<(), ApiProblem> {
    let is_json = |value: &str| {
        value
            .split(';')
            .next()
            .is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"))
    };
    match headers
        .get(header::CONTENT_TYPE)
        .map(|value| value.to_str())
    {
        Some(Ok(value)) if is_json(value) => Ok(()),
        _ => Err(ApiProblem::new(
            ProblemType::UnsupportedMediaType,
            Text {
                en: "Send the body as Content-Type: application/json.",
                ja: "本文は Content-Type: application/json で送ってください。",
            },
        )),
    }
}

fn too_large() -> ApiProblem {
    ApiProblem::new(
        ProblemType::TooLarge,
        Text {
            en: "The body is larger than 16 KiB.",
            ja: "本文が 16 KiB を超えています。",
        },
    )
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::convert::Infallible;
    use std::pin::Pin;
    use std::task::Context;

    use axum::http::HeaderValue;
    use hyper::body::Frame;
    use warifu_wire::Nothing;

    use super::*;

    /// A body in pieces, each of which is waited for.
    struct Pieces {
        left: VecDeque<&'static str>,
        waited: bool,
        ends: bool,
    }

    impl hyper::body::Body for Pieces {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            context: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            if !std::mem::replace(&mut self.waited, true) {
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            self.waited = false;
            match self.left.pop_front() {
                Some(piece) => {
                    Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(piece.as_bytes())))))
                }
                None if self.ends => Poll::Ready(None),
                None => Poll::Pending,
            }
        }
    }

    #[tokio::test]
    async fn a_body_may_come_in_pieces_and_one_whose_end_never_comes_is_given_up() {
        let mut headers = HeaderMap::new();
        let json = HeaderValue::from_static("application/json");
        headers.insert(header::CONTENT_TYPE, json);
        for (ends, patience, told) in [
            (true, Duration::from_secs(60), None),
            (false, Duration::from_millis(20), Some(ProblemType::Timeout)),
        ] {
            let pieces = Pieces {
                left: ["{", "}"].into(),
                waited: false,
                ends,
            };
            let read = read_within::<Nothing>(patience, &headers, Body::new(pieces)).await;
            assert_eq!(read.err().map(|problem| problem.kind), told);
        }
    }

    #[test]
    fn a_body_that_is_there_at_once_sets_no_clock() {
        // Whoever set one would panic: there is none.
        let without_clock = tokio::runtime::Builder::new_current_thread().build();
        let arrived = arrived(Body::from("{}"), Duration::ZERO);
        let bytes = without_clock.unwrap().block_on(arrived);
        assert_eq!(bytes.unwrap().unwrap(), "{}");
    }
}
