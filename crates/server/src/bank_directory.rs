//! The directory of Japan's banks, in the program itself (assets/directory).

use std::sync::LazyLock;

use warifu_bank::directory::Directory;

static DIRECTORY: LazyLock<Directory<'static>> = LazyLock::new(|| {
    Directory::parse(include_str!("../assets/directory/zengin.tsv")).unwrap_or_else(|error| {
        // A test reads the whole file: a program that was built from it never comes here.
        tracing::error!(%error, "the directory of banks cannot be read");
        Directory::default()
    })
});

/// The directory.
#[must_use]
pub fn directory() -> &'static Directory<'static> {
    &DIRECTORY
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bank_and_branch_of_japan_is_there() {
        let (banks, branches) = directory().size();
        assert!(banks > 1_100 && branches > 28_000, "{banks} {branches}");
        for (code, name) in [
            ("0001", "みずほ"),
            ("9900", "ゆうちょ"),
            ("1371", "長岡信金"),
        ] {
            assert_eq!(directory().bank(code).map(|bank| bank.name), Some(name));
        }
    }

    #[test]
    fn a_bank_is_found_as_people_write_it() {
        for (typed, code) in [
            ("みずほ銀行", "0001"),
            ("ミズホ", "0001"),
            ("三菱UFJ銀行", "0005"),
            ("三菱ＵＦＪ", "0005"),
            ("paypay銀行", "0033"),
            ("長岡信用金庫", "1371"),
            ("９９００", "9900"),
        ] {
            let found = directory().banks(typed, 10);
            assert_eq!(found.first().map(|bank| bank.code), Some(code), "{typed}");
        }
        assert!(directory().banks("会津ミライ", 10).is_empty());
    }

    #[test]
    fn every_kana_of_the_directory_fits_a_zengin_record() {
        for line in include_str!("../assets/directory/zengin.tsv").lines() {
            let fields: Vec<_> = line.split('\t').collect();
            let kana = fields[fields.len() - 2];
            let folded = warifu_bank::kana::fold_name(kana);
            assert!(
                folded.is_ok_and(|kana| kana.chars().count() <= 15),
                "{line}"
            );
        }
    }

    #[test]
    fn no_real_bank_has_the_code_of_the_sample() {
        assert_eq!(directory().bank("9999"), None);
    }
}
