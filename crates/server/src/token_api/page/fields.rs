//! Fields of a message, from the document's schemas.

use serde_json::{Map, Value};

use super::rich::Rich;

/// The schemas that the document names, to follow `$ref`.
pub(super) struct Schemas(pub(super) Map<String, Value>);

/// One field, or one parameter.
#[derive(Debug, Clone)]
pub(super) struct Field {
    /// Its name.
    pub(super) name: String,
    /// Its JSON type.
    pub(super) kind: String,
    /// The schema it refers to.
    pub(super) schema: Option<String>,
    /// Whether it is always there.
    pub(super) required: bool,
    /// Whether it may be `null`.
    pub(super) nullable: bool,
    /// The words it may be, if they are few.
    pub(super) values: Vec<String>,
    /// A regular expression that it matches.
    pub(super) pattern: Option<String>,
    /// What it means.
    pub(super) description: Rich,
    /// A value as it could be.
    pub(super) example: Option<Value>,
    /// The fields of an object, or of the objects in an array.
    pub(super) inner: Vec<Field>,
}

impl Field {
    /// The example as one reads it: a text without its quotes.
    pub(super) fn example_text(&self) -> Option<String> {
        self.example.as_ref().map(|value| {
            value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned)
        })
    }
}

impl Schemas {
    /// The name of a schema, if it has one, and the schema itself.
    pub(super) fn resolve<'a>(&'a self, schema: &'a Value) -> (Option<&'a str>, &'a Value) {
        let name = text(schema, "$ref").and_then(|path| path.rsplit('/').next());
        let target = name.and_then(|name| self.0.get(name)).unwrap_or(schema);
        (name, target)
    }

    /// The fields of an object: those that are always there first, in the order of the code.
    pub(super) fn fields(&self, object: &Value) -> Vec<Field> {
        let Some(properties) = object.get("properties").and_then(Value::as_object) else {
            return Vec::new();
        };
        let required: Vec<&str> = list(object, "required").filter_map(Value::as_str).collect();
        let optional = properties
            .keys()
            .map(String::as_str)
            .filter(|name| !required.contains(name));
        required
            .iter()
            .copied()
            .chain(optional)
            .filter_map(|name| {
                let schema = properties.get(name)?;
                Some(self.field(name, schema, required.contains(&name)))
            })
            .collect()
    }

    /// One field of a schema.
    pub(super) fn field(&self, name: &str, schema: &Value, required: bool) -> Field {
        // `Option<T>` of a named schema is written as one of the schema and null.
        let own = list(schema, "oneOf")
            .find(|one| text(one, "type") != Some("null"))
            .unwrap_or(schema);
        let (reference, target) = self.resolve(own);
        let (item_reference, item) = target
            .get("items")
            .map_or((None, target), |items| self.resolve(items));
        let nullable = list(schema, "oneOf").any(|one| text(one, "type") == Some("null"))
            || list(target, "type").any(|kind| kind == "null");
        let description = text(own, "description").or_else(|| text(target, "description"));
        Field {
            name: name.to_owned(),
            kind: kind(target),
            schema: reference.or(item_reference).map(str::to_owned),
            required,
            nullable,
            values: words(target),
            pattern: text(target, "pattern").map(str::to_owned),
            description: Rich::new(description.unwrap_or_default()),
            example: own.get("example").or(target.get("example")).cloned(),
            inner: self.fields(item),
        }
    }
}

/// A text of an object.
pub(super) fn text<'a>(object: &'a Value, name: &str) -> Option<&'a str> {
    object.get(name).and_then(Value::as_str)
}

/// The elements of an array of an object.
pub(super) fn list<'a>(object: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    let array = object.get(name).and_then(Value::as_array);
    array.into_iter().flatten()
}

/// The words of an enumeration.
pub(super) fn words(schema: &Value) -> Vec<String> {
    list(schema, "enum")
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

fn kind(schema: &Value) -> String {
    let kind = text(schema, "type")
        .or_else(|| {
            list(schema, "type")
                .filter_map(Value::as_str)
                .find(|kind| *kind != "null")
        })
        .unwrap_or("value");
    match text(schema, "format") {
        // The width that Rust keeps a number in tells the reader nothing.
        Some(format) if !format.starts_with("int") => format!("{kind}, {format}"),
        _ => kind.to_owned(),
    }
}
