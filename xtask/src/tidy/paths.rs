//! No file tells of the machine that it was written on.

use super::Source;

/// Split, so that this file does not fail by itself.
const PLACES: [&str; 3] = [
    concat!("/wo", "rk/"),
    concat!("/ro", "ot/"),
    concat!("/ho", "me/"),
];

/// Faults: an absolute path of somebody's machine.
pub(crate) fn check(sources: &[Source]) -> Vec<String> {
    let mut faults = Vec::new();
    for source in sources {
        for (number, line) in (1..).zip(source.text.lines()) {
            for place in PLACES {
                if names(line, place) {
                    faults.push(format!(
                        "{}:{number}: {place} is a path of one machine",
                        source.path
                    ));
                }
            }
        }
    }
    faults
}

/// Does the line name the place as the beginning of a path (and not inside a longer one)?
fn names(line: &str, place: &str) -> bool {
    line.match_indices(place).any(|(at, _)| {
        let before = line.get(..at).and_then(|before| before.chars().next_back());
        !before.is_some_and(|letter| letter.is_alphanumeric() || "._-}~*".contains(letter))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_is_found() {
        for place in PLACES {
            let text = format!("first\ncd {place}x");
            let faults = check(&[Source::new("docs/a.md", &text)]);
            assert_eq!(faults.len(), 1);
            assert!(faults[0].contains("docs/a.md:2"));
        }
    }

    #[test]
    fn a_folder_of_that_name_inside_a_path_is_fine() {
        let text = format!("frame{}x", PLACES[0]);
        assert!(check(&[Source::new("docs/a.md", &text)]).is_empty());
    }
}
