//! The document in the order in which one reads it.

use serde_json::{Map, Value};
use utoipa::{PartialSchema as _, ToSchema as _};
use warifu_wire::Problem;

use super::super::openapi::document;
use super::curl;
use super::fields::{Field, Schemas, list, text, words};
use super::rich::Rich;

/// Everything that the page says about the interface.
pub(super) struct Interface {
    /// The version of the program.
    pub(super) version: String,
    /// The operations, by who asks.
    pub(super) groups: Vec<Group>,
    /// The fields of a problem document.
    pub(super) problem: Vec<Field>,
}

/// The operations of one tag.
pub(super) struct Group {
    /// The tag.
    pub(super) name: String,
    /// The tag as an anchor.
    pub(super) anchor: String,
    /// Whom it is for.
    pub(super) description: Rich,
    /// Its operations.
    pub(super) operations: Vec<Operation>,
}

/// A method at a path.
pub(super) struct Operation {
    /// The operation ID, also the anchor.
    pub(super) id: String,
    /// `GET` or `POST`.
    pub(super) method: String,
    /// The path.
    pub(super) path: String,
    /// One line.
    pub(super) summary: Rich,
    /// More lines.
    pub(super) description: Rich,
    /// Whether an API key is needed.
    pub(super) with_key: bool,
    /// Parameters in the path.
    pub(super) in_path: Vec<Field>,
    /// Parameters in headers.
    pub(super) in_headers: Vec<Field>,
    /// Parameters after the `?`.
    pub(super) in_query: Vec<Field>,
    /// What is sent.
    pub(super) body: Option<Message>,
    /// What is answered when the request could be dealt with.
    pub(super) answers: Vec<Answer>,
    /// What is answered otherwise: status and meaning.
    pub(super) problems: Vec<(String, Rich)>,
    /// A request to copy.
    pub(super) curl: String,
}

/// A JSON object.
pub(super) struct Message {
    /// The schema's name.
    pub(super) schema: Option<String>,
    /// Its fields; for a message of several variants none.
    pub(super) fields: Vec<Field>,
    /// Its variants, if `result` says which.
    pub(super) variants: Vec<Variant>,
}

/// An answer that is not a problem.
pub(super) struct Answer {
    /// The HTTP status.
    pub(super) status: String,
    /// When it is given.
    pub(super) description: Rich,
    /// What it holds.
    pub(super) message: Message,
}

/// One of the answers that `result` tells apart.
pub(super) struct Variant {
    /// The value of `result`.
    pub(super) result: String,
    /// When it is given.
    pub(super) meaning: Rich,
    /// What it holds besides `result`.
    pub(super) fields: Vec<Field>,
}

/// The member that tells variants apart.
const TAG: &str = "result";

impl Interface {
    /// The interface as the document tells it.
    pub(super) fn of_document() -> Self {
        let document = serde_json::to_value(document()).unwrap_or_default();
        let schemas = schemas(&document);
        let problem = serde_json::to_value(Problem::schema()).unwrap_or_default();
        Self {
            version: document
                .pointer("/info/version")
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned(),
            groups: list(&document, "tags")
                .map(|tag| group(&schemas, &document, tag))
                .collect(),
            problem: schemas.fields(&problem),
        }
    }
}

/// The document's schemas, and those of a problem: its answers hold that one in place, without naming its parts.
fn schemas(document: &Value) -> Schemas {
    let named = document
        .pointer("/components/schemas")
        .and_then(Value::as_object);
    let mut all: Map<String, Value> = named.cloned().unwrap_or_default();
    let mut parts = Vec::new();
    Problem::schemas(&mut parts);
    for (name, schema) in parts {
        all.entry(name)
            .or_insert_with(|| serde_json::to_value(schema).unwrap_or_default());
    }
    Schemas(all)
}

fn group(schemas: &Schemas, document: &Value, tag: &Value) -> Group {
    let name = text(tag, "name").unwrap_or_default();
    let mut operations = Vec::new();
    let paths = document.get("paths").and_then(Value::as_object);
    for (path, methods) in paths.into_iter().flatten() {
        for (method, told) in methods.as_object().into_iter().flatten() {
            if list(told, "tags").any(|tag| tag == name) {
                operations.push(operation(schemas, path, method, told));
            }
        }
    }
    Group {
        name: name.to_owned(),
        anchor: format!("group-{}", name.replace(' ', "-")),
        description: Rich::new(text(tag, "description").unwrap_or_default()),
        operations,
    }
}

fn operation(schemas: &Schemas, path: &str, method: &str, told: &Value) -> Operation {
    let parameters = |place: &str| -> Vec<Field> {
        list(told, "parameters")
            .filter(|parameter| text(parameter, "in") == Some(place))
            .map(|parameter| parameter_field(schemas, parameter))
            .collect()
    };
    let summary = Rich::new(text(told, "summary").unwrap_or_default());
    let (answers, problems) = answers(schemas, told, &summary);
    let mut operation = Operation {
        id: text(told, "operationId").unwrap_or_default().to_owned(),
        method: method.to_ascii_uppercase(),
        path: path.to_owned(),
        summary,
        description: Rich::new(text(told, "description").unwrap_or_default()),
        with_key: list(told, "security").next().is_some(),
        in_path: parameters("path"),
        in_headers: parameters("header"),
        in_query: parameters("query"),
        body: told
            .pointer("/requestBody/content/application~1json/schema")
            .map(|schema| message(schemas, schema, &Rich::new(""))),
        answers,
        problems,
        curl: String::new(),
    };
    operation.curl = curl::command(&operation);
    operation
}

fn parameter_field(schemas: &Schemas, parameter: &Value) -> Field {
    let name = text(parameter, "name").unwrap_or_default();
    let required = parameter.get("required") == Some(&Value::Bool(true));
    let schema = parameter.get("schema").unwrap_or(&Value::Null);
    let field = schemas.field(name, schema, required);
    Field {
        description: Rich::new(text(parameter, "description").unwrap_or_default()),
        example: parameter.get("example").cloned().or(field.example),
        ..field
    }
}

fn answers(schemas: &Schemas, told: &Value, summary: &Rich) -> (Vec<Answer>, Vec<(String, Rich)>) {
    let (mut answers, mut problems) = (Vec::new(), Vec::new());
    let responses = told.get("responses").and_then(Value::as_object);
    for (status, response) in responses.into_iter().flatten() {
        let description = Rich::new(text(response, "description").unwrap_or_default());
        match response.pointer("/content/application~1json/schema") {
            Some(schema) => answers.push(Answer {
                status: status.clone(),
                description,
                message: message(schemas, schema, summary),
            }),
            None => problems.push((status.clone(), description)),
        }
    }
    (answers, problems)
}

fn message(schemas: &Schemas, schema: &Value, summary: &Rich) -> Message {
    let (name, target) = schemas.resolve(schema);
    Message {
        schema: name.map(str::to_owned),
        fields: schemas.fields(target),
        variants: list(target, "oneOf")
            .filter_map(|variant| self::variant(schemas, variant, summary))
            .collect(),
    }
}

fn variant(schemas: &Schemas, variant: &Value, summary: &Rich) -> Option<Variant> {
    let tag = variant.pointer(&format!("/properties/{TAG}"))?;
    let fields = schemas.fields(variant);
    Some(Variant {
        result: words(tag).into_iter().next()?,
        // utoipa leaves a lone variant's comment out; what the operation does is then what the answer says was done.
        meaning: text(variant, "description").map_or_else(|| summary.clone(), Rich::new),
        fields: fields
            .into_iter()
            .filter(|field| field.name != TAG)
            .collect(),
    })
}
