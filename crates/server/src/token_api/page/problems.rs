//! The table of problem types.

use serde_json::Value;
use utoipa::PartialSchema as _;
use warifu_wire::ProblemType;

use super::super::problem::ApiProblem;
use super::super::text::Text;

/// A line of the table.
pub(super) struct ProblemRow {
    /// The `type`.
    pub(super) kind: String,
    /// The HTTP status it comes with.
    pub(super) status: u16,
    /// When it happens and what to do.
    pub(super) meaning: Text,
}

/// Every problem type: the list is that of the schema of `ProblemType`, the status the one that is really sent.
pub(super) fn rows() -> Vec<ProblemRow> {
    let schema = serde_json::to_value(ProblemType::schema()).unwrap_or_default();
    let names = schema.get("enum").and_then(Value::as_array);
    names
        .into_iter()
        .flatten()
        .filter_map(|name| {
            let problem: ProblemType = serde_json::from_value(name.clone()).ok()?;
            let meaning = meaning(problem);
            Some(ProblemRow {
                kind: name.as_str()?.to_owned(),
                status: ApiProblem::new(problem, meaning).status().as_u16(),
                meaning,
            })
        })
        .collect()
}

fn meaning(kind: ProblemType) -> Text {
    match kind {
        ProblemType::Malformed => Text {
            en: "The request is not HTTP or JSON as it should be. Mend the client.",
            ja: "HTTP または JSON の形が正しくありません。クライアントを直してください。",
        },
        ProblemType::Unauthorized => Text {
            en: "The API key is missing, unknown or revoked.",
            ja: "API キーがないか、登録がないか、取り消されています。",
        },
        ProblemType::NotFound => Text {
            en: "Nothing is at this path.",
            ja: "この場所には何もありません。",
        },
        ProblemType::UnknownCredential => Text {
            en: "No credential has this ID.",
            ja: "このトークンIDは登録されていません。",
        },
        ProblemType::MethodNotAllowed => Text {
            en: "The path does not take this method; `Allow` says which it takes.",
            ja: "このメソッドは使えません。使えるものは `Allow` にあります。",
        },
        ProblemType::Timeout => Text {
            en: "The body did not arrive in time. Send it again.",
            ja: "本文が時間内に届きませんでした。再送してください。",
        },
        ProblemType::KeyReused => Text {
            en: "The `Idempotency-Key` was used for another request. A new request needs a new key.",
            ja: "`Idempotency-Key` は別の要求に使われています。新しい要求には新しいキーが必要です。",
        },
        ProblemType::TooLarge => Text {
            en: "The body is larger than any message of this interface.",
            ja: "本文が大きすぎます。",
        },
        ProblemType::UnsupportedMediaType => Text {
            en: "The body is not `application/json`.",
            ja: "本文の形式が `application/json` ではありません。",
        },
        ProblemType::InvalidField => Text {
            en: "A field, header or path parameter is not as expected; `errors` names each. No wrong code is counted.",
            ja: "項目、ヘッダー、パスの値が正しくありません。`errors` に一つずつ示します。コードの誤りには数えません。",
        },
        ProblemType::TooManyRequests => Text {
            en: "Too many requests from this address. Come back after `Retry-After` seconds.",
            ja: "この接続元からの要求が多すぎます。`Retry-After` の秒数だけ待ってください。",
        },
        ProblemType::Internal => Text {
            en: "A fault of the service. Its log knows the request by the `instance`.",
            ja: "サービスの不具合です。`instance` の番号で記録を確認できます。",
        },
        ProblemType::Unavailable => Text {
            en: "Overloaded, or the database does not answer: the outcome is unknown. Ask again with the same `Idempotency-Key`.",
            ja: "混み合っているか、データベースが応答しません。結果は不明です。同じ `Idempotency-Key` で再送してください。",
        },
    }
}
