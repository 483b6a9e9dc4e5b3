//! What is wrong with a request, or with us (RFC 9457).

use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use warifu_wire::{FieldError, Problem, ProblemType};

use super::text::{Language, Text};
use crate::database::DatabaseError;
use crate::store::settle::Refusal;

/// A problem on its way to the client. `layer` writes it out.
#[derive(Debug, Clone)]
pub struct ApiProblem {
    /// What kind.
    pub kind: ProblemType,
    /// What happened.
    pub detail: Text,
    /// Fields that are not as expected.
    pub fields: Vec<(&'static str, Text)>,
    /// Seconds after which to come back.
    pub retry_after: Option<u64>,
    /// For the log, never for the client: no secret, code or key.
    pub cause: Option<String>,
    /// Whether nothing of the request was looked at, since too much is in work.
    pub turned_away: bool,
}

/// Seconds after which a client should ask again when we could not answer.
const RETRY_SECONDS: u64 = 1;

impl ApiProblem {
    /// A problem of a kind.
    #[must_use]
    pub fn new(kind: ProblemType, detail: Text) -> Self {
        Self {
            kind,
            detail,
            fields: Vec::new(),
            retry_after: None,
            cause: None,
            turned_away: false,
        }
    }

    /// Too much is in work already.
    #[must_use]
    pub fn turned_away() -> Self {
        let detail = Text {
            en: "More requests come than can be in work at once. Nothing of this one was done. Ask again with the same Idempotency-Key.",
            ja: "要求が集中しているため、この要求は処理していません。同じ Idempotency-Key で再送してください。",
        };
        Self {
            retry_after: Some(RETRY_SECONDS),
            turned_away: true,
            ..Self::new(ProblemType::Unavailable, detail)
        }
    }

    /// A request that is not HTTP or JSON as it should be.
    #[must_use]
    pub fn malformed(detail: Text) -> Self {
        Self::new(ProblemType::Malformed, detail)
    }

    /// Fields that are not as expected.
    #[must_use]
    pub fn fields(fields: Vec<(&'static str, Text)>) -> Self {
        let detail = Text {
            en: "A field is not as expected; errors says which and what is.",
            ja: "項目の値が正しくありません。errors に項目と正しい形を示します。",
        };
        Self {
            fields,
            ..Self::new(ProblemType::InvalidField, detail)
        }
    }

    /// One field that is not as expected.
    #[must_use]
    pub fn field(name: &'static str, expected: Text) -> Self {
        Self::fields(vec![(name, expected)])
    }

    /// No API key in force.
    #[must_use]
    pub fn unauthorized() -> Self {
        Self::new(
            ProblemType::Unauthorized,
            Text {
                en: "Send the API key of a relying party: Authorization: Bearer KEY. The key is missing, unknown or revoked.",
                ja: "依拠当事者の API キーを Authorization: Bearer KEY で送ってください。キーがないか、無効です。",
            },
        )
    }

    pub(crate) fn internal(cause: String) -> Self {
        let detail = Text {
            en: "The service could not finish this request. The log knows it by the request ID.",
            ja: "サービスの内部で問題が起きました。instance の番号で記録を確認できます。",
        };
        Self {
            cause: Some(cause),
            ..Self::new(ProblemType::Internal, detail)
        }
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self.kind {
            ProblemType::Malformed => StatusCode::BAD_REQUEST,
            ProblemType::Unauthorized => StatusCode::UNAUTHORIZED,
            ProblemType::NotFound | ProblemType::UnknownCredential => StatusCode::NOT_FOUND,
            ProblemType::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            ProblemType::Timeout => StatusCode::REQUEST_TIMEOUT,
            ProblemType::KeyReused => StatusCode::CONFLICT,
            ProblemType::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            ProblemType::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            ProblemType::InvalidField => StatusCode::UNPROCESSABLE_ENTITY,
            ProblemType::TooManyRequests => StatusCode::TOO_MANY_REQUESTS,
            ProblemType::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            ProblemType::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The document, and the headers that belong to it.
    pub(super) fn write(&self, language: Language, instance: String) -> Response {
        let problem = Problem {
            kind: self.kind,
            title: title(self.kind).of(language).into(),
            status: self.status().as_u16(),
            detail: self.detail.of(language).into(),
            instance: Some(instance),
            errors: self
                .fields
                .iter()
                .map(|(field, expected)| FieldError {
                    field: (*field).into(),
                    expected: expected.of(language).into(),
                })
                .collect(),
        };
        let body = serde_json::to_vec(&problem).unwrap_or_default();
        let mut response = (self.status(), body).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        headers.insert(
            header::CONTENT_LANGUAGE,
            HeaderValue::from_static(if language == Language::Japanese {
                "ja"
            } else {
                "en"
            }),
        );
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.kind == ProblemType::Unauthorized {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl IntoResponse for ApiProblem {
    /// Without its body: `layer` knows the language and the request's name.
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<DatabaseError> for ApiProblem {
    fn from(error: DatabaseError) -> Self {
        let cause = error.to_string();
        match error {
            DatabaseError::Overloaded
            | DatabaseError::Timeout
            | DatabaseError::Unconfirmed
            | DatabaseError::Gone
            | DatabaseError::Sqlite(_)
            | DatabaseError::Postgres(_) => Self {
                retry_after: Some(RETRY_SECONDS),
                cause: Some(cause),
                ..Self::new(
                    ProblemType::Unavailable,
                    Text {
                        en: "The service is overloaded or its database does not answer. Ask again with the same Idempotency-Key.",
                        ja: "サービスが混み合っているか、データベースが応答しません。同じ Idempotency-Key で再送してください。",
                    },
                )
            },
            DatabaseError::Count { .. }
            | DatabaseError::Stored { .. }
            | DatabaseError::Schema(_)
            | DatabaseError::Undone(_)
            | DatabaseError::Secret(_) => Self::internal(cause),
        }
    }
}

impl From<Refusal> for ApiProblem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::UnknownCredential => Self::new(
                ProblemType::UnknownCredential,
                Text {
                    en: "No credential has this ID.",
                    ja: "このトークンIDは登録されていません。",
                },
            ),
            Refusal::RequestReused => Self::new(
                ProblemType::KeyReused,
                Text {
                    en: "This Idempotency-Key was used for another request. Use a new key for a new request.",
                    ja: "この Idempotency-Key は別の要求に使われています。新しい要求には新しいキーを使ってください。",
                },
            ),
            Refusal::PartyRevoked => Self::unauthorized(),
            Refusal::CodeLength(6) => Self::field(
                "code",
                Text {
                    en: "6 ASCII digits",
                    ja: "6桁の半角数字",
                },
            ),
            Refusal::CodeLength(7) => Self::field(
                "code",
                Text {
                    en: "7 ASCII digits",
                    ja: "7桁の半角数字",
                },
            ),
            Refusal::CodeLength(_) => Self::field(
                "code",
                Text {
                    en: "8 ASCII digits",
                    ja: "8桁の半角数字",
                },
            ),
            Refusal::MissingKey(version) => {
                Self::internal(format!("the master key {version} is not at hand"))
            }
            Refusal::BrokenSeal => {
                Self::internal("a credential's seal does not open: the database was changed".into())
            }
        }
    }
}

/// Any path that nobody serves.
pub(crate) async fn not_found() -> ApiProblem {
    ApiProblem::new(
        ProblemType::NotFound,
        Text {
            en: "Nothing is at this path. /v1/openapi.json lists what is.",
            ja: "この場所には何もありません。/v1/openapi.json に一覧があります。",
        },
    )
}

/// A path that takes other methods; axum adds which ones.
pub(super) async fn method_not_allowed(_: Method) -> ApiProblem {
    ApiProblem::new(
        ProblemType::MethodNotAllowed,
        Text {
            en: "This path does not take this method; Allow says which it takes.",
            ja: "このメソッドは使えません。使えるものは Allow にあります。",
        },
    )
}

fn title(kind: ProblemType) -> Text {
    match kind {
        ProblemType::Malformed => Text {
            en: "Malformed request",
            ja: "要求の形が正しくありません",
        },
        ProblemType::Unauthorized => Text {
            en: "No valid API key",
            ja: "API キーが無効です",
        },
        ProblemType::NotFound => Text {
            en: "Not found",
            ja: "見つかりません",
        },
        ProblemType::UnknownCredential => Text {
            en: "Unknown credential",
            ja: "登録のないトークンIDです",
        },
        ProblemType::MethodNotAllowed => Text {
            en: "Method not allowed",
            ja: "使えないメソッドです",
        },
        ProblemType::Timeout => Text {
            en: "Request took too long",
            ja: "要求が時間内に届きませんでした",
        },
        ProblemType::KeyReused => Text {
            en: "Idempotency key reused",
            ja: "Idempotency-Key が再利用されています",
        },
        ProblemType::TooLarge => Text {
            en: "Request too large",
            ja: "要求が大きすぎます",
        },
        ProblemType::UnsupportedMediaType => Text {
            en: "Unsupported media type",
            ja: "対応していない形式です",
        },
        ProblemType::InvalidField => Text {
            en: "Invalid field",
            ja: "項目の値が正しくありません",
        },
        ProblemType::TooManyRequests => Text {
            en: "Too many requests",
            ja: "要求が多すぎます",
        },
        ProblemType::Internal => Text {
            en: "Internal error",
            ja: "内部エラー",
        },
        ProblemType::Unavailable => Text {
            en: "Temporarily unavailable",
            ja: "一時的に利用できません",
        },
    }
}
