//! A request to copy, for each operation.

use std::fmt::Write as _;

use serde_json::Value;

use super::fields::Field;
use super::interface::Operation;

/// Values for fields of which the document has no example.
const EXAMPLES: [(&str, &str); 2] = [
    // Alice's of RFC 7748 §6.1: her private key is public, so nobody takes it for a key to use.
    ("public_key", "hSDwCYkwp1R0i33ctD73Wg2_Og0mOBr066SpjqqbTmo"),
    // The shell makes a new one each second; a name for one request must not be a fixed text in an example.
    ("Idempotency-Key", "example-$(date +%s)"),
];

/// The command; `$BASE` and `$API_KEY` are set before.
pub(super) fn command(operation: &Operation) -> String {
    let mut path = operation.path.clone();
    for field in &operation.in_path {
        path = path.replace(&format!("{{{}}}", field.name), &word(field));
    }
    let mut command = String::from("curl ");
    if operation.method != "GET" {
        let _ = write!(command, "-X {} ", operation.method);
    }
    let _ = write!(command, "\"$BASE{path}\"");
    let mut option = |option: &str| {
        let _ = write!(command, " \\\n  {option}");
    };
    if operation.with_key {
        option("-H \"Authorization: Bearer $API_KEY\"");
    }
    for field in &operation.in_headers {
        option(&format!("-H \"{}: {}\"", field.name, word(field)));
    }
    if let Some(body) = &operation.body {
        let members: Vec<String> = body
            .fields
            .iter()
            .map(|field| format!("{}: {}", Value::from(field.name.as_str()), example(field)))
            .collect();
        option("-H \"Content-Type: application/json\"");
        option(&format!("-d '{{{}}}'", members.join(", ")));
    }
    command
}

fn word(field: &Field) -> String {
    let value = example(field);
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

fn example(field: &Field) -> Value {
    let known = EXAMPLES.iter().find(|(name, _)| *name == field.name);
    field
        .example
        .clone()
        .or_else(|| field.values.first().map(|value| value.as_str().into()))
        .or_else(|| known.map(|(_, value)| (*value).into()))
        .unwrap_or(Value::Null)
}
