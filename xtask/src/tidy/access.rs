//! Every route of the bank's pages has a row in the table of the access test.

use super::Source;

/// Where the tables are.
const TABLES: &str = "crates/server/tests/it/bank/access.rs";

/// Where routes are, and the table each goes by.
const ROUTES: [(&str, &str); 2] = [
    ("crates/server/src/bank_web/routes.rs", "CUSTOMERS"),
    ("crates/server/src/staff_web/routes.rs", "STAFF"),
];

/// Faults: a route that no row of its table names, or nothing to look at.
pub(crate) fn check(sources: &[Source]) -> Vec<String> {
    let text = |path: &str| {
        let found = sources.iter().find(|source| source.path == path);
        found.map(|source| source.text.as_str())
    };
    let Some(tables) = text(TABLES) else {
        return vec![format!("{TABLES} is missing")];
    };
    let mut faults = Vec::new();
    for (file, table) in ROUTES {
        let routes = text(file).map(routes).unwrap_or_default();
        if routes.is_empty() {
            faults.push(format!("{file} has no route that is seen"));
        }
        let Some(rows) = rows(tables, table) else {
            faults.push(format!("{TABLES} has no table {table}"));
            continue;
        };
        for route in routes {
            if !rows.contains(&route) {
                faults.push(format!("{file}: {route} has no row in {table} of {TABLES}"));
            }
        }
    }
    faults
}

/// The paths of a list of routes: each is the first word of its pair.
fn routes(text: &str) -> Vec<&str> {
    let list = text.split_once("ROUTES").map_or("", |(_, rest)| rest);
    let list = list.split_once("];").map_or(list, |(list, _)| list);
    list.split('"')
        .skip(1)
        .step_by(2)
        .filter(|word| word.starts_with('/'))
        .collect()
}

/// The paths of a table: the second word of each line.
fn rows<'a>(text: &'a str, table: &str) -> Option<Vec<&'a str>> {
    let (_, rest) = text.split_once(&format!("const {table}: &str = \""))?;
    let (body, _) = rest.split_once('"')?;
    let second = |line: &'a str| line.split_whitespace().nth(1);
    Some(body.lines().filter_map(second).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "pub const ROUTES: &[Route] = &[\n    (\"/\", || get(a)),\n    (\n        \"/a/{key}\",\n \
                        || get(b),\n    ),\n];\n.route(\"/elsewhere\")";

    fn faults(tables: &str) -> Vec<String> {
        let mut sources = vec![Source::new(TABLES, tables)];
        sources.extend(ROUTES.map(|(file, _)| Source::new(file, LIST)));
        check(&sources)
    }

    fn tables(customers: &str, staff: &str) -> String {
        format!(
            "const CUSTOMERS: &str = \"\n{customers}\n\";\nconst STAFF: &str = \"\n{staff}\n\";"
        )
    }

    const WHOLE: &str = "GET  /  200 200\nPOST /a/{key} 200 200";

    #[test]
    fn routes_with_a_row_each_pass() {
        assert!(faults(&tables(WHOLE, WHOLE)).is_empty());
    }

    #[test]
    fn a_route_without_a_row_in_its_own_table_fails() {
        let found = faults(&tables(WHOLE, "GET / 200"));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("staff_web/routes.rs: /a/{key} has no row in STAFF"));
        // A longer path is another one, and an answer is no row.
        let found = faults(&tables("GET / /a/{key}\nGET /a/{key}/b 200", WHOLE));
        assert_eq!(found.len(), 1, "{found:?}");
    }

    #[test]
    fn a_table_or_a_list_that_is_not_there_fails() {
        assert_eq!(faults("").len(), 2);
        assert_eq!(check(&[]).len(), 1);
        let only = Source::new(TABLES, &tables(WHOLE, WHOLE));
        assert_eq!(check(&[only]).len(), 2);
    }
}
