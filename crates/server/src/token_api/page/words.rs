//! The page's own words. What an operation does is told by the document, in English.

use super::super::text::Text;

/// Each place of the page that has words of its own.
pub(super) struct Words {
    pub(super) title: Text,
    pub(super) intro: Text,
    pub(super) skip: Text,
    pub(super) contents: Text,
    pub(super) version: Text,
    pub(super) machine: Text,
    pub(super) start: Text,
    pub(super) start_text: Text,
    pub(super) start_set: Text,
    pub(super) start_base: Text,
    pub(super) start_key: Text,
    pub(super) key: Text,
    pub(super) key_text: Text,
    pub(super) retry: Text,
    pub(super) retry_text: Text,
    pub(super) problems: Text,
    pub(super) problems_text: Text,
    pub(super) problems_code: Text,
    pub(super) problem_table: Text,
    pub(super) problem_fields: Text,
    pub(super) status: Text,
    pub(super) meaning: Text,
    pub(super) with_key: Text,
    pub(super) no_key: Text,
    pub(super) in_path: Text,
    pub(super) in_headers: Text,
    pub(super) in_query: Text,
    pub(super) body: Text,
    pub(super) empty_body: Text,
    pub(super) answer: Text,
    pub(super) one_of: Text,
    pub(super) problem_answers: Text,
    pub(super) more: Text,
    pub(super) example: Text,
    pub(super) example_of: Text,
    pub(super) required: Text,
    pub(super) optional: Text,
    pub(super) or_null: Text,
    pub(super) one_word_of: Text,
    pub(super) pattern: Text,
    pub(super) sample: Text,
    pub(super) foot: Text,
}

/// The heading of a tag's operations.
pub(super) fn group_title(tag: &str) -> Option<Text> {
    match tag {
        "token" => Some(Text {
            en: "For token apps",
            ja: "トークンアプリ向け",
        }),
        "relying party" => Some(Text {
            en: "For relying parties",
            ja: "依拠当事者（金融機関など）向け",
        }),
        _ => None,
    }
}

const fn text(en: &'static str, ja: &'static str) -> Text {
    Text { en, ja }
}

/// The words.
pub(super) static WORDS: Words = Words {
    title: text("Token service API", "トークンサービス API"),
    intro: text(
        "The token service keeps the credentials of software tokens and checks their one-time passwords for those who rely on them, such as a bank. A token app registers itself here; a relying party has codes checked, and stops or unlocks a token.",
        "トークンサービスは、ソフトウェアトークンの登録情報を管理し、金融機関などの依拠当事者に代わってワンタイムパスワードを照合します。トークンアプリはここに自分を登録し、依拠当事者はコードの照合、トークンの停止、ロックの解除を行います。",
    ),
    skip: text("Skip to the content", "本文へ移動"),
    contents: text("Contents", "目次"),
    version: text("Version", "バージョン"),
    machine: text("OpenAPI 3.1 (JSON)", "OpenAPI 3.1（JSON）"),
    start: text("Getting started", "はじめに"),
    start_text: text(
        "Every path starts at the address of this page. Messages are JSON in UTF-8; bytes are base64url without padding, times are RFC 3339 in UTC. Every answer carries `X-Request-Id`, the request's name in the service's log; send one of your own (up to 64 letters, digits, `-`, `_` and `.`) and it is kept.",
        "どのパスも、このページのアドレスから始まります。本文は UTF-8 の JSON、バイト列はパディングなしの base64url、時刻は RFC 3339（UTC）で表します。応答には必ず `X-Request-Id`（サービスの記録での要求の名前）が付きます。英数字と `-`、`_`、`.` の64文字までなら、送った値がそのまま使われます。",
    ),
    start_set: text(
        "To try the examples in a shell, set these first.",
        "例をシェルで試すときは、先に次の値を設定してください。",
    ),
    start_base: text("the address of this page", "このページのアドレス"),
    start_key: text("see the next section", "次の項を参照"),
    key: text("API key", "API キー"),
    key_text: text(
        "Operations for token apps need no key. Operations for relying parties need the key of one: `Authorization: Bearer KEY`. The operator makes it with `warifu relying-party add NAME`, which shows it once; the service keeps only its hash. Send it over TLS only.",
        "トークンアプリ向けの操作にキーは要りません。依拠当事者向けの操作には、`Authorization: Bearer KEY` の形で API キーを付けます。キーは運用者が `warifu relying-party add NAME` で作り、その時だけ表示されます。サービスにはハッシュだけが残ります。必ず TLS で送ってください。",
    ),
    retry: text("Asking again", "再送"),
    retry_text: text(
        "Each POST of a relying party carries an `Idempotency-Key`. When no answer comes, or 503, the outcome is unknown: send the same request with the same key. It gives the same answer again and spends no code twice. The same key with another request is refused (409).",
        "依拠当事者の POST には `Idempotency-Key` を付けます。応答がないときや 503 のときは結果が不明です。同じ要求を同じキーで再送してください。同じ応答が返り、コードが二重に使われることはありません。同じキーで別の要求を送ると拒否されます（409）。",
    ),
    problems: text("Problems", "エラー"),
    problems_text: text(
        "What is wrong with a request is told in a problem document (RFC 9457, `application/problem+json`). Programs compare `type`, which is stable; the other words are for people, in English or Japanese by `Accept-Language`.",
        "要求に問題があれば、RFC 9457 の問題文書（`application/problem+json`）で答えます。プログラムでは、変わることのない `type` を見てください。ほかの文は人が読むためのもので、`Accept-Language` に応じて日本語か英語になります。",
    ),
    problems_code: text(
        "A wrong code is no problem in this sense: it is answered 200, and `result` says so.",
        "コードの誤りはここでいうエラーではありません。200 で答え、`result` に結果を示します。",
    ),
    problem_table: text("Problem types", "エラーの種類"),
    problem_fields: text("Fields of a problem document", "問題文書の項目"),
    status: text("Status", "ステータス"),
    meaning: text("Meaning", "意味"),
    with_key: text("API key needed", "API キーが必要"),
    no_key: text("No key", "キー不要"),
    in_path: text("In the path", "パス"),
    in_headers: text("Headers", "ヘッダー"),
    in_query: text("Query", "クエリー"),
    body: text("Request body", "要求の本文"),
    empty_body: text("An empty object: `{}`", "空のオブジェクト `{}`"),
    answer: text("Answer", "応答"),
    one_of: text(
        "`result` says which of these it is.",
        "`result` の値で見分けます。",
    ),
    problem_answers: text("Problems:", "エラー："),
    more: text("All problem types", "エラーの種類の一覧"),
    example: text("Example", "例"),
    example_of: text("Example of", "例："),
    required: text("required", "必須"),
    optional: text("may be absent", "省略あり"),
    or_null: text("or null", "null あり"),
    one_word_of: text("One of:", "次のどれか："),
    pattern: text("Pattern:", "形式："),
    sample: text("For example:", "例："),
    foot: text(
        "This page is made from the OpenAPI description by the program that serves it.",
        "このページは、サービスを動かしているプログラムが OpenAPI の記述から作っています。操作の説明は英語です。",
    ),
};
