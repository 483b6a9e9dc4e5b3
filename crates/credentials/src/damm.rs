//! The check digit of H. Michael Damm (2004): one table look-up a digit, and it finds every single wrong digit
//! and every swap of neighbours, which a weighted sum modulo 10 cannot.

/// A totally anti-symmetric quasigroup of order 10, with zeros on its diagonal.
const TABLE: [[u8; 10]; 10] = [
    [0, 3, 1, 7, 5, 9, 8, 6, 4, 2],
    [7, 0, 9, 2, 1, 5, 4, 8, 6, 3],
    [4, 2, 0, 6, 8, 7, 1, 3, 5, 9],
    [1, 7, 5, 0, 9, 8, 3, 4, 2, 6],
    [6, 1, 2, 3, 0, 4, 5, 9, 7, 8],
    [3, 6, 7, 4, 2, 0, 9, 5, 8, 1],
    [5, 8, 6, 9, 7, 2, 0, 1, 3, 4],
    [8, 9, 4, 5, 3, 6, 2, 0, 1, 7],
    [9, 4, 3, 8, 6, 1, 7, 2, 0, 5],
    [2, 5, 8, 1, 4, 3, 6, 7, 9, 0],
];

/// The check digit (0 to 9) of decimal `digits`; over digits that end in their own check digit it is 0.
/// A value over 9 is taken modulo 10.
pub(crate) fn check_digit(digits: impl IntoIterator<Item = u8>) -> u8 {
    digits.into_iter().fold(0, |interim, digit| {
        TABLE
            .get(usize::from(interim))
            .and_then(|row| row.get(usize::from(digit % 10)))
            .copied()
            .unwrap_or_default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_example_holds() {
        assert_eq!(check_digit([5, 7, 2]), 4);
        assert_eq!(check_digit([5, 7, 2, 4]), 0);
    }

    #[test]
    fn the_table_is_a_totally_anti_symmetric_quasigroup() {
        let at = |row: usize, column: usize| usize::from(TABLE[row][column]);
        for a in 0..10 {
            assert_eq!(at(a, a), 0);
            for b in (0..10).filter(|b| *b != a) {
                for c in 0..10 {
                    assert_ne!(at(c, a), at(c, b), "a wrong digit is found");
                    assert_ne!(at(at(c, a), b), at(at(c, b), a), "a swap is found");
                }
            }
        }
    }
}
