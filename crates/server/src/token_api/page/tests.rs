use serde_json::Value;

use super::interface::Operation;
use super::*;
use crate::token_api::openapi::document;

const BOTH: [Language; 2] = [Language::English, Language::Japanese];

fn operations(api: &Interface) -> impl Iterator<Item = &Operation> {
    api.groups.iter().flat_map(|group| &group.operations)
}

#[test]
fn every_operation_of_the_document_is_on_the_page_in_both_languages() {
    let api = Interface::of_document();
    let document = serde_json::to_value(document()).unwrap();
    let mut told = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            told += 1;
            let id = operation["operationId"].as_str().unwrap();
            let method = method.to_ascii_uppercase();
            assert!(
                operations(&api).any(|o| o.id == id && o.method == method && o.path == *path),
                "{method} {path}"
            );
            for language in BOTH {
                let page = page(language).unwrap();
                assert!(page.contains(&format!("id=\"{id}\"")), "{id}");
                assert!(page.contains(&format!("href=\"#{id}\"")), "{id}");
            }
        }
    }
    assert_eq!(operations(&api).count(), told);
}

#[test]
fn every_schema_that_the_document_refers_to_is_shown_with_its_fields_and_words() {
    let document = serde_json::to_value(document()).unwrap();
    let page = page(Language::English).unwrap();
    let mut schemas = 0;
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        schemas += 1;
        assert!(page.contains(&format!(">{name}<")), "{name}");
        for word in parts(schema) {
            assert!(
                page.contains(&format!("<code>{word}</code>")),
                "{name}: {word}"
            );
        }
    }
    assert!(schemas > 5);
}

/// The names of a schema's fields and the words of its enumerations.
fn parts(schema: &Value) -> Vec<String> {
    let mut found = Vec::new();
    match schema {
        Value::Object(members) => {
            for (name, member) in members {
                match (name.as_str(), member) {
                    ("properties", Value::Object(fields)) => found.extend(fields.keys().cloned()),
                    ("enum", Value::Array(words)) => {
                        found.extend(words.iter().filter_map(Value::as_str).map(str::to_owned));
                    }
                    _ => {}
                }
                found.extend(parts(member));
            }
        }
        Value::Array(elements) => found.extend(elements.iter().flat_map(parts)),
        _ => {}
    }
    found
}

#[test]
fn every_problem_type_is_told_with_the_status_that_its_comment_names() {
    // The comments of `ProblemType` begin with the status; the table's comes from the code that answers.
    let source = include_str!("../../../../wire/src/problem.rs");
    let rows = problems::rows();
    assert_eq!(rows.len(), source.matches("urn:warifu:problem:").count());
    for row in &rows {
        let (before, _) = source.split_once(&format!("\"{}\"", row.kind)).unwrap();
        let (_, comment) = before.rsplit_once("/// ").unwrap();
        assert!(comment.starts_with(&row.status.to_string()), "{}", row.kind);
        for language in BOTH {
            assert!(page(language).unwrap().contains(&row.kind));
        }
    }
}

#[test]
fn the_page_needs_no_script_and_no_style_of_its_own_and_names_its_language() {
    for (language, start) in BOTH
        .into_iter()
        .zip(["<html lang=\"en\">", "<html lang=\"ja\">"])
    {
        let page = page(language).unwrap();
        assert!(page.contains(start));
        for barred in [
            "style=",
            "<style",
            "<script",
            "javascript:",
            " onclick",
            " onload",
        ] {
            assert!(!page.contains(barred), "{barred}");
        }
    }
    assert!(page(Language::Japanese).unwrap().contains("エラーの種類"));
}

#[test]
fn each_asset_is_found_by_the_name_that_the_page_gives_it() {
    let page = page(Language::English).unwrap();
    for asset in [&STYLE, &MARK] {
        assert!(page.contains(&format!("/assets/{}", asset.name())));
        assert!(named(&asset.name()).is_some());
    }
    assert!(named("api.css").is_none());
}

#[test]
fn a_command_is_whole() {
    let api = Interface::of_document();
    for operation in operations(&api) {
        let command = &operation.curl;
        assert!(
            !command.contains("null"),
            "no example for a field: {command}"
        );
        assert!(
            !command.contains('{') || operation.body.is_some(),
            "{command}"
        );
        assert_eq!(command.contains("$API_KEY"), operation.with_key);
    }
}
