//! Banks and their branches, by code, name, kana and romaji.

use crate::kana::fold_search;

/// A bank.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bank<'a> {
    /// 金融機関コード: four digits.
    pub code: &'a str,
    /// 金融機関名
    pub name: &'a str,
    /// The name in kana.
    pub kana: &'a str,
    /// The name in Latin letters.
    pub roma: &'a str,
}

/// A branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Branch<'a> {
    /// 支店コード: three digits.
    pub code: &'a str,
    /// 支店名
    pub name: &'a str,
    /// The name in kana.
    pub kana: &'a str,
    /// The name in Latin letters.
    pub roma: &'a str,
}

/// Every bank with its branches, read from one text that it borrows from.
#[derive(Debug, Default)]
pub struct Directory<'a> {
    /// By ascending code.
    banks: Vec<(Bank<'a>, Vec<Branch<'a>>)>,
}

/// A line of the text is not as it should be: its number, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("line {0} of the directory is not as expected")]
pub struct DirectoryError(pub usize);

impl<'a> Directory<'a> {
    /// Reads lines of tab-separated fields: a bank's code, name, kana and romaji; a line that begins with a tab is a branch
    /// of the bank above it.
    ///
    /// # Errors
    /// [`DirectoryError`] names the line.
    pub fn parse(text: &'a str) -> Result<Self, DirectoryError> {
        let mut banks: Vec<(Bank<'a>, Vec<Branch<'a>>)> = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            let fields: Vec<&str> = line.split('\t').collect();
            match (fields.as_slice(), banks.last_mut()) {
                ([code, name, kana, roma], _) if is_code(code, 4) => {
                    let bank = Bank {
                        code,
                        name,
                        kana,
                        roma,
                    };
                    banks.push((bank, Vec::new()));
                }
                (["", code, name, kana, roma], Some((_, branches))) if is_code(code, 3) => {
                    branches.push(Branch {
                        code,
                        name,
                        kana,
                        roma,
                    });
                }
                _ => return Err(DirectoryError(number)),
            }
        }
        Ok(Self { banks })
    }

    fn entry(&self, code: &str) -> Option<&(Bank<'a>, Vec<Branch<'a>>)> {
        let index = self
            .banks
            .binary_search_by(|(bank, _)| bank.code.cmp(code))
            .ok()?;
        self.banks.get(index)
    }

    /// A bank by its code.
    #[must_use]
    pub fn bank(&self, code: &str) -> Option<Bank<'a>> {
        self.entry(code).map(|(bank, _)| *bank)
    }

    /// A branch by both codes.
    #[must_use]
    pub fn branch(&self, bank: &str, code: &str) -> Option<Branch<'a>> {
        let (_, branches) = self.entry(bank)?;
        branches.iter().find(|branch| branch.code == code).copied()
    }

    /// How many banks and branches there are.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        (
            self.banks.len(),
            self.banks.iter().map(|(_, branches)| branches.len()).sum(),
        )
    }

    /// At most `limit` banks that fit what was typed, the best first.
    #[must_use]
    pub fn banks(&self, typed: &str, limit: usize) -> Vec<Bank<'a>> {
        let query = Query::new(typed);
        let all = self.banks.iter().map(|(bank, _)| *bank);
        let ranked =
            all.filter_map(|it| Some((query.rank(it.code, it.name, it.kana, it.roma)?, it)));
        best(ranked.collect(), limit)
    }

    /// At most `limit` branches of a bank that fit what was typed, the best first; every branch fits nothing typed.
    #[must_use]
    pub fn branches(&self, bank: &str, typed: &str, limit: usize) -> Vec<Branch<'a>> {
        let query = Query::new(typed);
        let all = self
            .entry(bank)
            .map(|(_, branches)| branches.iter().copied());
        let ranked = all
            .into_iter()
            .flatten()
            .filter_map(|it| Some((query.rank(it.code, it.name, it.kana, it.roma)?, it)));
        best(ranked.collect(), limit)
    }
}

fn best<T>(mut ranked: Vec<(u8, T)>, limit: usize) -> Vec<T> {
    ranked.sort_by_key(|(rank, _)| *rank);
    ranked.into_iter().take(limit).map(|(_, it)| it).collect()
}

fn is_code(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// What was typed, in each of the forms that are compared.
struct Query {
    plain: String,
    kana: Option<String>,
    roma: String,
}

/// Endings that people type and that the data leaves out or shortens.
const ENDINGS: [(&str, &str); 6] = [
    ("信用金庫", "信金"),
    ("信用組合", "信組"),
    ("農業協同組合", "農協"),
    ("労働金庫", "労金"),
    ("銀行", ""),
    ("支店", ""),
];

/// A name as it is compared: one width and one case, without the endings that the data leaves out.
fn plain(text: &str) -> String {
    let mut plain: String = text
        .trim()
        .chars()
        .map(crate::token_id::half_width)
        .filter(|letter| !matches!(letter, ' ' | '\u{3000}'))
        .flat_map(char::to_uppercase)
        .collect();
    for (long, short) in ENDINGS {
        if let Some(front) = plain.strip_suffix(long).filter(|front| !front.is_empty()) {
            plain = format!("{front}{short}");
        }
    }
    plain
}

impl Query {
    fn new(typed: &str) -> Self {
        let plain = plain(typed);
        let kana = fold_search(&plain).filter(|kana| !kana.is_empty());
        Self {
            kana,
            roma: plain.to_lowercase(),
            plain,
        }
    }

    /// How well an entry fits, 0 best; none: not at all.
    fn rank(&self, code: &str, name: &str, kana: &str, roma: &str) -> Option<u8> {
        let name = plain(name);
        let folded = fold_search(kana).unwrap_or_default();
        let by_kana = |fits: fn(&str, &str) -> bool| {
            self.kana
                .as_deref()
                .is_some_and(|typed| fits(&folded, typed))
        };
        if self.plain == code || self.plain == name || by_kana(|it, typed| it == typed) {
            Some(0)
        } else if code.starts_with(&self.plain)
            || name.starts_with(&self.plain)
            || by_kana(|it, typed| it.starts_with(typed))
            || roma.starts_with(&self.roma)
        {
            Some(1)
        } else if name.contains(&self.plain)
            || by_kana(|it, typed| it.contains(typed))
            || roma.contains(&self.roma)
        {
            Some(2)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "0001\tみほん\tミホン\tmihon\n\t001\t本店\tホンテン\thonten\n\t002\t東本店\tヒガシホンテン\thigashi\n0002\t大みほん\tオオミホン\toomihon\n";

    #[test]
    fn a_bank_is_found_by_name_kana_romaji_and_code() {
        let directory = Directory::parse(TEXT).unwrap();
        let codes = |typed| {
            directory
                .banks(typed, 9)
                .iter()
                .map(|bank| bank.code)
                .collect::<Vec<_>>()
        };
        assert_eq!(codes("みほん"), ["0001", "0002"]);
        for typed in ["ﾐﾎﾝ", "mihon", "ＭＩＨＯＮ", "0001", "０００１"] {
            assert_eq!(codes(typed).first(), Some(&"0001"), "{typed}");
        }
        assert_eq!(codes("大"), ["0002"]);
        assert!(codes("ない").is_empty());
    }

    #[test]
    fn a_branch_belongs_to_its_bank() {
        let directory = Directory::parse(TEXT).unwrap();
        assert_eq!(
            directory.branch("0001", "002").map(|branch| branch.name),
            Some("東本店")
        );
        assert_eq!(directory.branch("0002", "002"), None);
        assert_eq!(directory.branches("0001", "", 9).len(), 2);
        assert_eq!(directory.branches("0001", "ひがし", 9).len(), 1);
    }

    #[test]
    fn a_line_of_another_shape_is_named() {
        assert_eq!(
            Directory::parse("0001\ta\tb\tc\nx").err(),
            Some(DirectoryError(2))
        );
        assert_eq!(
            Directory::parse("\t001\ta\tb\tc").err(),
            Some(DirectoryError(1))
        );
    }
}
